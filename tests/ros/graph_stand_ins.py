"""Tiny models for graphs under test, importable by the nodes through PYTHONPATH."""

from __future__ import annotations

import os
import time
from collections.abc import Mapping
from pathlib import Path

import numpy as np
from sinew_core.errors import DeviceError
from sinew_core.fakes import FakeCamera, FakeStation, FakeStationConfig
from sinew_core.hardware import Hardware
from sinew_core.robot import Robot
from sinew_core.types import (
    ActionChunk,
    Affordance,
    CameraFrame,
    JointState,
    Keypoint,
    Observation,
    Percept,
    Refusal,
    RewardEstimate,
    Task,
)


class MeanColour:
    """Keypoints that depend on every pixel, so that a changed image changes what follows from it."""

    def reset(self, task: Task) -> None: ...

    def process(self, frames: Mapping[str, CameraFrame], joints: JointState) -> Percept:
        keypoints = {}
        for name, frame in frames.items():
            assert frame.depth is not None
            red = np.array([frame.rgb[..., 0].mean(), frame.depth.mean(), float(joints.position.sum())])
            keypoints[f"{name} mean"] = Keypoint(red, pixel=red[:2], yaw=None)
        return Percept(joints.stamp, keypoints, {"sum": np.array([float(len(frames))])})


class FirstKeypoint:
    """Goes from one keypoint to the next; refuses the word `unicorn`."""

    def propose(self, observation: Observation, instruction: str) -> Affordance | Refusal:
        names = tuple(observation.keypoints)
        if "unicorn" in instruction:
            return Refusal(observation.stamp, instruction, "there is no unicorn", names, "stand-in")
        waypoints = np.array([k.position for k in observation.keypoints.values()])
        closed = np.zeros(len(waypoints), bool)
        return Affordance(
            observation.stamp, instruction, names[0], waypoints, waypoints[-1], "stand-in", closed, names[-1]
        )


class Distance:
    """A reward of everything that an observation holds."""

    def reset(self, task: Task) -> None:
        self._max_steps = task.max_steps

    def estimate(self, observation: Observation) -> RewardEstimate:
        assert observation.affordance is not None
        seen = sum(float(k.position.sum()) for k in observation.keypoints.values())
        terms = {
            "seen": seen,
            "way": float(observation.affordance.waypoints.sum()),
            "limit": float(self._max_steps),
        }
        return RewardEstimate(observation.stamp, sum(terms.values()), progress=0.5, terms=terms)


class Wave:
    """Joint targets that depend on every part of the observation."""

    horizon = 1

    def __init__(self, robot: Robot, hardware: Hardware) -> None:
        self._robot, self._dt = robot, hardware.config.control_period

    def reset(self, task: Task) -> None:
        self._count = 0

    def infer(self, observation: Observation) -> ActionChunk:
        self._count += 1
        assert observation.affordance is not None
        seen = sum(float(k.position.sum()) for k in observation.keypoints.values())
        phase = seen + float(observation.affordance.waypoints.sum()) + 0.3 * self._count
        wave = 0.05 * np.sin(phase + np.arange(len(self._robot.home)))
        return ActionChunk(
            observation.stamp, self._dt, (self._robot.home + wave)[None].repeat(self.horizon, 0)
        )


class NanPolicy(Wave):
    def infer(self, observation: Observation) -> ActionChunk:
        return ActionChunk(observation.stamp, self._dt, np.full((1, len(self._robot.home)), np.nan))


class WrongShape(Wave):
    def infer(self, observation: Observation) -> ActionChunk:
        return ActionChunk(observation.stamp, self._dt, np.zeros((1, 2)))


class Silent(Wave):
    def infer(self, observation: Observation) -> ActionChunk:
        time.sleep(1.5)
        return super().infer(observation)


class Raising(Wave):
    def infer(self, observation: Observation) -> ActionChunk:
        raise RuntimeError("out of ideas")


class Leap(Wave):
    """Wants to be further on than the joints' speed allows."""

    def infer(self, observation: Observation) -> ActionChunk:
        return ActionChunk(observation.stamp, self._dt, observation.joints.position[None] + 0.4)


class Slow(Wave):
    def infer(self, observation: Observation) -> ActionChunk:
        time.sleep(0.2)
        return super().infer(observation)


class WitnessStation(FakeStation):
    """Leaves a file behind when its arm is stopped."""

    def close(self) -> None:
        super().close()
        Path(os.environ["WITNESS"]).write_text(f"{self._arm.stops} stops")


class FailingCamera(FakeCamera):
    def read(self) -> CameraFrame:
        if self._reads >= 10:
            raise DeviceError("camera top: cable pulled")
        return super().read()


class FrozenCamera(FakeCamera):
    """Returns its last frame again and again once `frozen` is set."""

    frozen = False
    _last: CameraFrame | None = None

    def read(self) -> CameraFrame:
        if self._last is None or not self.frozen:
            self._last = super().read()
        return self._last


class FailingCameraStation(FakeStation):
    camera: type[FakeCamera] = FailingCamera

    def __init__(self, config: FakeStationConfig, hardware: Hardware, task: str) -> None:
        super().__init__(config, hardware, task)
        clock = self._arm._clock
        self._cameras["top"] = self.camera(hardware.cameras["top"], clock)


class FrozenCameraStation(FailingCameraStation):
    camera = FrozenCamera


class DyingPolicy(Wave):
    def infer(self, observation: Observation) -> ActionChunk:
        if self._count >= 5:
            os.kill(os.getpid(), 9)
        return super().infer(observation)


class Satisfied(Distance):
    """A reward model that sees success after a few observations."""

    _count = 0

    def estimate(self, observation: Observation) -> RewardEstimate:
        self._count += 1
        return RewardEstimate(observation.stamp, 1.0, success=1.0 if self._count > 5 else 0.0)


class Dawdling(Distance):
    """A reward model that takes its time over the fourth observation."""

    _count = 0

    def estimate(self, observation: Observation) -> RewardEstimate:
        self._count += 1
        if self._count == 4:
            time.sleep(1.0)
        return super().estimate(observation)


class TwoValues(Distance):
    def estimate(self, observation: Observation) -> RewardEstimate:
        return RewardEstimate(observation.stamp, np.zeros(2))  # type: ignore[arg-type]


class SlowAnswer(FirstKeypoint):
    def propose(self, observation: Observation, instruction: str) -> Affordance | Refusal:
        time.sleep(0.5)
        return super().propose(observation, instruction)
