"""The videos of an export: many episodes a file, one after the other, and files of bounded size."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
from sinew_core.types import ImageArray

from sinew_data.export.parquet import NUMBERS, FileNumbers
from sinew_data.export.plan import Size
from sinew_data.export.video import VideoEncoder, VideoSettings, decoded_frames

PATTERN = "videos/{key}/" + NUMBERS + ".mp4"


@dataclass(frozen=True, slots=True)
class Place:
    """Where an episode lies in a camera's videos."""

    chunk: int
    file: int
    start: int  # frames before it in the file
    frames: int


class CameraVideos:
    """Writes the videos of one camera."""

    def __init__(
        self, root: Path, key: str, size: Size, fps: int, settings: VideoSettings, limit: int
    ) -> None:
        self._root, self._pattern = root, PATTERN.replace("{key}", key)
        self._size, self._fps, self._settings, self._limit = size, fps, settings, limit
        self._numbers = FileNumbers()
        self._encoder: VideoEncoder | None = None

    def begin(self, rows: int) -> Place:
        """Begin an episode of so many frames; a file that would grow beyond the limit is finished."""
        encoder = self._encoder
        if encoder is None or encoder.size * (1 + rows / max(encoder.frames, 1)) >= self._limit:
            self.close()
            self._numbers.advance()
            path = self._numbers.path(self._root, self._pattern)
            encoder = self._encoder = VideoEncoder(path, *self._size, self._fps, self._settings)
        return Place(*self._numbers.place, encoder.frames, rows)

    def write(self, frame: ImageArray, repeats: int) -> None:
        """Take a frame for so many rows."""
        assert self._encoder is not None
        self._encoder.write(frame, repeats)

    def close(self) -> None:
        """Finish the present file."""
        encoder, self._encoder = self._encoder, None
        if encoder is not None:
            encoder.close()

    def abandon(self) -> None:
        """End at once; harmless after `close`."""
        if self._encoder is not None:
            self._encoder.abandon()


@dataclass(frozen=True, slots=True)
class DecodingError:
    """How far decoded frames are from the recorded ones, of 255."""

    mean: tuple[float, float, float]  # absolute, by colour
    worst: float  # mean of the worst frame
    frames: int


class Comparison:
    """Decodes a camera's videos and compares them with what was encoded."""

    def __init__(self, root: Path, key: str, size: Size) -> None:
        self._folder = root / PATTERN.split("{key}", maxsplit=1)[0] / key
        self._size, self._key = size, key
        self._decoded = self._decode()
        self._sum: npt.NDArray[np.float64] = np.zeros(3)
        self._worst, self._frames = 0.0, 0

    def _decode(self) -> Iterator[ImageArray]:
        for path in sorted(self._folder.glob("*/*.mp4")):
            yield from decoded_frames(path, *self._size)

    def compare(self, frame: ImageArray, repeats: int) -> None:
        """Take the next frame that was encoded, with how often."""
        for _ in range(repeats):
            decoded = next(self._decoded, None)
            if decoded is None:
                raise OSError(f"the videos of {self._key} end after {self._frames} frames")
            error = np.abs(decoded.astype(np.int16) - frame).mean(axis=(0, 1))
            self._sum += error
            self._worst = max(self._worst, float(error.mean()))
            self._frames += 1

    def close(self) -> DecodingError:
        """Return the error; OSError if the videos have more frames than were encoded."""
        if next(self._decoded, None) is not None:
            raise OSError(f"the videos of {self._key} have more than {self._frames} frames")
        red, green, blue = (self._sum / max(self._frames, 1)).tolist()
        return DecodingError((red, green, blue), self._worst, self._frames)
