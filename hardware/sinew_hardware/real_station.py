"""A station of real devices: one arm driver and one driver a camera, as the hardware file names them.

Where the file has an `emulator`, its process is started first and the same drivers are given its ports.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from sinew_core.errors import ConfigError
from sinew_core.hardware import Hardware
from sinew_core.plugins import build
from sinew_core.preflight import Check, NotReadyError
from sinew_core.protocols import Arm, Attendant, Camera

from sinew_hardware.preflight import preflight

log = logging.getLogger(__name__)
PLACE = "{emulator}"  # in a port or path: the emulator's folder
DRAWN = {"plugin": "sinew_hardware.cameras.emulated:EmulatedCamera", "door": f"{PLACE}/door"}


@dataclass(frozen=True, slots=True)
class RealStationConfig:
    """The fields of `station:` in a hardware file of real devices."""

    arm: Mapping[str, Any]  # plugin of an Arm
    emulator: Mapping[str, Any] | None = None  # EmulatorConfig: what the devices are, where they are not real


class RealStation:
    """An arm and its cameras; nothing moves before the first command."""

    def __init__(self, config: RealStationConfig, hardware: Hardware, task: str) -> None:
        self._closing = ExitStack()
        self._attendant: Attendant | None = None
        with ExitStack() as opened:  # what is open when something fails is closed again
            folder = ""
            if config.emulator is not None:
                from sinew_hardware.emulators.emulated import EmulatedStation

                emulated = EmulatedStation(hardware, task)
                opened.callback(emulated.close)
                self._attendant, folder = emulated, str(emulated.folder)
            self._cameras = {
                name: _open_camera(name, hardware, folder, opened) for name in hardware.config.cameras
            }
            where = f"{hardware.path}: station: arm"
            self._arm: Arm = build(
                placed(config.arm, folder), Arm, where, hardware=hardware, robot=hardware.robot
            )
            opened.callback(self._arm.close)
            self._hardware = hardware
            _let_fly(self.checks(), hardware.name)
            self._closing = opened.pop_all()

    @property
    def arm(self) -> Arm:
        """The arm."""
        return self._arm

    @property
    def cameras(self) -> Mapping[str, Camera]:
        """The cameras by name."""
        return self._cameras

    @property
    def world(self) -> None:
        """None: this is no simulator, and nobody can step its time."""
        return

    @property
    def attendant(self) -> Attendant | None:
        """Who lays out the scene and says whether the task is done, if anybody."""
        return self._attendant

    def checks(self) -> list[Check]:
        """Return the pre-flight."""
        return preflight(self, self._hardware, datetime.now(UTC).date())

    def close(self) -> None:
        """Hold the arm and release every device, the arm first."""
        self._closing.close()


def _let_fly(checks: Sequence[Check], name: str) -> None:
    """Tell the notes, and raise NotReadyError for what is wrong."""
    for check in checks:
        if check.verdict == "note":
            log.info("%s: %s", check.name, check.sentence)
    if any(check.verdict == "wrong" for check in checks):
        raise NotReadyError(name, checks)


def _open_camera(name: str, hardware: Hardware, folder: str, opened: ExitStack) -> Camera:
    config = hardware.config.cameras[name]
    device = config.device or (DRAWN if folder else None)
    where = f"{hardware.path}: cameras: {name}: device"
    if device is None:
        raise ConfigError(f"{where}: expected the plugin of this camera's driver.")
    camera = build(placed(device, folder), Camera, where, camera=config, model=hardware.cameras[name])
    opened.callback(camera.close)
    return camera


def placed(fields: Mapping[str, Any], folder: str) -> dict[str, Any]:
    """Return a plugin's fields with the emulator's folder in its place."""
    return {
        key: value.replace(PLACE, folder) if isinstance(value, str) else value
        for key, value in fields.items()
    }
