"""Simulated episodes of mixed quality as learners of rewards see them, the truth beside; kept on disk."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from sinew_core.files import cache_folder
from sinew_core.hardware import Hardware, load_hardware
from sinew_core.models import make_affordance, make_reward
from sinew_core.protocols import Station
from sinew_core.runtime import Brain, Step, run_episode
from sinew_core.types import CameraFrame, JointState, Keypoint, Observation, Percept, RewardEstimate, Task
from sinew_rewards.files import read_arrays, write_arrays
from sinew_rewards.learned.features import FeatureConfig, make_features
from sinew_rewards.learned.trajectory import Trajectory
from sinew_sim.gym_observations import true_world
from sinew_sim.true_keypoints import NoiseConfig, TrueKeypoints, open_blind

from sinew_eval.reward_hands import Hand, behaviour_of

VERSION = 1  # of how episodes are made; another one makes them anew
MAX_STEPS = 160  # control periods
CAMERA = "front"  # of pictures; the first one where a station has none of this name
EXACT = NoiseConfig(0, 0, 0, 0, 0, 0, 1, 0, 1)
MADE_BY = "simulated_trajectories"


def simulated_trajectories(
    task: str, count: int, seed: int, *, size: int = 0, hardware: str = "sim_mujoco"
) -> tuple[Trajectory, ...]:
    """Return `count` episodes of the seeds from `seed` on, made now where they are not kept yet.

    Features are those of `KeypointFeatures` on keypoints with the errors of cameras. Truth and progress
    are what `affordance_way` gives on keypoints without error; stages are reach (0), carry (1) and leave
    (2), success is the simulator's. With `size` (px), pictures of one camera are there, too.
    """
    folder = default_folder() / f"{hardware}-{task}-{size}-v{VERSION}"
    missing = [s for s in range(seed, seed + count) if not _path(folder, s).is_file()]
    if missing:
        _make(folder, task, missing, size, hardware)
    return tuple(_load(folder, task, s) for s in range(seed, seed + count))


def default_folder() -> Path:
    """Return the folder that keeps episodes."""
    return cache_folder("reward_episodes")


def _path(folder: Path, seed: int) -> Path:
    return folder / f"{seed:06d}.safetensors"


def _load(folder: Path, task: str, seed: int) -> Trajectory:
    arrays, facts = read_arrays(_path(folder, seed), MADE_BY)
    return Trajectory(
        name=f"{task}-{seed:06d}",
        stamps=arrays["stamps"],
        features=arrays["features"],
        success=facts["success"],
        truth=arrays["truth"],
        progress=arrays["progress"],
        stages=arrays["stages"],
        pictures=arrays.get("pictures"),
    )


def _make(folder: Path, task: str, seeds: list[int], size: int, name: str) -> None:
    stage = _open(name, task, size)
    try:
        for seed in seeds:
            taken = _run(stage, task, seed)
            write_arrays(_path(folder, seed), taken.arrays(), {"success": taken.success})
    finally:
        stage.station.close()


@dataclass(frozen=True, slots=True)
class _Stage:
    """A simulated station, and who looks at it: as cameras would, and exactly."""

    hardware: Hardware
    station: Station
    seen: TrueKeypoints
    exact: TrueKeypoints
    camera: str  # empty: none


def _open(name: str, task: str, size: int) -> _Stage:
    hardware = load_hardware(name).with_pace("lockstep")
    if not size:
        hardware, blind, seen = open_blind(hardware, task, NoiseConfig(), 0)
        return _Stage(hardware, blind, seen, TrueKeypoints(hardware, true_world(blind), EXACT, 0), "")
    camera = CAMERA if CAMERA in hardware.cameras else next(iter(hardware.cameras))
    config = replace(
        hardware.config.cameras[camera], width=size, height=size, depth=False, every=1, intrinsics=None
    )
    hardware = replace(
        hardware,
        config=replace(hardware.config, cameras={camera: config}),
        cameras={camera: config.model(camera, hardware.robot.base_link)},
    )
    station = hardware.open_station(task)
    seen, exact = (TrueKeypoints(hardware, true_world(station), noise, 0) for noise in (NoiseConfig(), EXACT))
    return _Stage(hardware, station, seen, exact, camera)


class _BothLooks:
    """A perception model that sees as cameras do, and keeps what is really there."""

    def __init__(self, stage: _Stage) -> None:
        self._stage = stage
        self.exact: Mapping[str, Keypoint] = {}

    def reset(self, task: Task) -> None:
        """Draw an episode's errors."""
        self._stage.seen.reset(task)
        self._stage.exact.reset(task)

    def process(self, frames: Mapping[str, CameraFrame], joints: JointState) -> Percept:
        """Return what is seen."""
        self.exact = self._stage.exact.process(frames, joints).keypoints
        return self._stage.seen.process(frames, joints)


class _Taken:
    """The rows of a running episode."""

    def __init__(self, stage: _Stage, task: str, looks: _BothLooks) -> None:
        self._stage, self._looks = stage, looks
        self._features = make_features(FeatureConfig(), stage.hardware)
        self._truth = make_reward("affordance_way", stage.hardware, task)
        self._rows: list[tuple[int, Any, RewardEstimate, int, Any]] = []
        self.success = False

    def reset(self, task: Task) -> None:
        """Begin the episode."""
        self._features.reset(task)
        self._truth.reset(task)

    def estimate(self, observation: Observation) -> RewardEstimate:
        """Stand where the reward model does; what is paid matters to nobody."""
        return RewardEstimate(observation.stamp, 0.0)

    def take(self, step: Step) -> None:
        """Take a control period."""
        self.look(step.observation)

    def end(self, observation: Observation, reward: RewardEstimate, done: bool) -> None:
        """Take what is seen at the end."""
        self.success = done
        self.look(observation)

    def look(self, observation: Observation) -> None:
        """Take an observation and what it is worth; the last one of a success is worth most."""
        features = self._features.of(observation)
        if features is None:
            return
        truth = self._truth.estimate(replace(observation, keypoints=self._looks.exact))
        if self.success:
            truth = replace(truth, value=0.0, progress=1.0)
        before = self._rows[-1][3] if self._rows else 0
        picture = observation.frames[self._stage.camera].rgb if self._stage.camera else None
        self._rows.append((observation.stamp, features, truth, max(before, _stage_of(truth)), picture))

    def arrays(self) -> dict[str, Any]:
        """Return the rows as arrays."""
        stamps, features, truth, stages, pictures = zip(*self._rows, strict=True)
        arrays = {
            "stamps": np.array(stamps, np.int64),
            "features": np.stack(features).astype(np.float32),
            "truth": np.array([t.value for t in truth]),
            "progress": np.array([t.progress for t in truth]),
            "stages": np.array(stages, np.int64),
        }
        return arrays | ({"pictures": np.stack(pictures)} if self._stage.camera else {})


def _stage_of(truth: RewardEstimate) -> int:
    """Return which part of the task this is: reach, carry or leave."""
    terms = truth.terms
    if terms.get("reach", 1.0) > 0:
        return 0
    return 1 if terms["carry"] > 0 else 2


def _run(stage: _Stage, task: str, seed: int) -> _Taken:
    looks = _BothLooks(stage)
    taken = _Taken(stage, task, looks)
    stage.seen.seed(seed)
    stage.exact.seed(seed)
    run_episode(
        stage.station,
        stage.hardware,
        Brain(looks, make_affordance("rule_grounding", stage.hardware, task), taken, _hand(stage, seed)),
        seed=seed,
        max_steps=MAX_STEPS,
        on_step=taken.take,
        on_end=taken.end,
    )
    return taken


def _hand(stage: _Stage, seed: int) -> Hand:
    return Hand(stage.hardware, behaviour_of(seed), seed)
