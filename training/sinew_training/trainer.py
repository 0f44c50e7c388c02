"""Learning while acting, in one process: an episode, then its share of updates, over and over.

Between two episodes everything that decides the next numbers is in the agent, the replay buffers and a
handful of counters, so a checkpoint there continues to the very numbers of an uninterrupted training.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import torch
from sinew_core.errors import ConfigError
from sinew_core.plugins import plugin_config
from sinew_core.protocols import Policy
from sinew_data.replay import Column, Mixture, ReplayBuffer, Schema
from sinew_policies.agents.agent import to_tensors
from sinew_policies.learned.checkpoint import STATE, Acting, Sheet, make_agent, save_acting, statistics
from sinew_policies.learned.encoding import KeypointEncoding
from sinew_policies.learned.policy import ActingPolicy
from sinew_policies.learned.tip_actions import ACTION

from sinew_training.config import TrainConfig
from sinew_training.demonstrations import demonstrate, from_dataset
from sinew_training.evaluation import Score, evaluate
from sinew_training.people import make_person
from sinew_training.provenance import provenance_of
from sinew_training.rollouts import Rollout, Rollouts
from sinew_training.run_directory import Progress, RunDirectory, load_checkpoint, save_checkpoint
from sinew_training.transitions import Gathered

DEMONSTRATION_SEED = 1_000_000  # first scene of the scripted demonstrations
EPISODE_SEED = 2_000_000  # first scene of training
VALIDATION_SEED = 3_000_000  # first scene that chooses the best policy


class Listener(Protocol):
    """Whoever shows a training's progress."""

    def demonstrated(self, episodes: int) -> None:
        """Take the number of demonstrations so far."""

    def episode(self, record: Mapping[str, Any]) -> None:
        """Take what came of an episode."""

    def evaluation(self, record: Mapping[str, Any]) -> None:
        """Take what came of an evaluation."""


@dataclass(slots=True)
class Counters:
    """What a checkpoint says beside the tensors."""

    steps: int = 0  # decisions
    episodes: int = 0
    updates: int = 0
    wall_s: float = 0.0
    evaluated: int = 0  # steps at the last evaluation
    best: float = -1.0  # success rate of the best policy
    budget: int = 0  # control periods that the person has left
    online: int = 0  # transitions in the replay buffers
    demonstrations: int = 0
    sampling: Mapping[str, Any] = field(default_factory=dict)  # state of the generator


class Trainer:
    """One training, from its beginning or from a checkpoint."""

    def __init__(self, config: TrainConfig, run: RunDirectory, listener: Listener, *, resume: bool) -> None:
        self.config, self._run, self._listener = config, run, listener
        self._started = time.monotonic()
        self._rng = np.random.default_rng(config.seed)
        self._batches = int(getattr(plugin_config(config.agent, "agent"), "updates", 1))  # per decision
        self._rollouts = Rollouts(config)
        self._progress = Progress(run.progress)
        self._replay = _open_replay(run, config, self._rollouts)
        self.counters = Counters(budget=config.interventions)
        if not resume or not run.checkpoint.is_file():
            self._begin()
        else:
            self._go_on()
        acting = Acting(self.agent, config.actions)
        self._policy = ActingPolicy(acting, self._rollouts.hardware, greedy=False)
        self._greedy = ActingPolicy(acting, self._rollouts.hardware, greedy=True)
        self._person = make_person(config, self._rollouts, self.counters.budget)
        self.save()

    def train(self) -> Counters:
        """Train to the end, or until Ctrl-C, which leaves a checkpoint; KeyboardInterrupt goes on."""
        c, counters = self.config, self.counters
        while counters.steps < c.steps and not self._out_of_time():
            if counters.steps - counters.evaluated >= c.evaluate_every:
                self.assess()
            rollout = self._act()
            began, before = time.monotonic(), counters.updates
            metrics = self._learn(rollout.transitions)
            pace = (counters.updates - before) / max(time.monotonic() - began, 1e-9)
            self._report(rollout, {**metrics, "updates_per_s": round(pace, 1)})
            if time.monotonic() - self._saved > c.checkpoint_every:
                self.save()
        if counters.evaluated < counters.steps:
            self.assess()
        self.save()
        return counters

    def assess(self) -> Score:
        """Measure the greedy policy; keep it if it is the best so far."""
        c, counters = self.config, self.counters
        score = evaluate(self._rollouts, self._greedy, VALIDATION_SEED, c.evaluation_episodes)
        counters.evaluated = counters.steps
        if score.rate >= counters.best:
            counters.best = score.rate
            self._save_policy(score)
        record = {"kind": "evaluation", "steps": counters.steps, "wall_s": self._wall(), **score.report()}
        self._progress.write(record)
        self._listener.evaluation(record)
        return score

    def save(self) -> None:
        """Write a checkpoint."""
        counters = self.counters
        self._replay.online.flush()
        self._replay.demonstrations.flush()
        counters.online = self._replay.online.added
        counters.demonstrations = self._replay.demonstrations.added
        counters.wall_s, self._started = self._wall(), time.monotonic()
        counters.sampling = self._rng.bit_generator.state
        if self._person is not None:
            counters.budget = self._person.left
        tensors = {f"agent.{name}": tensor for name, tensor in self.agent.tensors().items()}
        tensors |= {"mean": self._mean, "std": self._std}
        save_checkpoint(self._run.checkpoint, tensors, asdict(counters))
        self._saved = time.monotonic()

    def close(self) -> None:
        """Release the simulator and the replay buffers."""
        self._rollouts.close()
        self._replay.online.close()
        self._replay.demonstrations.close()

    def _begin(self) -> None:
        """Take the demonstrations, and build the agent on what they look like."""
        c, rollouts = self.config, self._rollouts
        for buffer in (self._replay.online, self._replay.demonstrations):
            buffer.keep(0)  # a training that was killed before its first checkpoint begins anew
        if c.dataset:
            from_dataset(
                Path(c.dataset),
                rollouts.hardware,
                rollouts.reward,
                [self._replay.demonstrations],
                c.actions,
                self._listener.demonstrated,
            )
        if c.demonstrations:
            demonstrate(
                rollouts,
                [self._replay.demonstrations],
                c.demonstrations,
                DEMONSTRATION_SEED + 10_000 * c.seed,
                self._listener.demonstrated,
            )
        self._mean, self._std = self._look(_columns(rollouts)[STATE].shape[0])
        self.agent = make_agent(c.agent, self._mean, self._std, c.seed, "agent")
        for _ in range(c.pretrain):
            self._update()

    def _look(self, size: int) -> tuple[torch.Tensor, torch.Tensor]:
        """Return what standardises observations: what demonstrations look like, or else random motion."""
        demonstrations = self._replay.demonstrations
        if len(demonstrations) == 0:
            return torch.zeros(size), torch.ones(size)
        batch = demonstrations.sample(np.random.default_rng(self.config.seed), 4096)
        return statistics(torch.from_numpy(batch.observation[STATE].copy()))

    def _go_on(self) -> None:
        """Take everything from the checkpoint, and drop what came after it."""
        tensors, state = load_checkpoint(self._run.checkpoint)
        self.counters = Counters(**state)
        self._rng.bit_generator.state = dict(self.counters.sampling)
        self._mean, self._std = tensors.pop("mean"), tensors.pop("std")
        self.agent = make_agent(self.config.agent, self._mean, self._std, self.config.seed, "agent")
        self.agent.load({name.removeprefix("agent."): tensor for name, tensor in tensors.items()})
        self._replay.online.keep(self.counters.online)
        self._replay.demonstrations.keep(self.counters.demonstrations)
        self._progress.keep(self.counters.steps)

    def _act(self) -> Rollout:
        """Run one episode; it enters the replay whole, or not at all when it was interrupted."""
        gathered = Gathered()
        seed = EPISODE_SEED + 100_000 * self.config.seed + self.counters.episodes
        policy: Policy = self._policy
        budget = None if self._person is None else self._person.left
        rollout = self._rollouts.run(seed, policy, gathered, self._person)
        if rollout.result.outcome == "interrupted":
            if self._person is not None and budget is not None:
                self._person.left = budget
            raise KeyboardInterrupt
        if rollout.result.outcome in ("error", "refused"):
            raise ConfigError(f"episode with seed {seed}: {rollout.result.outcome}: {rollout.result.message}")
        gathered.hand_over([self._replay])
        self.counters.steps += rollout.transitions
        self.counters.episodes += 1
        return rollout

    def _learn(self, decisions: int) -> dict[str, float]:
        """Make the updates that belong to so many decisions; return the last metrics."""
        metrics: dict[str, float] = {}
        if self.counters.steps < self.config.warm_up and len(self._replay.demonstrations) == 0:
            return metrics
        self._anneal()
        for _ in range(decisions):
            metrics = self._update() or metrics
        return metrics

    def _update(self) -> dict[str, float]:
        c = self.config
        size = c.batch * self._batches
        batch = self._replay.sample(self._rng, size, n_step=c.n_step, discount=c.discount)
        self.counters.updates += self._batches
        return self.agent.update(to_tensors(batch, self._replay.demonstrated(size)))

    def _anneal(self) -> None:
        c = self.config
        if c.cloning_until:
            weight = float(c.agent.get("cloning_weight", 0.0))
            left = max(0.0, 1.0 - self.counters.steps / c.cloning_until)
            self.agent.set_cloning_weight(weight * left)  # type: ignore[attr-defined]

    def _report(self, rollout: Rollout, metrics: Mapping[str, float]) -> None:
        counters = self.counters
        record = {
            "kind": "episode",
            "steps": counters.steps,
            "episode": counters.episodes,
            "success": rollout.result.success,
            "return": rollout.total,
            "decisions": rollout.transitions,
            "interventions": rollout.interventions / max(rollout.transitions, 1),
            "updates": counters.updates,
            "wall_s": self._wall(),
            **metrics,
        }
        self._progress.write(record)
        self._listener.episode(record)

    def _save_policy(self, score: Score) -> None:
        c, robot = self.config, self._rollouts.hardware.robot
        sheet = Sheet(
            agent=c.agent,
            robot=robot.name,
            joint_names=robot.joint_names,
            task=c.task,
            observation=len(self._mean),
            actions=c.actions,
            provenance=provenance_of(c, asdict(self.counters), score.report()),
        )
        save_acting(self._run.policy, sheet, self.agent.policy_tensors(), self._mean, self._std)

    def _wall(self) -> float:
        return round(self.counters.wall_s + time.monotonic() - self._started, 2)

    def _out_of_time(self) -> bool:
        return bool(self.config.minutes) and self._wall() > 60 * self.config.minutes


def _columns(rollouts: Rollouts) -> dict[str, Column]:
    return {STATE: Column((KeypointEncoding(rollouts.hardware.robot).size,), "float32")}


def _open_replay(run: RunDirectory, config: TrainConfig, rollouts: Rollouts) -> Mixture:
    robot = rollouts.hardware.robot
    tag = {"robot": robot.name, "joints": " ".join(robot.joint_names), "encoding": KeypointEncoding.name}
    schema = Schema(_columns(rollouts), ACTION, tag)
    online = ReplayBuffer.open_or_create(run.replay / "online", schema, config.capacity)
    held = ReplayBuffer.open_or_create(run.replay / "demonstrations", schema, config.capacity)
    return Mixture(online, held)
