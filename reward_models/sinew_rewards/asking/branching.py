"""Siblings: recorded episodes that go on differently from one saved moment of a simulator.

Ways to go on from the very same moment are easily compared: all that lies before it, and the scene, is
the same for both, and drops out of the answer.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from sinew_core.errors import ConfigError
from sinew_core.hardware import Hardware, load_hardware
from sinew_core.models import make_affordance, make_perception, make_policy, make_reward
from sinew_core.protocols import Policy
from sinew_core.runtime import Brain, EpisodeResult, Step, run_episode
from sinew_core.types import Task
from sinew_data.episode import start_of
from sinew_data.recording import RecordedEpisode, record_episode
from sinew_sim.branching import BranchedStation, save
from sinew_sim.mujoco_station import MujocoStation

from sinew_rewards.asking.material import TREE
from sinew_rewards.classifier.behaviours import Shaken


@dataclass(frozen=True, slots=True)
class BranchConfig:
    """Where episodes branch, and how differently they go on."""

    hardware: str = "sim_mujoco"
    task: str = "push"
    policy: str = "affordance_follower"
    affordance: str = "rule_grounding"
    reward: str = "affordance_way"
    earliest: int = 10  # control periods before the branching; where exactly is drawn
    latest: int = 60
    branches: int = 3
    steps: int = 100  # control periods of each sibling at most
    spread: tuple[float, ...] = (0.0, 0.03, 0.06)  # rad or m, of each sibling's joint targets, in turn

    def __post_init__(self) -> None:
        """Check the numbers."""
        if not 1 <= self.earliest <= self.latest:
            raise ConfigError(f"expected 1 <= earliest <= latest, got {self.earliest} and {self.latest}.")
        if self.branches < 2 or self.steps < 1 or not self.spread or min(self.spread) < 0:
            raise ConfigError("expected at least 2 branches of at least 1 step, and no spread below 0.")


@dataclass(frozen=True, slots=True)
class Tree:
    """What came of one seed: the siblings' files, none where the task was done before the branching."""

    seed: int
    siblings: tuple[Path, ...]


def record_trees(config: BranchConfig, dataset: Path, seeds: range) -> Iterator[Tree]:
    """Record the siblings of each seed in a dataset; ConfigError on anything but a MuJoCo station."""
    hardware = load_hardware(config.hardware).with_pace("lockstep")
    station = hardware.open_station(config.task)
    try:
        if not isinstance(station, MujocoStation):
            raise ConfigError(f"hardware '{config.hardware}': branching needs a station of MuJoCo.")
        brancher = _Brancher(config, hardware, station, dataset)
        for seed in seeds:
            yield Tree(seed, tuple(brancher.siblings(seed)))
    finally:
        station.close()


class _Brancher:
    """Runs trunks and siblings on one station."""

    def __init__(
        self, config: BranchConfig, hardware: Hardware, station: MujocoStation, dataset: Path
    ) -> None:
        self._config, self._hardware, self._station, self._dataset = config, hardware, station, dataset

    def siblings(self, seed: int) -> Iterator[Path]:
        """Run a scene up to the branching, and record each way on from there."""
        config, rng = self._config, np.random.default_rng([23, seed])
        periods = int(rng.integers(config.earliest, config.latest + 1))
        seen: list[Step] = []
        trunk = run_episode(
            self._station,
            self._hardware,
            self._brain(make_policy(config.policy, self._hardware, config.task)),
            seed=seed,
            max_steps=periods,
            on_step=seen.append,
        )
        if trunk.outcome != "timeout":
            return
        moment = save(self._station.world, replace(seen[-1].observation.task, max_steps=config.steps))
        branched = BranchedStation(self._station, moment)
        for branch in range(config.branches):
            taken = _Recording(self._open(seed))
            result = run_episode(
                branched,
                self._hardware,
                self._brain(self._shaken(branch, np.random.default_rng([29, seed, branch]))),
                seed=seed,
                on_step=taken.add,
            )
            yield from taken.finish(result)

    def _brain(self, policy: Policy) -> Brain:
        config, hardware = self._config, self._hardware
        return Brain(
            perception=make_perception(hardware, config.task),
            affordance=make_affordance(config.affordance, hardware, config.task),
            reward=make_reward(config.reward, hardware, config.task),
            policy=policy,
        )

    def _shaken(self, branch: int, rng: np.random.Generator) -> Policy:
        config = self._config
        policy = make_policy(config.policy, self._hardware, config.task)
        spread = config.spread[branch % len(config.spread)]
        return Shaken(policy, self._hardware, rng, lambda: spread)

    def _open(self, seed: int) -> Callable[[Task], RecordedEpisode]:
        config = self._config
        models = {name: getattr(config, name) for name in ("policy", "affordance", "reward")}
        extra = {TREE: f"{config.task}-{seed:06d}"}

        def opened(task: Task) -> RecordedEpisode:
            start = start_of(self._hardware, task, seed, extra=extra, **models)
            return record_episode(self._dataset, self._hardware, start)

        return opened


class _Recording:
    """One sibling's file, opened with its first step."""

    def __init__(self, opened: Callable[[Task], RecordedEpisode]) -> None:
        self._opened = opened
        self._file: RecordedEpisode | None = None

    def add(self, step: Step) -> None:
        if self._file is None:
            self._file = self._opened(step.observation.task)
        self._file.add_step(step)

    def finish(self, result: EpisodeResult) -> Iterator[Path]:
        if self._file is not None:
            yield self._file.finish(result.outcome, result.message).result()
