"""Opens the devices that a hardware file names, one by one, and closes all that it has opened."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from types import TracebackType
from typing import Any

from sinew_core.cameras import CameraConfig
from sinew_core.config import from_mapping
from sinew_core.errors import ConfigError
from sinew_core.hardware import Hardware
from sinew_core.plugins import build
from sinew_core.protocols import Arm, Camera

from sinew_hardware.emulators.emulated import EmulatedStation

PLACE = "{emulator}"  # in a port or path: the emulator's folder
DRAWN = {"plugin": "sinew_hardware.cameras.emulated:EmulatedCamera", "door": f"{PLACE}/door"}


@dataclass(frozen=True, slots=True)
class RealStationConfig:
    """The fields of `station:` in a hardware file of real devices."""

    arm: Mapping[str, Any]  # plugin of an Arm
    emulator: Mapping[str, Any] | None = None  # EmulatorConfig: what the devices are, where they are not real


class Devices:
    """The devices of one hardware file; a context. Where it has an `emulator`, that is started first."""

    def __init__(self, config: RealStationConfig, hardware: Hardware, task: str) -> None:
        self._config, self._hardware = config, hardware
        self._opened = ExitStack()
        self.emulated = None if config.emulator is None else EmulatedStation(hardware, task)

    @classmethod
    def of(cls, hardware: Hardware, task: str = "reach") -> Devices:
        """Return the devices of a hardware file; raises ConfigError for one that has none."""
        fields = {key: value for key, value in hardware.config.station.items() if key != "plugin"}
        if "arm" not in fields:
            raise ConfigError(f"{hardware.path}: expected a station of real or emulated devices.")
        return cls(from_mapping(RealStationConfig, fields, f"{hardware.path}: station"), hardware, task)

    def __enter__(self) -> Devices:
        """Return itself."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close what was opened."""
        self.close()

    def arm(self, **changes: Any) -> Arm:
        """Open the arm, with some of its fields changed; raises DeviceError or ConfigError."""
        hardware = self._hardware
        fields = {**self._placed(self._config.arm), **changes}
        where = f"{hardware.path}: station: arm"
        arm: Arm = build(fields, Arm, where, hardware=hardware, robot=hardware.robot)
        self._opened.callback(arm.close)
        return arm

    def camera(self, name: str, config: CameraConfig | None = None) -> Camera:
        """Open a camera, as the file has it or otherwise; raises DeviceError or ConfigError."""
        hardware = self._hardware
        config = config or hardware.config.cameras[name]
        device = config.device or (None if self.emulated is None else DRAWN)
        where = f"{hardware.path}: cameras: {name}: device"
        if device is None:
            raise ConfigError(f"{where}: expected the plugin of this camera's driver.")
        model = config.model(name, hardware.robot.base_link)
        camera = build(self._placed(device), Camera, where, camera=config, model=model)
        self._opened.callback(camera.close)
        return camera

    def close_devices(self) -> None:
        """Close every device, the last one first; they may be opened anew."""
        self._opened.close()

    def close(self) -> None:
        """Close every device, and end the emulator."""
        try:
            self.close_devices()
        finally:
            if self.emulated is not None:
                self.emulated.close()

    def _placed(self, fields: Mapping[str, Any]) -> dict[str, Any]:
        """Return a plugin's fields with the emulator's folder in its place; ConfigError if there is none."""
        if self.emulated is None:
            for key, value in fields.items():
                if isinstance(value, str) and PLACE in value:
                    raise ConfigError(
                        f"{self._hardware.path}: {key}: {value} wants an `emulator:` in `station:`."
                    )
            return dict(fields)
        folder = str(self.emulated.folder)
        return {
            key: value.replace(PLACE, folder) if isinstance(value, str) else value
            for key, value in fields.items()
        }
