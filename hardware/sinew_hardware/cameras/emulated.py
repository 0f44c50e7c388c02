"""The cameras of an emulated station: frames through its back door, and nothing of how they were made."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

import numpy as np
from sinew_core.cameras import CameraConfig
from sinew_core.errors import DeviceError
from sinew_core.types import CameraFrame, CameraModel

from sinew_hardware.cameras.newest import NewestFrame, Patience
from sinew_hardware.cameras.newest_camera import NewestCamera
from sinew_hardware.emulators.talk import call, hear, say


@dataclass(frozen=True, slots=True)
class EmulatedCameraConfig:
    """The back door of the emulator, and how long a camera is waited for."""

    door: Path
    patience: Patience = field(default_factory=Patience)


class EmulatedCamera(NewestCamera):
    """A camera that an emulator draws."""

    def __init__(self, config: EmulatedCameraConfig, camera: CameraConfig, model: CameraModel) -> None:
        name = f"camera {model.name}"
        opened = partial(_Source, config.door, model, camera.depth)
        super().__init__(model, NewestFrame(name, opened, config.patience))


class _Source:
    """One visitor at the back door, who asks for one frame after the other."""

    def __init__(self, door: Path, model: CameraModel, depth: bool) -> None:
        self._model, self._depth = model, depth
        try:
            self._line, self._stream = call(door, timeout=2.0)
        except OSError as error:
            raise DeviceError(f"camera {model.name}: its emulator does not answer: {error}.") from error

    def grab(self) -> CameraFrame | None:
        """Return the next frame."""
        name, height, width = self._model.name, self._model.height, self._model.width
        try:
            say(self._stream, {"ask": "frame", "camera": name})
            heard = hear(self._stream)
        except OSError as error:
            raise DeviceError(f"camera {name}: its emulator does not answer: {error}.") from error
        if heard is None or "error" in heard[0]:
            raise DeviceError(f"camera {name}: {'its emulator has ended' if heard is None else heard[0]}.")
        words, payload = heard
        rgb = np.frombuffer(payload, np.uint8, 3 * height * width).reshape(height, width, 3)
        depth = None
        if words["depth"] and self._depth:
            millimetres = np.frombuffer(payload, np.uint16, height * width, rgb.size).reshape(height, width)
            depth = millimetres.astype(np.float32) / np.float32(1000)
        return CameraFrame(words["stamp"], rgb, depth)

    def close(self) -> None:
        """Leave."""
        self._stream.close()
        self._line.close()
