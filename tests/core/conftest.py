"""A station of an ideal arm that costs nothing to open."""

from pathlib import Path

import pytest
from sinew_core.hardware import Hardware, load_hardware

ROBOTS = Path(__file__).parents[2] / "hardware_configs" / "robots"

HARDWARE = """
robot: {robots}/{robot}
station: {{plugin: "sinew_core.fakes:FakeStation", world: true, success_after: 5}}
control_period: 0.05
pace: lockstep
cameras:
  top:
    width: 64
    height: 48
    fovy: 50.0
    position: [0.2, 0.0, 0.6]
    look_at: [0.2, 0.0, 0.0]
    up: [1.0, 0.0, 0.0]
safety: {{floor: 0.01, workspace_lower: [-0.5, -0.5, 0.0], workspace_upper: [0.8, 0.5, 0.8]}}
scene: {{lower: [0.15, -0.1], upper: [0.25, 0.1]}}
perception: {{plugin: "tests.nowhere:Nothing"}}
"""


def write_hardware(folder: Path, robot: str = "so101", **replace: str) -> Path:
    text = HARDWARE.format(robots=ROBOTS, robot=robot)
    for old, new in replace.items():
        assert f"{old}:" in text, old
        text = "\n".join(f"{old}: {new}" if line.startswith(f"{old}:") else line for line in text.split("\n"))
    path = folder / "fake.yaml"
    path.write_text(text)
    return path


@pytest.fixture
def hardware(tmp_path: Path) -> Hardware:
    return load_hardware(str(write_hardware(tmp_path)))
