"""Videos through ffmpeg: every frame goes in and comes out exactly once, at k / fps."""

from __future__ import annotations

import contextlib
import subprocess
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO

import numpy as np
from sinew_core.errors import ConfigError
from sinew_core.types import ImageArray

ENCODERS = {"h264": "libx264", "hevc": "libx265", "av1": "libsvtav1"}
QUALITY = {"h264": 18, "hevc": 20, "av1": 24}  # constant rate factors that leave an error of about 1 of 255
# No frame refers to a later one: readers that seek to a moment then get every frame from there on.
EXTRA = {
    "h264": ("-bf", "0"),
    "hevc": ("-tag:v", "hvc1", "-x265-params", "log-level=error:bframes=0:open-gop=0"),
    "av1": ("-preset", "10", "-svtav1-params", "pred-struct=1"),
}
PIXELS = ("yuv420p", "yuv444p")  # yuv420p halves the colours' resolution, and every decoder knows it
GROUP = 2  # frames from one that stands alone to the next: few are decoded to get at any one
MATRIX = "bt601"  # what decoders take for granted where a file says nothing
FINISH = 600  # s


@dataclass(frozen=True, slots=True)
class VideoSettings:
    """How videos are encoded."""

    codec: str = "h264"
    crf: int | None = None  # smaller is better; None: the codec's own default
    pixels: str = "yuv420p"

    def arguments(self) -> list[str]:
        """Return ffmpeg's options for the output."""
        crf = QUALITY[self.codec] if self.crf is None else self.crf
        scale = f"scale=out_color_matrix={MATRIX}:out_range=tv:flags=accurate_rnd+full_chroma_int+bicubic"
        return [
            *("-vf", scale, "-c:v", ENCODERS[self.codec], "-crf", str(crf), "-g", str(GROUP)),
            *("-pix_fmt", self.pixels, "-an", *EXTRA[self.codec]),
        ]


def check_size(camera: str, height: int, width: int, pixels: str) -> None:
    """Raise ConfigError for a size that the pixel format does not have."""
    if pixels == "yuv420p" and (height % 2 or width % 2):
        raise ConfigError(
            f"camera {camera} has {width}x{height} px, and yuv420p has even sides only. "
            "Use --pixels yuv444p, or --format npz."
        )


def ffmpeg_executable() -> str:
    """Return the ffmpeg that imageio-ffmpeg brings or finds; ConfigError without one."""
    try:
        import imageio_ffmpeg

        return str(imageio_ffmpeg.get_ffmpeg_exe())
    except (ImportError, RuntimeError) as error:
        raise ConfigError("videos need imageio-ffmpeg: pip install 'sinew[export]'.") from error


class VideoEncoder:
    """Writes one file. An ffmpeg that fails is an OSError with what it says."""

    def __init__(self, path: Path, height: int, width: int, fps: int, settings: VideoSettings) -> None:
        self.path = path
        self.frames = 0
        self._shape = (height, width, 3)
        source = ["-f", "rawvideo", "-pix_fmt", "rgb24", "-s", f"{width}x{height}", "-r", str(fps), "-i", "-"]
        self._errors: IO[bytes] = tempfile.TemporaryFile()  # noqa: SIM115 - closed in _end
        self._process = subprocess.Popen(
            [ffmpeg_executable(), "-y", "-loglevel", "error", *source, *settings.arguments(), str(path)],
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=self._errors,
            process_group=0,  # the terminal's Ctrl-C is not for it
        )

    @property
    def size(self) -> int:
        """Bytes that are in the file already; some frames are still on their way."""
        return self.path.stat().st_size if self.path.exists() else 0

    def write(self, frame: ImageArray, repeats: int = 1) -> None:
        """Take a frame (h, w, 3), so many times over."""
        if frame.shape != self._shape:
            raise ConfigError(
                f"{self.path.name}: a frame of shape {frame.shape} among those of {self._shape}."
            )
        assert self._process.stdin is not None
        for _ in range(repeats):
            try:
                self._process.stdin.write(np.ascontiguousarray(frame).data)
            except OSError as error:
                raise OSError(f"ffmpeg stopped: {self._complaint() or error}") from error
        self.frames += repeats

    def close(self) -> None:
        """Finish the file."""
        assert self._process.stdin is not None
        with contextlib.suppress(BrokenPipeError):  # the exit code says more
            self._process.stdin.close()
        try:
            code, complaint = self._process.wait(timeout=FINISH), self._complaint()
        finally:
            self.abandon()
        if code != 0:
            raise OSError(f"ffmpeg failed: {complaint or f'exit code {code}'}")

    def abandon(self) -> None:
        """End at once, whatever the file is like then; harmless once it is closed."""
        if self._process.poll() is None:
            self._process.kill()
            self._process.wait()
        self._errors.close()

    def _complaint(self) -> str:
        """Return the last line that ffmpeg has printed."""
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._process.wait(timeout=1)
        self._errors.seek(0)
        lines = self._errors.read().decode(errors="replace").strip().splitlines()
        return lines[-1] if lines else ""


def decoded_frames(path: Path, height: int, width: int) -> Iterator[ImageArray]:
    """Yield the frames (h, w, 3) of a video, each once, in their order; OSError if it cannot be decoded."""
    output = ["-f", "rawvideo", "-pix_fmt", "rgb24", "-fps_mode", "passthrough", "-"]
    process = subprocess.Popen(
        [ffmpeg_executable(), "-loglevel", "error", "-i", str(path), *output],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        process_group=0,
    )
    assert process.stdout is not None
    size = height * width * 3
    try:
        while len(data := process.stdout.read(size)) == size:
            yield np.frombuffer(data, np.uint8).reshape(height, width, 3)
        if data or process.wait() != 0:
            raise OSError(f"{path.name} cannot be decoded")
    finally:
        process.kill()
        process.stdout.close()
        process.wait()
