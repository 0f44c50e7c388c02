"""A station of real devices: one arm driver and one driver a camera, as the hardware file names them.

Where the file has an `emulator`, its process is started first and the same drivers are given its ports.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime

from sinew_core.hardware import Hardware
from sinew_core.preflight import Check, NotReadyError
from sinew_core.protocols import Arm, Attendant, Camera

from sinew_hardware.devices import Devices, RealStationConfig
from sinew_hardware.preflight import preflight

log = logging.getLogger(__name__)


class RealStation:
    """An arm and its cameras; nothing moves before the first command.

    Raises DeviceError for a device that cannot be opened, and NotReadyError after a pre-flight that found
    something wrong; what was open is closed again.
    """

    def __init__(self, config: RealStationConfig, hardware: Hardware, task: str) -> None:
        self._hardware = hardware
        self._devices = Devices(config, hardware, task)
        try:
            self._cameras = {name: self._devices.camera(name) for name in hardware.config.cameras}
            self._arm = self._devices.arm()
            _let_fly(self.checks(), hardware.name)
        except BaseException:
            self._devices.close()
            raise

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
        return self._devices.emulated

    def checks(self) -> list[Check]:
        """Return the pre-flight."""
        return preflight(self, self._hardware, datetime.now(UTC).date())

    def close(self) -> None:
        """Hold the arm and release every device, the arm first."""
        self._devices.close()


def _let_fly(checks: Sequence[Check], name: str) -> None:
    """Raise NotReadyError for what is wrong; log what is only to be noted."""
    if any(check.verdict == "wrong" for check in checks):
        raise NotReadyError(name, checks)
    for check in checks:
        if check.verdict == "note":
            log.info("%s: %s", check.name, check.sentence)
