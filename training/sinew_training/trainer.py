"""Learning while acting, in one process: an episode, then its share of updates, over and over.

Between two episodes everything that decides the next numbers is in the agent, the replay buffers and a
handful of counters, so a checkpoint there continues to the very numbers of an uninterrupted training.
Offline there are no episodes: every step is an update.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Protocol

from sinew_core.errors import ConfigError
from sinew_policies.learned.policy import ActingPolicy

from sinew_training.config import TrainConfig
from sinew_training.demonstrations import demonstrate, from_dataset
from sinew_training.evaluation import Score, evaluate
from sinew_training.learning import Learning, open_replay
from sinew_training.people import make_person
from sinew_training.provenance import provenance_of
from sinew_training.rollouts import Rollout, Rollouts
from sinew_training.run_directory import Progress, RunDirectory, load_checkpoint, save_checkpoint
from sinew_training.transitions import Gathered
from sinew_training.watching import make_watch, notice

DEMONSTRATION_SEED = 1_000_000  # first scene of the scripted demonstrations
EPISODE_SEED = 2_000_000  # first scene of training
VALIDATION_SEED = 3_000_000  # first scene that chooses the best policy
OFFLINE_ROUND = 50  # updates between two lines of progress, where there are no episodes


class Listener(Protocol):
    """Whoever shows a training's progress."""

    def demonstrated(self, episodes: int) -> None:
        """Take the number of demonstrations so far."""

    def episode(self, record: Mapping[str, Any]) -> None:
        """Take what came of an episode, or of a round of updates."""

    def evaluation(self, record: Mapping[str, Any]) -> None:
        """Take what came of an evaluation."""

    def noticed(self, finding: Mapping[str, Any]) -> None:
        """Take what is noticed about the reward."""


@dataclass(slots=True)
class Counters:
    """What a checkpoint says beside what the learning side says."""

    steps: int = 0  # decisions; offline: updates
    episodes: int = 0
    wall_s: float = 0.0
    evaluated: int = 0  # steps at the last evaluation
    best: float = -1.0  # success rate of the best policy
    budget: int = 0  # control periods that the person has left
    learning: Mapping[str, Any] = field(default_factory=dict)
    watch: Mapping[str, Any] = field(default_factory=dict)


class Trainer:
    """One training, from its beginning or from a checkpoint."""

    def __init__(self, config: TrainConfig, run: RunDirectory, listener: Listener, *, resume: bool) -> None:
        self.config, self._run, self._listener = config, run, listener
        self._started = time.monotonic()
        self._rollouts = Rollouts(config)
        self._progress = Progress(run.progress)
        hardware = self._rollouts.hardware
        encoding = self._rollouts.encoding
        replay = open_replay(run.replay, config, hardware, encoding)
        self.learning = Learning(config, replay, hardware, encoding)
        self.counters = Counters(budget=config.interventions)
        self._watch = make_watch(config.watch, self._rollouts.grader)
        if resume and run.checkpoint.is_file():
            self._go_on()
        else:
            self._begin()
        acting = self.learning.acting
        self._policy = ActingPolicy(acting, hardware, greedy=False)
        self._greedy = ActingPolicy(acting, hardware, greedy=True)
        self._person = make_person(config, self._rollouts, self.counters.budget)
        self.save()

    def train(self) -> Counters:
        """Train to the end; Ctrl-C is a KeyboardInterrupt, after which `save` keeps what was learnt."""
        c, counters = self.config, self.counters
        turn = self._offline_turn if c.offline else self._turn
        if counters.best < 0 and self.learning.cloned:
            self.assess()  # what cloning alone can do, and a policy to keep, however soon this ends
        while counters.steps < c.steps and not self._good_enough() and not self._out_of_time():
            if counters.steps - counters.evaluated >= c.evaluate_every:
                self.assess()
                continue
            turn()
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
            facts = provenance_of(c, counters.steps, counters.episodes, self.learning.updates, score.report())
            self.learning.save_policy(self._run.policy, facts)
        self._tell("evaluation", self._listener.evaluation, score.report())
        return score

    def save(self) -> None:
        """Write a checkpoint."""
        counters = self.counters
        counters.learning, counters.watch = self.learning.state(), self._watch.state()
        counters.wall_s, self._started = self._wall(), time.monotonic()
        if self._person is not None:
            counters.budget = self._person.left
        save_checkpoint(self._run.checkpoint, self.learning.tensors(), asdict(counters))
        self._saved = time.monotonic()

    def close(self) -> None:
        """Release the simulator and the replay buffers."""
        self._rollouts.close()
        self.learning.close()

    def _begin(self) -> None:
        """Take the demonstrations, and build the agent on what they look like."""
        c, rollouts, replay = self.config, self._rollouts, self.learning.replay
        for buffer in (replay.online, replay.demonstrations):
            buffer.keep(0)  # a training that was killed before its first checkpoint begins anew
        sinks, tell = [replay.demonstrations], self._listener.demonstrated
        if c.dataset:
            from_dataset(
                Path(c.dataset), rollouts.hardware, rollouts.encoding, rollouts.reward, sinks, c, tell
            )
        if c.demonstrations:
            demonstrate(rollouts, sinks, c.demonstrations, DEMONSTRATION_SEED + 10_000 * c.seed, tell)
        if c.offline and len(replay.demonstrations) == 0:
            raise ConfigError("offline learning wants demonstrations: give --dataset, or --demos above 0.")
        self.learning.begin()

    def _go_on(self) -> None:
        """Take everything from the checkpoint, and drop what came after it."""
        tensors, state = load_checkpoint(self._run.checkpoint)
        self.counters = Counters(**state)
        self.learning.load(tensors, self.counters.learning, exact=True)
        if self.counters.watch:  # trainings that began before there was one have none
            self._watch.load(self.counters.watch)
        counters = self.counters
        self._progress.keep(counters.steps, counters.evaluated if counters.best >= 0 else -1)

    def _turn(self) -> None:
        """Run an episode, and make the updates that belong to it."""
        rollout = self._act()
        news = notice(self._watch, rollout.watched)
        began, before = time.monotonic(), self.learning.updates
        metrics = self._learn(rollout.transitions)
        record = {
            "success": rollout.result.success,
            "return": rollout.total,
            "decisions": rollout.transitions,
            "interventions": rollout.interventions / max(rollout.transitions, 1),
            **self._pace(began, before),
            **self.learning.straying,
        }
        self._tell("episode", self._listener.episode, record | metrics)
        for finding in news:
            self._tell("noticed", self._listener.noticed, {"finding": finding})

    def _offline_turn(self) -> None:
        """Make some updates."""
        began, before = time.monotonic(), self.learning.updates
        metrics: dict[str, float] = {}
        for _ in range(min(OFFLINE_ROUND, self.config.steps - self.counters.steps)):
            metrics = self.learning.update() or metrics
            self.counters.steps += 1
        self._tell("updates", self._listener.episode, self._pace(began, before) | metrics)

    def _act(self) -> Rollout:
        """Run one episode; it enters the replay whole, or not at all when it was interrupted."""
        gathered, person = Gathered(), self._person
        seed = EPISODE_SEED + 100_000 * self.config.seed + self.counters.episodes
        budget = 0 if person is None else person.left
        rollout = self._rollouts.run(seed, self._policy, gathered, person)
        if rollout.result.outcome == "interrupted":
            if person is not None:
                person.left = budget
            raise KeyboardInterrupt
        if rollout.result.outcome in ("error", "refused"):
            raise ConfigError(f"episode with seed {seed}: {rollout.result.outcome}: {rollout.result.message}")
        self.learning.priced(gathered).hand_over([self.learning.replay])
        for takeover in rollout.takeovers:
            takeover.hand_over([self.learning.replay.demonstrations], without_first=True)
        if rollout.result.success and self.config.imitate:
            self.learning.replay.imitate()
        self.counters.steps += rollout.transitions
        self.counters.episodes += 1
        return rollout

    def _learn(self, decisions: int) -> dict[str, float]:
        """Make the updates that belong to so many decisions; return the last metrics."""
        metrics: dict[str, float] = {}
        demonstrated = len(self.learning.replay.demonstrations) > 0
        if not demonstrated and self.counters.steps < self.config.warm_up:
            return metrics
        self.learning.anneal(self.counters.steps)
        for _ in range(decisions):
            metrics = self.learning.update() or metrics
        return metrics

    def _pace(self, began: float, before: int) -> dict[str, float]:
        seconds = max(time.monotonic() - began, 1e-9)
        made = self.learning.updates - before
        return {"updates": self.learning.updates, "updates_per_s": round(made / seconds, 1)}

    def _tell(self, kind: str, listener: Any, figures: Mapping[str, Any]) -> None:
        counters = self.counters
        head = {
            "kind": kind,
            "steps": counters.steps,
            "episode": counters.episodes,
            "wall_s": self._wall(),
        }
        record = head | dict(figures)
        self._progress.write(record)
        listener(record)

    def _wall(self) -> float:
        return round(self.counters.wall_s + time.monotonic() - self._started, 2)

    def _good_enough(self) -> bool:
        return bool(self.config.until) and self.counters.best >= self.config.until

    def _out_of_time(self) -> bool:
        return bool(self.config.minutes) and self._wall() > 60 * self.config.minutes
