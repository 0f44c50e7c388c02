"""Steps PyBullet once and says its version."""

from __future__ import annotations

from importlib.metadata import version

import pybullet


def main() -> None:
    """Connect, step, disconnect."""
    client = pybullet.connect(pybullet.DIRECT)
    pybullet.stepSimulation(client)
    pybullet.disconnect(client)
    print(f"pybullet {version('pybullet')} steps")


if __name__ == "__main__":
    main()
