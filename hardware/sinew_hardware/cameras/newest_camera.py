"""What every camera driver is around its own source: the newest frame, kept by a thread."""

from __future__ import annotations

from sinew_core.types import CameraFrame, CameraModel

from sinew_hardware.cameras.newest import NewestFrame


class NewestCamera:
    """A camera that is open once constructed; raises what opening its source raises."""

    def __init__(self, model: CameraModel, newest: NewestFrame) -> None:
        self._model, self._newest = model, newest
        newest.open()

    @property
    def model(self) -> CameraModel:
        """The intrinsics and the mounting."""
        return self._model

    def read(self) -> CameraFrame:
        """Return the newest frame, as a copy, at once."""
        return self._newest.read()

    def close(self) -> None:
        """Release the device."""
        self._newest.close()
