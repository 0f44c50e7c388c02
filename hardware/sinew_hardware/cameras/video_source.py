"""An open video device or file, read through OpenCV."""

from __future__ import annotations

import logging
import os
import stat
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from sinew_core.errors import DeviceError, did_you_mean
from sinew_core.types import NANOSECONDS, CameraFrame, ImageArray

from sinew_hardware.cameras.undistort import Undistortion

_log = logging.getLogger(__name__)
PAUSE = 0.05  # s of one wait for a file's next frame; `close` has to wait for it, too
Capture = Callable[..., Any]  # called like `cv2.VideoCapture`, with its methods


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a video source is to deliver."""

    width: int  # px
    height: int  # px
    fps: float  # Hz
    fourcc: str = "MJPG"  # four letters; the device's own when empty
    latency: float = 0.0  # s, from exposure to grab
    loop: bool = False  # a file begins anew at its end


class VideoSource:
    """Frames of an opened capture, each stamped when it was grabbed, less the latency."""

    def __init__(self, capture: Any, wanted: Wanted, lens: Undistortion, name: str) -> None:
        self._capture, self._wanted, self._lens, self._name = capture, wanted, lens, name
        self._delay = round(wanted.latency * NANOSECONDS)

    def grab(self) -> CameraFrame | None:
        """Wait for the device's next frame; raises DeviceError if there is none or it has a wrong size."""
        if not self._capture.grab():
            raise DeviceError(
                f"{self._name}: it no longer delivers: unplugged, or its USB port is overloaded."
            )
        return self.retrieve()

    def retrieve(self) -> CameraFrame | None:
        """Return the frame that was grabbed just now; None for a damaged one."""
        stamp = time.time_ns() - self._delay
        decoded, image = self._capture.retrieve()
        return CameraFrame(stamp, self._lens.colour(self._colour(image))) if decoded else None

    def _colour(self, image: Any) -> ImageArray:
        if np.ndim(image) != 3 or image.shape[2] != 3:
            raise DeviceError(f"{self._name}: expected a colour image, got one of shape {np.shape(image)}.")
        check_size(self._name, (image.shape[1], image.shape[0]), self._wanted)
        return np.asarray(cv2.cvtColor(image, cv2.COLOR_BGR2RGB), dtype=np.uint8)

    def close(self) -> None:
        """Release the device."""
        self._capture.release()


class FileSource:
    """Frames of a video file at the wanted rate; at its end it begins anew, or delivers nothing more."""

    def __init__(self, capture: Any, wanted: Wanted, lens: Undistortion, name: str) -> None:
        self._capture, self._wanted, self._name = capture, wanted, name
        self._frames = VideoSource(capture, wanted, lens, name)
        self._due, self._ended = time.monotonic(), False

    def grab(self) -> CameraFrame | None:
        """Return the next frame once it is due."""
        wait = self._due - time.monotonic()
        if self._ended or wait > PAUSE:
            time.sleep(PAUSE)
            return None
        time.sleep(max(wait, 0.0))
        self._due = max(self._due, time.monotonic() - PAUSE) + 1 / self._wanted.fps
        if self._capture.grab():
            return self._frames.retrieve()
        if self._wanted.loop:
            self._capture.set(cv2.CAP_PROP_POS_FRAMES, 0)
        else:
            self._ended = True
            _log.warning("%s: the video has ended; its last frame stays.", self._name)
        return None

    def close(self) -> None:
        """Release the file."""
        self._frames.close()


def open_video(
    device: int | str, wanted: Wanted, lens: Undistortion, name: str, capture: Capture
) -> VideoSource | FileSource:
    """Open a device, by its index or path, or a video file.

    Raises DeviceError if it is not there, may not be opened, is in use, or delivers another size.
    """
    path = Path(f"/dev/video{device}" if isinstance(device, int) else device).expanduser()
    if not path.exists():
        raise DeviceError(f"{name}: {path} does not exist.{_others(path)}")
    live = stat.S_ISCHR(path.stat().st_mode)
    if not os.access(path, os.R_OK | os.W_OK if live else os.R_OK):
        group = " Join the group `video` (`sudo usermod -aG video $USER`) and log in again." if live else ""
        raise DeviceError(f"{name}: this user may not open {path}.{group}")
    # A link of /dev/v4l/by-id leads to another device after every plugging in.
    opened = capture(str(path.resolve()), cv2.CAP_V4L2 if live else cv2.CAP_ANY)
    try:
        _check_open(opened, path, name, live=live)
        if live:
            _choose_mode(opened, wanted)
        check_size(name, _size(opened), wanted)
    except DeviceError:
        opened.release()
        raise
    return (VideoSource if live else FileSource)(opened, wanted, lens, name)


def _check_open(opened: Any, path: Path, name: str, *, live: bool) -> None:
    if opened.isOpened():
        return
    if not live:
        raise DeviceError(f"{name}: {path} is no video that OpenCV can read.")
    raise DeviceError(
        f"{name}: {path} cannot be opened: another program uses it (`fuser {path}` tells which), or it is "
        "no camera (many have a second device for metadata)."
    )


def _choose_mode(opened: Any, wanted: Wanted) -> None:
    """Ask a device for what is wanted, the format first: sizes and rates depend on it."""
    if wanted.fourcc:
        opened.set(cv2.CAP_PROP_FOURCC, cv2.VideoWriter.fourcc(*wanted.fourcc))
    opened.set(cv2.CAP_PROP_FRAME_WIDTH, wanted.width)
    opened.set(cv2.CAP_PROP_FRAME_HEIGHT, wanted.height)
    opened.set(cv2.CAP_PROP_FPS, wanted.fps)
    opened.set(cv2.CAP_PROP_BUFFERSIZE, 1)  # an older frame is of no use


def _size(capture: Any) -> tuple[int, int]:
    return round(capture.get(cv2.CAP_PROP_FRAME_WIDTH)), round(capture.get(cv2.CAP_PROP_FRAME_HEIGHT))


def check_size(name: str, size: tuple[int, int], wanted: Wanted) -> None:
    """Raise DeviceError unless a picture has the width and height (px) that the hardware file gives."""
    if size != (wanted.width, wanted.height):
        raise DeviceError(
            f"{name}: it delivers {size[0]}x{size[1]} pixels, but the hardware file says "
            f"{wanted.width}x{wanted.height}. Write the delivered size, or another that it offers "
            "(`v4l2-ctl --list-formats-ext`)."
        )


def _others(path: Path) -> str:
    """Return the tail of a sentence: what devices, or neighbouring files, there are instead."""
    if str(path).startswith("/dev/"):
        found = [*Path("/dev").glob("video*"), *Path("/dev/v4l/by-id").glob("*")]
        return did_you_mean(str(path), map(str, found))
    return did_you_mean(path.name, [found.name for found in path.parent.glob(f"*{path.suffix}")])
