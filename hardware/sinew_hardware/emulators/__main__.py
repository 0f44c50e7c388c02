"""The process of an emulated station: `python -m sinew_hardware.emulators HARDWARE TASK FOLDER`.

It says `ready` once its bus and its back door are there, and ends with its standard input.
"""

from __future__ import annotations

import sys
from pathlib import Path

from sinew_core.config import from_mapping
from sinew_core.hardware import load_hardware

from sinew_hardware.emulators.config import EmulatorConfig
from sinew_hardware.emulators.emulator import Emulator


def main() -> None:
    """Run until whoever started it is gone."""
    path, task, folder = sys.argv[1:4]
    hardware = load_hardware(path)
    fields = hardware.config.station["emulator"]
    config = from_mapping(EmulatorConfig, fields, f"{path}: station: emulator")
    emulator = Emulator(config, hardware, task, Path(folder))
    emulator.start()
    print("ready", flush=True)
    try:
        sys.stdin.read()
    except KeyboardInterrupt:
        pass
    finally:
        emulator.close()


if __name__ == "__main__":
    main()
