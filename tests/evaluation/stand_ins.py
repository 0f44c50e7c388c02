"""Tiny models for runs on a fake station, importable by the processes that the tests start."""

from __future__ import annotations

import time
from collections.abc import Mapping

import numpy as np
from sinew_core.fakes import FakeStation, FakeStationConfig
from sinew_core.hardware import Hardware
from sinew_core.types import (
    ActionChunk,
    Affordance,
    CameraFrame,
    JointState,
    Observation,
    Percept,
    Refusal,
    RewardEstimate,
    Task,
)


class NoPerception:
    def reset(self, task: Task) -> None: ...

    def process(self, frames: Mapping[str, CameraFrame], joints: JointState) -> Percept:
        return Percept(joints.stamp)


class AnyAffordance:
    def propose(self, observation: Observation, instruction: str) -> Affordance | Refusal:
        if "unicorn" in instruction:
            return Refusal(observation.stamp, instruction, "there is no unicorn", ("red cube",), "stand-in")
        way = np.zeros((1, 3))
        return Affordance(
            observation.stamp, instruction, None, way, None, "stand-in", np.zeros(1, dtype=bool)
        )


class DrawnAffordance(AnyAffordance):
    """Shows a picture of what it looked at."""

    def picture(self) -> np.ndarray:
        return np.full((24, 32, 3), 200, np.uint8)


class BrokenPencil(AnyAffordance):
    def picture(self) -> np.ndarray:
        raise RuntimeError("the pencil is broken")


class WaveReward:
    """Terms of very different size."""

    def reset(self, task: Task) -> None: ...

    def estimate(self, observation: Observation) -> RewardEstimate:
        t = observation.stamp * 1e-9
        terms = {"progress": 0.02 * np.sin(t), "time": -0.001, "success": float(np.sin(t) > 0.99) * 10}
        return RewardEstimate(observation.stamp, sum(terms.values()), terms=terms)


class SwayPolicy:
    """Sways around home, faster than the arm may."""

    def __init__(self, hardware: Hardware) -> None:
        self._home = hardware.robot.home
        self._period = hardware.config.control_period

    def reset(self, task: Task) -> None: ...

    def infer(self, observation: Observation) -> ActionChunk:
        target = self._home + 0.4 * np.sign(np.sin(observation.stamp * 8e-9))
        return ActionChunk(observation.stamp, self._period, target[None])


class SlowPolicy(SwayPolicy):
    def infer(self, observation: Observation) -> ActionChunk:
        time.sleep(0.02)
        return super().infer(observation)


class TiredPolicy(SwayPolicy):
    """Gives up after five answers."""

    def reset(self, task: Task) -> None:
        self._left = 5

    def infer(self, observation: Observation) -> ActionChunk:
        self._left -= 1
        if self._left < 0:
            raise RuntimeError("enough")
        return super().infer(observation)


class NanPolicy(SwayPolicy):
    def infer(self, observation: Observation) -> ActionChunk:
        chunk = super().infer(observation)
        return ActionChunk(chunk.stamp, chunk.dt, np.full_like(chunk.position, np.nan))


class SlowToOpen(FakeStation):
    """A station whose opening takes long enough to be interrupted."""

    def __init__(self, config: FakeStationConfig, hardware: Hardware, task: str) -> None:
        print("opening", flush=True)
        time.sleep(20)
        super().__init__(config, hardware, task)


class Unplugged(FakeStation):
    """A station that is there, and then is not."""

    def __init__(self, config: FakeStationConfig, hardware: Hardware, task: str) -> None:
        super().__init__(config, hardware, task)
        self.arm.write = self._fail  # type: ignore[method-assign]

    def _fail(self, command: object) -> None:
        raise OSError("the plug was pulled")
