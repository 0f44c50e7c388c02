"""The newest frame of a camera, kept by a thread that also opens a lost device again."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from sinew_core.errors import ConfigError, DeviceError
from sinew_core.types import CameraFrame

_log = logging.getLogger(__name__)
LEAVE = 3.0  # s that `close` waits for a thread that may be inside a driver


class FrameSource(Protocol):
    """An open device that delivers frames; used by one thread."""

    def grab(self) -> CameraFrame | None:
        """Wait a moment for the next frame; None if none has come. Raises DeviceError once it is lost."""

    def close(self) -> None:
        """Release the device, lost or not."""


@dataclass(frozen=True, slots=True)
class Patience:
    """How long a camera is waited for, in s."""

    first_frame: float = 5.0  # from opening to the first frame
    retry: float = 2.0  # between tries to open a lost device again

    def __post_init__(self) -> None:
        """Check that both are positive."""
        if min(self.first_frame, self.retry) <= 0:
            raise ValueError(
                f"first_frame and retry must be positive, got {self.first_frame} and {self.retry} s."
            )


class NewestFrame:
    """Grabs from a source in a thread of its own, and keeps the newest frame.

    `open_source` opens the device and raises DeviceError or ConfigError; it is called by `open`, and after
    a loss by the thread. `silent` says what to look for when a device opens but delivers nothing.
    """

    def __init__(
        self, name: str, open_source: Callable[[], FrameSource], patience: Patience, silent: str = ""
    ) -> None:
        self._name, self._open_source, self._patience, self._silent = name, open_source, patience, silent
        self._frame: CameraFrame | None = None  # replaced as a whole, never written to
        self._failure = ""  # what ended the thread before there was a frame
        self._ready, self._stop = threading.Event(), threading.Event()
        self._thread: threading.Thread | None = None

    def open(self) -> None:
        """Open the device and wait for its first frame.

        Raises DeviceError, or ConfigError, if it cannot be opened or no frame comes in time.
        """
        source = self._open_source()
        self._thread = threading.Thread(target=self._run, args=(source,), name=self._name, daemon=True)
        self._thread.start()
        try:
            self._await_first()
        except BaseException:  # an interrupt, too, leaves no device open
            self.close()
            raise

    def _await_first(self) -> None:
        seconds = self._patience.first_frame
        self._ready.wait(seconds)
        if self._frame is None:
            nothing = f"{self._name}: it was opened, but no frame came within {seconds:g} s. {self._silent}"
            raise DeviceError(self._failure or nothing.strip())

    def read(self) -> CameraFrame:
        """Return the newest frame, as a copy; the very same one again while there is nothing new."""
        frame = self._frame
        if frame is None:
            raise DeviceError(f"{self._name}: it was read before it was opened.")
        return CameraFrame(frame.stamp, frame.rgb.copy(), None if frame.depth is None else frame.depth.copy())

    def close(self) -> None:
        """Stop the thread, which releases the device; safe to call more than once."""
        self._stop.set()
        thread, self._thread = self._thread, None
        if thread is None:
            return
        thread.join(LEAVE)
        if thread.is_alive():
            _log.warning("%s: its driver does not answer; the device is released when it does", self._name)

    def _run(self, source: FrameSource | None) -> None:
        while source is not None:
            lost = self._follow(source)
            source.close()
            if self._frame is None:
                self._failure = lost
                self._ready.set()
                return
            source = self._reopen(lost) if lost else None

    def _follow(self, source: FrameSource) -> str:
        """Keep what a source delivers until told to stop; return why the device was lost, or ''."""
        while not self._stop.is_set():
            try:
                frame = source.grab()
            except Exception as error:  # noqa: BLE001 - a camera that fails is stale, whatever it failed of
                return self._sentence(error)
            if frame is not None:
                self._frame = frame
                self._ready.set()
        return ""

    def _reopen(self, lost: str) -> FrameSource | None:
        """Try until the device can be opened, saying why not whenever that changes; None: told to stop."""
        retry = self._patience.retry
        _log.error("%s Trying every %g s to open it again.", lost, retry)
        last = ""
        while not self._stop.wait(retry):
            try:
                source = self._open_source()
            except Exception as error:  # noqa: BLE001 - as above
                said = self._sentence(error)
                _log.log(logging.DEBUG if said == last else logging.WARNING, "still lost: %s", said)
                last = said
            else:
                _log.warning("%s: opened again.", self._name)
                return source
        return None

    def _sentence(self, error: Exception) -> str:
        if isinstance(error, DeviceError | ConfigError):
            return str(error)
        _log.error("%s: the driver failed", self._name, exc_info=error)
        return f"{self._name}: its driver failed: {type(error).__name__}: {error}."
