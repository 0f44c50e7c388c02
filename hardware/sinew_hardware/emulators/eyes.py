"""The emulated cameras: the plant drawn at a frame rate, with the noise of a sensor."""

from __future__ import annotations

import queue
import threading
import time
from concurrent.futures import Future
from dataclasses import dataclass

import cv2
import numpy as np
from sinew_core.hardware import Hardware
from sinew_core.types import NANOSECONDS, CameraFrame, DepthArray, ImageArray
from sinew_sim.mujoco_render import MujocoRenderer

from sinew_hardware.emulators.plant import Plant


@dataclass(frozen=True, slots=True)
class EyesConfig:
    """What makes an emulated camera unlike a drawing."""

    fps: float = 20.0
    noise: float = 2.0  # grey levels, standard deviation
    depth_noise: float = 0.001  # m at 1 m of distance, growing with its square
    delay: float = 0.01  # s from exposure until the frame can be had

    def __post_init__(self) -> None:
        """Check the ranges."""
        if self.fps <= 0 or min(self.noise, self.depth_noise, self.delay) < 0:
            raise ValueError("fps must be positive; noise, depth_noise and delay at least 0.")


@dataclass(frozen=True, slots=True)
class _Wish:
    camera: str
    frame: Future[CameraFrame]


class Eyes:
    """Draws frames on demand, all in one thread, as graphics contexts insist."""

    def __init__(self, config: EyesConfig, hardware: Hardware, plant: Plant, seed: int) -> None:
        self.config, self._hardware, self._plant = config, hardware, plant
        self._rng = np.random.default_rng(seed)
        self._wishes: queue.SimpleQueue[_Wish | None] = queue.SimpleQueue()
        self._frozen: dict[str, CameraFrame] = {}
        self._freeze: dict[str, int] = {}  # ns until which a camera repeats its picture
        self._stopped: dict[str, int] = {}  # ns until which a camera delivers nothing
        self._noise = {
            name: self._rng.normal(0, config.noise, (2 * camera.height, 2 * camera.width, 3)).astype(np.int8)
            for name, camera in hardware.config.cameras.items()
        }
        self._thread = threading.Thread(target=self._run, name="eyes", daemon=True)

    def start(self) -> None:
        """Begin to draw."""
        self._thread.start()

    def frame(self, camera: str) -> CameraFrame:
        """Wait for the next frame of a camera; its stamp is of the exposure, in ns of the wall clock."""
        interval = NANOSECONDS / self.config.fps
        now = time.time_ns()
        time.sleep((interval - now % interval) / NANOSECONDS)
        while self._stopped.get(camera, 0) > time.time_ns():
            time.sleep(0.01)
        wish = _Wish(camera, Future())
        self._wishes.put(wish)
        frame = wish.frame.result()
        time.sleep(max(0.0, self.config.delay - (time.time_ns() - frame.stamp) / NANOSECONDS))
        return frame

    def freeze(self, camera: str, until: int) -> None:
        """Let a camera repeat its picture, with new stamps, until a time in ns of the wall clock."""
        self._freeze[camera] = until

    def stop(self, camera: str, until: int) -> None:
        """Let a camera deliver nothing until a time in ns of the wall clock."""
        self._stopped[camera] = until

    def mend(self) -> None:
        """Let every camera deliver what it sees."""
        self._freeze.clear()
        self._stopped.clear()

    def close(self) -> None:
        """End the thread and free the graphics context."""
        self._wishes.put(None)
        if self._thread.is_alive():
            self._thread.join(timeout=2.0)

    def _run(self) -> None:
        renderer = MujocoRenderer(self._hardware.cameras.values())
        try:
            while (wish := self._wishes.get()) is not None:
                try:
                    wish.frame.set_result(self._draw(renderer, wish.camera))
                except Exception as error:  # noqa: BLE001 - raised again where it was asked for
                    wish.frame.set_exception(error)
        finally:
            renderer.close()

    def _draw(self, renderer: MujocoRenderer, name: str) -> CameraFrame:
        stamp = time.time_ns()
        if self._freeze.get(name, 0) > stamp and name in self._frozen:
            held = self._frozen[name]
            return CameraFrame(stamp, held.rgb, held.depth)
        model, wants_depth = self._hardware.cameras[name], self._hardware.config.cameras[name].depth
        with self._plant.lock:
            world = self._plant.world
            rgb, depth = renderer.render(world.model, world.data, model, wants_depth)
        frame = CameraFrame(stamp, self._grainy(name, rgb), None if depth is None else self._rough(depth))
        self._frozen[name] = frame
        return frame

    def _grainy(self, name: str, rgb: ImageArray) -> ImageArray:
        """Add sensor noise: a window of a large tile, so that no two frames have the same."""
        tile, (height, width) = self._noise[name], rgb.shape[:2]
        row, column = self._rng.integers(height), self._rng.integers(width)
        noise = tile[row : row + height, column : column + width]
        noisy: ImageArray = cv2.add(rgb, noise.astype(np.int16), dtype=cv2.CV_8U)
        return noisy

    def _rough(self, depth: DepthArray) -> DepthArray:
        """Add the noise of a stereo camera, in whole millimetres; what is unknown stays so."""
        noise = self._rng.standard_normal(depth.shape, dtype=np.float32)
        rough = depth + self.config.depth_noise * depth * depth * noise
        millimetres = np.round(rough * 1000) / 1000
        return np.where(depth > 0, millimetres, 0.0).astype(np.float32)
