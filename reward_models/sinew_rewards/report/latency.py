"""How long a reward takes for one answer, from the observation on."""

from __future__ import annotations

import time
from collections.abc import Sequence

import numpy as np
from sinew_core.hardware import Hardware
from sinew_core.protocols import RewardModel
from sinew_core.types import Affordance, CameraFrame, JointState, Keypoint, Observation, Task

ROUNDS, ANSWERS = 8, 15  # timed
WARM_UP = 10  # answers before


def latency_of(model: RewardModel, hardware: Hardware, task: Task) -> dict[str, float]:
    """Return median and 95th percentile of the time of an answer, in ms.

    They are those of the quietest of several rounds: other work on the machine only ever adds.
    """
    observations = [_made_up(hardware, task, i) for i in range(WARM_UP + ROUNDS * ANSWERS)]
    model.reset(task)
    seconds = []
    for observation in observations:
        begin = time.perf_counter()
        model.estimate(observation)
        seconds.append(time.perf_counter() - begin)
    rounds = np.percentile(np.reshape(seconds[WARM_UP:], (ROUNDS, ANSWERS)), [50, 95], axis=1)
    median, high = 1000 * rounds[:, rounds[0].argmin()]
    return {"latency_ms": float(median), "latency_95_ms": float(high)}


def latency_figures(seconds: Sequence[float]) -> dict[str, float]:
    """Return the same of answers that were timed as they were given, or nothing where there were none."""
    if not seconds:
        return {}
    median, high = 1000 * np.percentile(seconds, [50, 95])
    return {"latency_ms": float(median), "latency_95_ms": float(high)}


def _made_up(hardware: Hardware, task: Task, index: int) -> Observation:
    """Return an observation that has everything a reward can look at."""
    rng, stamp = np.random.default_rng(index), 1 + round(1e9 * hardware.config.control_period) * index
    robot, scene = hardware.robot, hardware.config.scene
    frames = {
        name: CameraFrame(stamp, rng.integers(0, 256, (model.height, model.width, 3), dtype=np.uint8))
        for name, model in hardware.cameras.items()
    }
    near, far = (np.array([*corner, 0.02]) for corner in (scene.lower, scene.upper))
    keypoints = {"object": Keypoint(near), "place": Keypoint(far)}
    above = np.array([near, far]) + np.array([0.0, 0.0, 0.08])
    affordance = Affordance(
        stamp, task.instruction, "object", above, "place", "latency", np.array([True, False]), "object"
    )
    joints = JointState(stamp, robot.home.copy(), np.zeros_like(robot.home))
    return Observation(stamp, joints, frames, keypoints, affordance, {}, task)
