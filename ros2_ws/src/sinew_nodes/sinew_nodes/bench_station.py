"""An ideal arm before noisy cameras that writes down when it was read, told and stopped, for benches.

What a station has delivered, and when its control loop came round, is known here without any transport.
"""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
from sinew_core.fakes import FakeArm, FakeCamera, FakeClock, FakeStation, FakeStationConfig
from sinew_core.hardware import Hardware
from sinew_core.types import CameraFrame, CameraModel, JointCommand, JointState

Stamps = npt.NDArray[np.int64]
READS, WRITES, STOPS = "arm/reads", "arm/writes", "arm/stops"
CAMERA = "camera/"


class Witness:
    """Stamps by name, in ns of the wall clock."""

    def __init__(self) -> None:
        self._stamps: defaultdict[str, list[int]] = defaultdict(list)

    def note(self, name: str, stamp: int | None = None) -> None:
        """Note a stamp, or that something happens now."""
        self._stamps[name].append(time.time_ns() if stamp is None else stamp)

    def write(self, path: Path) -> None:
        """Leave everything behind as an npz file."""
        np.savez(path, **{name: np.array(stamps, np.int64) for name, stamps in self._stamps.items()})  # type: ignore[arg-type]


def read_witness(path: Path) -> dict[str, Stamps]:
    """Return what a station has left behind."""
    with np.load(path) as stamps:
        return dict(stamps)


class WitnessArm(FakeArm):
    """Notes when it is read, told and stopped."""

    def __init__(self, clock: FakeClock, hardware: Hardware, witness: Witness) -> None:
        super().__init__(clock, hardware.robot.home)
        self._witness = witness

    def read(self) -> JointState:
        """Return the last commanded position, at rest."""
        self._witness.note(READS)
        return super().read()

    def write(self, command: JointCommand) -> None:
        """Go there."""
        super().write(command)
        self._witness.note(WRITES)

    def stop(self) -> None:
        """Count the call."""
        super().stop()
        self._witness.note(STOPS)


class WitnessCamera(FakeCamera):
    """Notes the stamp of each frame; its few frames have the noise of a real sensor, which costs disk."""

    def __init__(
        self, name: str, model: CameraModel, clock: FakeClock, config: WitnessStationConfig, witness: Witness
    ) -> None:
        super().__init__(model, clock)
        self._name, self._witness = name, witness
        rng = np.random.default_rng(config.seed)
        for i, (rgb, depth) in enumerate(self._frames):
            noisy = rgb + rng.normal(0.0, config.noise, rgb.shape)
            rough = depth + rng.normal(0.0, config.depth_noise, depth.shape) * (depth > 0)
            self._frames[i] = (noisy.clip(0, 255).astype(np.uint8), rough.round(3).astype(np.float32))

    def read(self) -> CameraFrame:
        """Return the next frame, stamped now."""
        frame = super().read()
        self._witness.note(CAMERA + self._name, frame.stamp)
        return frame


@dataclass(frozen=True, slots=True)
class WitnessStationConfig:
    """Where the stamps go when the station is closed, and how noisy its cameras are."""

    log: Path
    noise: float = 2.0  # of 255, standard deviation
    depth_noise: float = 0.001  # m, standard deviation
    seed: int = 0


class WitnessStation(FakeStation):
    """A station on the wall clock that remembers."""

    def __init__(self, config: WitnessStationConfig, hardware: Hardware, task: str) -> None:
        super().__init__(FakeStationConfig(), hardware, task)
        self._log, self._witness = config.log, Witness()
        clock = FakeClock(wall=True)
        self._arm = WitnessArm(clock, hardware, self._witness)
        self._cameras = {
            name: WitnessCamera(name, model, clock, config, self._witness)
            for name, model in hardware.cameras.items()
        }

    @property
    def cameras(self) -> Mapping[str, FakeCamera]:
        """The cameras by name."""
        return self._cameras

    def close(self) -> None:
        """Stop the arm and leave the stamps behind."""
        super().close()
        self._witness.write(self._log)
