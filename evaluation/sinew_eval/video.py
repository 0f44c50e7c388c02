"""Videos of episodes, encoded while they run: frames go to ffmpeg as they come, none is kept."""

from __future__ import annotations

import contextlib
import subprocess
import tempfile
from pathlib import Path
from typing import IO, Protocol

import numpy as np
from sinew_core.types import NANOSECONDS, ImageArray

FPS = 10
WIDTH = 640  # px at most
SIZE_LIMIT = 300_000  # bytes, above which a video is encoded once more, smaller
GIF_FRAMES = 120  # at most; beyond, every other one is dropped
GIF_WIDTH = 200  # px at most


class VideoError(Exception):
    """An encoder that did not do its work; the episode itself is not concerned."""


class Encoder(Protocol):
    """Takes frames one after the other, FPS to the second."""

    path: Path

    def write(self, frame: ImageArray) -> None:
        """Take one frame, (h, w, 3); every frame has the shape of the first."""

    def close(self) -> None:
        """Finish the file."""


class EpisodeVideo:
    """Samples the frames of an episode onto an even time grid and encodes them at once.

    A frame stays until the next one comes, so that playback keeps the robot's time even where frames
    are missing. Without a single frame there is no file.
    """

    def __init__(self, stem: Path) -> None:
        self._stem = stem
        self._encoder: Encoder | None = None
        self._last: ImageArray | None = None
        self._start = 0
        self._written = 0
        self._shown = False

    def add(self, stamp: int, frame: ImageArray | None) -> None:
        """Take the frame of a moment, in ns; None repeats the last one."""
        if self._last is None:
            if frame is None:
                return
            self._start, self._last = stamp, frame
            self._encoder = open_encoder(self._stem, frame)
        ticks = (stamp - self._start) * FPS
        self._fill(-(-ticks // NANOSECONDS))  # what was seen before holds until now
        if frame is not None and frame.shape == self._last.shape:
            self._last, self._shown = frame, False
        self._fill(ticks // NANOSECONDS + 1)

    def close(self) -> Path | None:
        """Finish the video and return its path, or None where no frame came."""
        if self._encoder is None:
            return None
        if not self._shown:  # an episode's last moment is the one people look for
            self._fill(self._written + 1)
        self._encoder.close()
        return self._encoder.path

    def _fill(self, count: int) -> None:
        assert self._encoder is not None
        assert self._last is not None
        while self._written < count:
            self._encoder.write(self._last)
            self._written += 1
            self._shown = True


def open_encoder(stem: Path, frame: ImageArray) -> Encoder:
    """Return an encoder for frames like this one: H.264 where ffmpeg is there, a GIF otherwise."""
    ffmpeg = ffmpeg_executable()
    height, width = frame.shape[:2]
    if ffmpeg is not None:
        return Mp4Encoder(ffmpeg, stem.with_suffix(".mp4"), width, height)
    return GifEncoder(stem.with_suffix(".gif"))


def ffmpeg_executable() -> str | None:
    """Return the ffmpeg that imageio-ffmpeg brings or finds, or None."""
    try:
        import imageio_ffmpeg

        return str(imageio_ffmpeg.get_ffmpeg_exe())
    except (ImportError, RuntimeError):
        return None


class Mp4Encoder:
    """H.264 in yuv420p, which every browser plays, through a pipe to ffmpeg."""

    def __init__(self, ffmpeg: str, path: Path, width: int, height: int) -> None:
        self.path = path
        self._ffmpeg = ffmpeg
        self._frames = 0
        self._errors: IO[bytes] = tempfile.TemporaryFile()  # noqa: SIM115 - closed in close
        source = ["-f", "rawvideo", "-pix_fmt", "rgb24", "-s", f"{width}x{height}", "-r", str(FPS), "-i", "-"]
        # yuv420p wants even sides; a group of its own keeps the terminal's Ctrl-C from ffmpeg.
        scale = ["-vf", f"scale=trunc(min({WIDTH}\\,iw)/2)*2:-2"]
        self._process = subprocess.Popen(
            [ffmpeg, "-y", "-loglevel", "error", *source, *scale, "-crf", "27", *OUTPUT, str(path)],
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=self._errors,
            process_group=0,
        )

    def write(self, frame: ImageArray) -> None:
        """Hand one frame to ffmpeg."""
        assert self._process.stdin is not None
        try:
            self._process.stdin.write(np.ascontiguousarray(frame).data)
        except OSError as error:
            raise VideoError(f"ffmpeg stopped: {self._complaint() or error}") from error
        self._frames += 1

    def close(self) -> None:
        """Let ffmpeg finish; a file beyond the size limit is encoded again at the bit rate that fits."""
        assert self._process.stdin is not None
        with contextlib.suppress(BrokenPipeError):  # ffmpeg's exit code says more
            self._process.stdin.close()
        try:
            code = self._process.wait(timeout=30)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
            raise VideoError("ffmpeg did not finish within 30 s.") from None
        finally:
            complaint = self._complaint()
            self._errors.close()
        if code != 0:
            raise VideoError(f"ffmpeg failed: {complaint or f'exit code {code}'}")
        if self.path.stat().st_size > SIZE_LIMIT:
            self._shrink()

    def _shrink(self) -> None:
        rate = int(0.8 * SIZE_LIMIT * 8 * FPS / max(self._frames, FPS))  # bit/s
        smaller = self.path.with_suffix(".small.mp4")
        limits = ["-b:v", str(rate), "-maxrate", str(rate), "-bufsize", str(2 * rate)]
        subprocess.run(
            [self._ffmpeg, "-y", "-loglevel", "error", "-i", str(self.path), *limits, *OUTPUT, str(smaller)],
            check=True,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            process_group=0,
        )
        smaller.replace(self.path)

    def _complaint(self) -> str:
        self._errors.seek(0)
        return self._errors.read().decode(errors="replace").strip()


OUTPUT = (
    *("-c:v", "libx264", "-preset", "veryfast", "-pix_fmt", "yuv420p", "-threads", "1"),
    *("-movflags", "+faststart", "-an"),
)


class GifEncoder:
    """A small GIF by Pillow; of a long episode every other frame is dropped, as often as needed."""

    def __init__(self, path: Path) -> None:
        try:
            from PIL import Image
        except ImportError as error:
            raise VideoError("neither ffmpeg nor Pillow is installed: pip install 'sinew[eval]'") from error
        self.path = path
        self._image = Image
        self._frames: list[Image.Image] = []
        self._stride = 1
        self._seen = 0

    def write(self, frame: ImageArray) -> None:
        """Keep the frame, scaled down, if its turn has come."""
        if self._seen % self._stride == 0:
            image = self._image.fromarray(frame)
            image.thumbnail((GIF_WIDTH, GIF_WIDTH))
            self._frames.append(image.quantize(64))
        self._seen += 1
        if len(self._frames) > GIF_FRAMES:
            self._frames = self._frames[::2]
            self._stride *= 2

    def close(self) -> None:
        """Write the file."""
        first, *rest = self._frames
        duration = 1000 * self._stride // FPS
        first.save(self.path, save_all=True, append_images=rest, duration=duration, loop=0)


def write_picture(stem: Path, picture: ImageArray) -> Path:
    """Write a picture (h, w, 3) as JPEG beside an episode's video and return its path."""
    try:
        from PIL import Image
    except ImportError as error:
        raise VideoError("Pillow is not installed: pip install 'sinew[eval]'") from error
    path = stem.with_suffix(".jpg")
    Image.fromarray(picture).save(path, quality=88)
    return path
