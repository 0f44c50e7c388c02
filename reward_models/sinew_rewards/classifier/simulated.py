"""Frames of scripted episodes in a simulator, each labelled by the simulator's own judgement.

For tests and experiments: nobody has such labels on a real table. An episode goes on for a while after its
success, with the arm wandering about, so that success is seen under more than one pose.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Literal

import numpy as np
from sinew_core.errors import ConfigError, did_you_mean
from sinew_core.hardware import Hardware, load_hardware
from sinew_core.models import make_affordance, make_perception, make_policy
from sinew_core.runtime import Brain, EpisodeResult, Step, run_episode
from sinew_core.types import ImageArray, Observation, RewardEstimate, Task

from sinew_rewards.classifier.behaviours import BEHAVIOURS, Behaviour, Lingering, OffTarget, Shaken
from sinew_rewards.classifier.frames import SUFFIX, EpisodeFacts, EpisodeFrames, load_frames, save_frames
from sinew_rewards.classifier.pictures import PictureSpec, pictures_of, scene_crop, view_of

EVERY = 3  # control periods from frame to frame
BEFORE = 10  # control periods before success, of which every one is kept


@dataclass(frozen=True, slots=True)
class SimulationConfig:
    """Which episodes are run; each depends on its seed and these settings alone."""

    hardware: str = "sim_mujoco"
    task: str = "pick_place"
    instruction: str = ""  # empty: each scene draws its own
    policy: str = "affordance_follower"
    affordance: str = "rule_grounding"
    cameras: tuple[str, ...] = ()  # none: all that deliver frames
    size: int = 128  # px
    crop_to_scene: bool = True  # the part of each image in which objects can lie; else all of it
    max_steps: int = 240  # control periods
    calm: int = 0  # control periods after success in which the policy finishes what it does, as before it
    linger: int = 24  # control periods that an episode goes on after these, the arm wandering about
    noise: float = 0.012  # rad or m, standard deviation of each joint's target about the policy's
    wander: float = 0.15  # the same after success
    shares: tuple[float, float, float] = field(default=(0.6, 0.2, 0.2))  # of the BEHAVIOURS

    def __post_init__(self) -> None:
        """Check the numbers."""
        if self.max_steps < 1 or self.linger < 1 or min(self.calm, self.noise, self.wander) < 0:
            raise ValueError("expected max_steps and linger >= 1, calm, noise and wander >= 0.")
        if abs(sum(self.shares) - 1) > 1e-6 or min(self.shares) < 0:
            raise ValueError(f"shares: expected three of at least 0 with the sum 1, got {self.shares}.")

    @property
    def digest(self) -> str:
        """A short name of everything here."""
        return hashlib.sha256(json.dumps(asdict(self), sort_keys=True).encode()).hexdigest()[:8]


def episode_path(config: SimulationConfig, folder: Path, seed: int) -> Path:
    """Return the file of an episode, there or not."""
    return folder / f"{config.task}-{seed:05d}-{config.digest}{SUFFIX}"


def behaviour_of(config: SimulationConfig, seed: int) -> Behaviour:
    """Return what an episode's arm is to do."""
    choice = np.random.default_rng([11, seed]).choice(len(BEHAVIOURS), p=config.shares)
    return BEHAVIOURS[int(choice)]


def picture_spec(config: SimulationConfig, hardware: Hardware) -> PictureSpec:
    """Return what is looked at; ConfigError for a camera that is not there or delivers no frames."""
    delivering = [name for name, camera in hardware.config.cameras.items() if camera.every]
    for name in config.cameras:
        if name not in delivering:
            hint = did_you_mean(name, delivering)
            raise ConfigError(f"{hardware.path}: no camera '{name}' that delivers frames.{hint}")
    chosen = config.cameras or delivering
    crops = {name: scene_crop(hardware, name) if config.crop_to_scene else None for name in chosen}
    return PictureSpec(tuple(view_of(hardware.cameras[name], crops[name]) for name in chosen), config.size)


def roll_missing(config: SimulationConfig, folder: Path, seeds: Sequence[int]) -> Iterator[EpisodeFacts]:
    """Run the episodes whose files are not there; yields every one, those that are there first."""
    missing = [seed for seed in seeds if not episode_path(config, folder, seed).is_file()]
    for seed in sorted(set(seeds) - set(missing)):
        yield load_frames(episode_path(config, folder, seed)).facts
    if missing:
        yield from _roll(config, folder, missing)


def _roll(config: SimulationConfig, folder: Path, seeds: Sequence[int]) -> Iterator[EpisodeFacts]:
    hardware = load_hardware(config.hardware).with_pace("lockstep")
    spec = picture_spec(config, hardware)
    with_station = hardware.open_station(config.task)
    try:
        if with_station.world is None:
            raise ConfigError(
                f"hardware '{config.hardware}' is no simulation, so nobody knows the truth there."
            )
        station = Lingering(with_station, config.calm + config.linger)
        for seed in seeds:
            taken = _Taken(spec, station)
            result = _run(config, hardware, station, seed, taken)
            frames = taken.frames(episode_path(config, folder, seed), _facts(config, hardware, result, taken))
            save_frames(frames)
            yield frames.facts
    finally:
        with_station.close()


def _run(
    config: SimulationConfig, hardware: Hardware, station: Lingering, seed: int, taken: _Taken
) -> EpisodeResult:
    behaviour, rng = behaviour_of(config, seed), np.random.default_rng([13, seed])
    affordance = make_affordance(config.affordance, hardware, config.task)
    policy = make_policy(config.policy, hardware, config.task)
    shaken = Shaken(
        policy, hardware, rng, lambda: config.wander if station.since > config.calm else config.noise
    )
    shaken.keeps_open = behaviour == "empty"
    brain = Brain(
        perception=make_perception(hardware, config.task),
        affordance=OffTarget(affordance, rng) if behaviour == "off_target" else affordance,
        reward=_Silent(),
        policy=shaken,
    )
    return run_episode(
        station,
        hardware,
        brain,
        seed=seed,
        instruction=config.instruction,
        max_steps=config.max_steps,
        on_step=taken.take,
    )


class _Silent:
    """A reward model where none is wanted."""

    def reset(self, task: Task) -> None:
        """Begin an episode."""

    def estimate(self, observation: Observation) -> RewardEstimate:
        """Return nothing of worth."""
        return RewardEstimate(observation.stamp, 0.0)


class _Taken:
    """The frames of a running episode, with the truth at the moment of each observation."""

    def __init__(self, spec: PictureSpec, station: Lingering) -> None:
        self._spec, self._station = spec, station
        self._steps: list[int] = []
        self._pictures: list[ImageArray] = []
        self._truth: list[bool] = []

    def take(self, step: Step) -> None:
        """Take a control period's pictures; the truth is still that of the end of the one before."""
        self._steps.append(step.index)
        self._pictures.append(pictures_of(step.observation.frames, self._spec))
        self._truth.append(self._station.truth)

    @property
    def succeeded(self) -> bool:
        """Whether the last frame shows success."""
        return bool(self._truth) and self._truth[-1]

    def frames(self, path: Path, facts: EpisodeFacts) -> EpisodeFrames:
        """Return every third frame, and all from shortly before the first success on."""
        first = self._truth.index(True) if True in self._truth else len(self._truth)
        kept = [i for i in range(len(self._steps)) if i % EVERY == 0 or i >= first - BEFORE]
        if not kept:
            raise ConfigError(f"seed {facts.seed}: {facts.outcome} before the first control period.")
        return EpisodeFrames(
            path=path,
            facts=facts,
            spec=self._spec,
            step=np.array(self._steps, np.int32)[kept],
            pictures=np.stack([self._pictures[i] for i in kept]),
            truth=np.array(self._truth, np.int8)[kept],
        )


def _facts(
    config: SimulationConfig, hardware: Hardware, result: EpisodeResult, taken: _Taken
) -> EpisodeFacts:
    ended: Literal["success", "failure"] = "success" if taken.succeeded else "failure"
    facts = EpisodeFacts(
        name=f"{config.task}-{result.seed:05d}",
        robot=hardware.robot.name,
        hardware=hardware.name,
        task=config.task,
        instruction=result.instruction,
        outcome=ended,
        steps=result.steps,
        seed=result.seed,
        behaviour=behaviour_of(config, result.seed),
    )
    return facts if result.outcome in ("success", "timeout") else replace(facts, outcome=result.outcome)
