"""The process of an emulated station: `python -m sinew_hardware.emulators HARDWARE TASK FOLDER`.

It says `ready` once its bus and its back door are there, or else what is wrong with the file or the task, and
ends with its standard input.
"""

from __future__ import annotations

import shutil
import sys
from contextlib import suppress
from pathlib import Path

from sinew_core.config import from_mapping
from sinew_core.errors import ConfigError
from sinew_core.hardware import load_hardware

from sinew_hardware.emulators.config import EmulatorConfig
from sinew_hardware.emulators.emulator import Emulator


def main() -> None:
    """Run until whoever started it is gone."""
    path, task, folder = sys.argv[1:4]
    try:
        emulator = _emulator(path, task, Path(folder))
    except ConfigError as error:
        print(" ".join(str(error).split()), flush=True)
        return
    emulator.start()
    print("ready", flush=True)
    try:
        with suppress(KeyboardInterrupt):  # an end as good as the other
            sys.stdin.read()
    finally:
        emulator.close()
        shutil.rmtree(folder, ignore_errors=True)  # whoever made it may have been killed


def _emulator(path: str, task: str, folder: Path) -> Emulator:
    hardware = load_hardware(path)
    fields = hardware.config.station["emulator"]
    config = from_mapping(EmulatorConfig, fields, f"{path}: station: emulator")
    return Emulator(config, hardware, task, folder)


if __name__ == "__main__":
    main()
