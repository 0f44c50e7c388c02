"""the RealSense path: two software cameras, colour and depth, whose frames must all arrive, bit by bit"""

from __future__ import annotations

import argparse
import json
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from sinew_core.cameras import CameraConfig, IntrinsicsConfig
from sinew_core.types import CameraFrame, DepthArray, FloatArray, ImageArray

from sinew_hardware.cameras.realsense import RealsenseCamera, RealsenseConfig, device_intrinsics
from sinew_hardware.cameras.software_realsense import Counts, SoftwareRealsense, SoftwareSpec

WIDTH, HEIGHT, FPS = 640, 480, 30
CAMERAS = 2
PATCH = 16  # px, of a surface at one depth
POLL = 0.008  # s between two looks at the cameras; a station looks once a control period
END = 0.5  # s that the last frames may take
# A quarter of a pixel apart, the streams are aligned without an ambiguity: every depth pixel covers four
# colour pixels, its own and those right and below, and the nearest depth wins.
COLOUR = IntrinsicsConfig(615.5, 615.5, 320.25, 240.25)
DEPTH = IntrinsicsConfig(615.5, 615.5, 320.0, 240.0)


class Pictures:
    """Pictures whose number can be read from their pixels, and what they look like on arrival."""

    def __init__(self, seed: int) -> None:
        rng = np.random.default_rng(seed)
        self._rgb = rng.integers(0, 256, (HEIGHT, WIDTH, 3), dtype=np.uint8)
        patches = rng.integers(400, 1400, (HEIGHT // PATCH, WIDTH // PATCH), dtype=np.uint16)  # mm
        self._depth = patches.repeat(PATCH, axis=0).repeat(PATCH, axis=1)
        self._depth += rng.integers(0, 8, self._depth.shape, dtype=np.uint16)  # noise, as every camera has
        self._depth[-1], self._depth[:, -1] = 0, 0  # their neighbours lie outside
        self._known = self._depth > 0
        far = np.where(self._known, self._depth, np.iinfo(np.uint16).max)
        nearest = np.minimum(far, np.roll(far, 1, axis=0))
        self._nearest: Counts = np.minimum(nearest, np.roll(nearest, 1, axis=1))

    def sent(self, number: int) -> tuple[ImageArray, Counts]:
        """Return colour (h, w, 3) and depth (h, w), in mm, of a number."""
        rgb = self._rgb + np.uint8(number % 251)
        rgb[0, 0] = number // 65536 % 256, number // 256 % 256, number % 256
        return rgb, self._depth + np.uint16(number % 997) * self._known

    def number(self, rgb: ImageArray) -> int:
        """Return the number of a picture that arrived."""
        high, middle, low = map(int, rgb[0, 0])
        return 65536 * high + 256 * middle + low

    def expected(self, number: int) -> tuple[ImageArray, DepthArray]:
        """Return colour and aligned depth, in m, as a number's must arrive."""
        metres = (self._nearest + np.uint16(number % 997)).astype(np.float32) / np.float32(1000)
        return self.sent(number)[0], metres


@dataclass(slots=True)
class Tally:
    """What has arrived of one camera."""

    numbers: list[int] = field(default_factory=list)
    latencies: list[float] = field(default_factory=list)  # ms, from capture to the read that returned it
    wrong: int = 0  # frames that differ in a pixel or in the stamp


class Camera:
    """A software device, the driver that reads it, and what came through."""

    def __init__(self, index: int) -> None:
        self.pictures, self.tally, self.stamps = Pictures(index), Tally(), list[int]()
        self.device = SoftwareRealsense(SoftwareSpec(f"software-{index}", COLOUR, DEPTH, WIDTH, HEIGHT, FPS))
        self._driver: RealsenseCamera | None = None
        self._config = RealsenseConfig(f"software-{index}", FPS)

    def open(self) -> None:
        """Open the driver; somebody must be pushing frames."""
        camera = CameraConfig(WIDTH, HEIGHT, 45.0, (0, 0, 1), (0.3, 0, 0), intrinsics=COLOUR)
        model = camera.model(self._config.serial, "base")
        self._driver = RealsenseCamera(self._config, camera, model, self.device.context)

    def push(self) -> None:
        """Let the device capture the next picture, now."""
        number = len(self.stamps)
        rgb, depth = self.pictures.sent(number)
        self.stamps.append(time.time_ns() // 1000 * 1000)
        self.device.push(number, self.stamps[-1], rgb, depth)

    def look(self) -> None:
        """Read the driver, and compare a frame that is new."""
        assert self._driver is not None
        frame = self._driver.read()
        now, number = time.time_ns(), self.pictures.number(frame.rgb)
        if self.tally.numbers and number == self.tally.numbers[-1]:
            return
        self.tally.numbers.append(number)
        self.tally.latencies.append((now - frame.stamp) / 1e6)
        self.tally.wrong += not self._is_exact(number, frame)

    def _is_exact(self, number: int, frame: CameraFrame) -> bool:
        if not 0 <= number < len(self.stamps) or frame.depth is None:
            return False
        rgb, depth = self.pictures.expected(number)
        same = np.array_equal(frame.rgb, rgb) and np.array_equal(frame.depth, depth)
        return same and frame.stamp == self.stamps[number]

    def lens_is_exact(self) -> bool:
        """Tell whether the driver reads the very intrinsics that the device was made with."""
        return device_intrinsics(self._config, WIDTH, HEIGHT, self.device.context) == COLOUR

    @property
    def lost(self) -> int:
        """Frames from the first that arrived to the last that was pushed that never arrived."""
        return len(self.stamps) - self.tally.numbers[0] - len(set(self.tally.numbers))

    def close(self) -> None:
        """Close the driver, and unplug the device."""
        if self._driver is not None:
            self._driver.close()
        self.device.close()


def main(argv: Sequence[str]) -> int:
    """Run `sinew bench camera`: 0 if nothing was lost and all was exact; the last line is one JSON object."""
    parser = argparse.ArgumentParser(prog="sinew bench camera", description=__doc__)
    parser.add_argument("--seconds", type=_positive, default=10.0, help="of frames (10)")
    parser.add_argument("--json", action="store_true", help="only the JSON line")
    options = parser.parse_args(argv)
    figures = measure(options.seconds)
    if not options.json:
        print(
            f"{CAMERAS} cameras, {WIDTH}x{HEIGHT} colour and depth: {figures['frames']} frames at "
            f"{figures['fps']} Hz, {figures['lost']} lost, {'all' if figures['exact'] else 'NOT all'} exact, "
            f"{figures['latency_p99_ms']} ms from capture to read (p99)"
        )
    print(json.dumps(figures))
    return 0 if figures["exact"] and not figures["lost"] else 1


def _positive(text: str) -> float:
    seconds = float(text)
    if not 0 < seconds < float("inf"):
        raise argparse.ArgumentTypeError(f"expected a positive number of seconds, got '{text}'")
    return seconds


def measure(seconds: float) -> dict[str, float | bool]:
    """Let the cameras deliver for so many seconds, and return the figures."""
    cameras = [Camera(index) for index in range(CAMERAS)]
    done = threading.Event()
    shutter = threading.Thread(target=_capture, args=(cameras, done), daemon=True)
    shutter.start()
    try:
        for camera in cameras:
            camera.open()
        start = time.monotonic()
        _look(cameras, start + seconds)
        done.set()
        shutter.join()
        _look(cameras, time.monotonic() + END)
        return _figures(cameras, seconds)
    finally:
        done.set()
        shutter.join()
        for camera in cameras:
            camera.close()


def _capture(cameras: Sequence[Camera], done: threading.Event) -> None:
    """Push frames at the frame rate; after a late one the next keeps its distance, as a real exposure does.

    (librealsense takes frames that come much faster than their stream's rate for unmatched ones.)
    """
    due = time.monotonic()
    while not done.wait(max(due - time.monotonic(), 0.0)):
        for camera in cameras:
            camera.push()
        due = max(due + 1 / FPS, time.monotonic() + 0.6 / FPS)


def _look(cameras: Sequence[Camera], until: float) -> None:
    while time.monotonic() < until:
        for camera in cameras:
            camera.look()
        time.sleep(POLL)


def _figures(cameras: Sequence[Camera], seconds: float) -> dict[str, float | bool]:
    tallies = [camera.tally for camera in cameras]
    latencies: FloatArray = np.concatenate([tally.latencies for tally in tallies])
    spans = [(camera.stamps[-1] - camera.stamps[camera.tally.numbers[0]]) / 1e9 for camera in cameras]
    counts = [len(tally.numbers) for tally in tallies]
    right = all(tally.wrong == 0 and np.all(np.diff(tally.numbers) > 0) for tally in tallies)
    return {
        "lost": sum(camera.lost for camera in cameras),
        "exact": bool(right and all(camera.lens_is_exact() for camera in cameras)),
        "frames": sum(counts),
        "cameras": len(cameras),
        "fps": round(min((count - 1) / span for count, span in zip(counts, spans, strict=True)), 2),
        "seconds": seconds,
        "latency_p50_ms": round(float(np.percentile(latencies, 50)), 2),
        "latency_p99_ms": round(float(np.percentile(latencies, 99)), 2),
    }
