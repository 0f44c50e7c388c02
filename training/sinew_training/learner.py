"""Learning from transitions that actors send: each exactly once, durably, and resumed after a kill.

What comes is on the disk in the inbox before it is acknowledged (`receive`, in any one thread). The
learning thread takes it into the replay and trains (`turn`). A checkpoint says which letters of the inbox
are in the replay, so whoever resumes goes back to it and takes the later ones again.

out/  as a training's directory, and
inbox/               what came since the last checkpoint
weights.safetensors  the newest policy that was published, with its JSON beside it
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path

from sinew_core.errors import ConfigError
from sinew_core.hardware import Hardware, load_hardware
from sinew_core.models import make_reward
from sinew_data.replay.layout import PERSON, TERMINATED, TRUNCATED
from sinew_policies.learned.seeing import make_encoding

from sinew_training.config import TrainConfig
from sinew_training.inbox import Inbox, Letter, Taken
from sinew_training.learner_run import LearnerConfig, LearnerCounters, open_learner_run, synced
from sinew_training.learning import Learning, open_replay, replay_schema
from sinew_training.provenance import provenance_of
from sinew_training.roster import Roster, RosterError
from sinew_training.run_directory import (
    load_checkpoint,
    save_checkpoint,
)
from sinew_training.weights import FILE, Weights, recall
from sinew_training.wire import MOST, WireError

SPARE = 8 * MOST  # rows that a resume may take back; a checkpoint is written before there are so many


@dataclass(frozen=True, slots=True)
class Receipt:
    """What is to be told to an actor."""

    actor: str
    sequence: int  # everything up to here lasts
    refusal: str = ""
    news: str = ""  # for the log


class Learner:
    """A learner in its directory. `receive` and `turn` may be called from two threads, one each."""

    def __init__(
        self, train: TrainConfig, config: LearnerConfig, out: Path, run: str, tell: Callable[[str], None]
    ) -> None:
        self._train, self._config, self._tell = train, config, tell
        self._run = open_learner_run(out, train)
        self._started = time.monotonic()
        self._hardware: Hardware = load_hardware(train.hardware)
        self._roster = Roster(config.actors, config.silence)
        spare = max(SPARE, train.capacity // 32)
        self._encoding = make_encoding(train.seeing, self._hardware)
        replay = open_replay(self._run.replay, train, self._hardware, self._encoding, spare=spare)
        self.learning = Learning(train, replay, self._hardware, self._encoding)
        self.counters = LearnerCounters(run=run)
        self._writer = ""  # whose transition was added last, and which
        self._added = 0
        self._since = 0  # rows that the replay has got since the checkpoint
        self._published: int | None = None  # calls at the last version
        try:
            self._open(run)
        except BaseException:
            self.learning.close()
            raise

    @property
    def actors(self) -> dict[str, int]:
        """Everybody of whom there is something, and up to where it lasts."""
        return self._inbox.actors

    def receive(self, letter: Letter, now: float) -> Receipt:
        """Take what an actor sent; `now` in s of a steady clock. OSError where the disk is full."""
        try:
            news = self._roster.admit(letter.actor, now)
            before = self._inbox.missing
            if letter.count:
                self._inbox.receive(letter)
            if self._inbox.missing > before:
                lost = self._inbox.missing - before
                news = f"actor {letter.actor} has lost {lost} transitions before number {letter.first}"
        except (RosterError, WireError) as error:
            return Receipt(letter.actor[:80], self._inbox.sequence(letter.actor), str(error))
        return Receipt(letter.actor, self._inbox.sequence(letter.actor), "", news)

    def turn(self) -> bool:
        """Take what has come and make an update if one is due; False if there was nothing to do."""
        took = self._take()
        due = self._due()
        if due:
            self.learning.anneal(self.counters.transitions)
            self.learning.update()
            self.counters.calls += 1
        if time.monotonic() - self._saved > self._train.checkpoint_every:
            self.save()
        return took or due

    def weights(self) -> Weights | None:
        """Return new weights if it is time for them; they are on the disk, too."""
        counters = self.counters
        before = self._published
        if before is not None and counters.calls - before < self._config.publish_every:
            return None
        self._published = counters.calls
        counters.version += 1
        facts = provenance_of(self._train, counters.transitions, 0, self.learning.updates, {})
        facts |= {"version": counters.version, "updates": self.learning.updates, "run": counters.run}
        self.learning.save_policy(self._run.path / FILE, facts)
        return recall(self._run.path)

    def save(self) -> None:
        """Write a checkpoint; the letters that are in it are deleted then."""
        counters = self.counters
        counters.learning = self.learning.state()
        counters.wall_s += time.monotonic() - self._started
        self._started = self._saved = time.monotonic()
        save_checkpoint(self._run.checkpoint, self.learning.tensors(), asdict(counters))
        synced(self._run.checkpoint)
        self._since = 0
        self._inbox.forget(counters.letter)

    def close(self) -> None:
        """Write a checkpoint, and close the replay."""
        self.save()
        self.learning.close()

    def _open(self, run: str) -> None:
        if self._run.checkpoint.is_file():
            tensors, state = load_checkpoint(self._run.checkpoint)
            self.counters = LearnerCounters(**state)
            if self.counters.run != run:
                raise ConfigError(
                    f"{self._run.path}: belongs to the run '{self.counters.run}', this is '{run}'. Give "
                    "another directory, or the run that it belongs to."
                )
            self.learning.load(tensors, self.counters.learning, exact=True)
        else:
            self._begin()
        published = recall(self._run.path)
        if published is not None:
            self.counters.version = max(self.counters.version, published.version)
        schema = replay_schema(self._encoding, self._train.actions, self._hardware)
        counters = self.counters
        self._inbox = Inbox(self._run.path / "inbox", schema, counters.letter, counters.sequences)
        self.save()

    def _begin(self) -> None:
        """Take the demonstrations and build the agent; a learner killed before its first checkpoint, too."""
        c, replay = self._train, self.learning.replay
        for buffer in (replay.online, replay.demonstrations):
            buffer.keep(0)
        sinks = [replay.demonstrations]

        def told(episodes: int) -> None:
            self._tell(f"{episodes} demonstrations")

        if c.dataset:
            from sinew_training.demonstrations import from_dataset

            reward = make_reward(c.reward, self._hardware, c.task)
            from_dataset(Path(c.dataset), self._hardware, self._encoding, reward, sinks, c, told)
        if c.demonstrations:  # a simulator, which a learner that resumes need not wait for
            from sinew_training.demonstrations import demonstrate
            from sinew_training.rollouts import Rollouts
            from sinew_training.trainer import DEMONSTRATION_SEED

            rollouts = Rollouts(c)
            try:
                demonstrate(rollouts, sinks, c.demonstrations, DEMONSTRATION_SEED + 10_000 * c.seed, told)
            finally:
                rollouts.close()
        self.learning.begin()

    def _due(self) -> bool:
        c, counters = self._train, self.counters
        demonstrated = len(self.learning.replay.demonstrations) > 0
        if not self.learning.ready or (not demonstrated and counters.transitions < c.warm_up):
            return False
        return self._config.pace == 0 or counters.calls < counters.transitions * self._config.pace

    def _take(self) -> bool:
        took = False
        while (taken := self._inbox.after(self.counters.letter)) is not None:
            if self._since + 2 * (len(taken.fragment) + 1) + MOST > SPARE:
                self.save()
            self._add(taken)
            took = True
        return took

    def _add(self, taken: Taken) -> None:
        """Add a letter's transitions to the replay, going on with its episode where it was the last one."""
        fragment, counters, replay = taken.fragment, self.counters, self.learning.replay
        rows = [
            {name: column[k] for name, column in fragment.observation.items()}
            for k in range(len(fragment) + 1)
        ]
        continues = (self._writer, self._added) == (taken.actor, taken.first - 1)
        if fragment.begins or not continues:
            replay.begin(rows[0])
        for k, row in enumerate(rows[1:]):
            flags = int(fragment.flags[k + 1])
            replay.add(
                fragment.action[k],
                float(fragment.reward[k]),
                row,
                terminated=bool(flags & TERMINATED),
                truncated=bool(flags & TRUNCATED),
                intervention=bool(flags & PERSON),
            )
        last = taken.first + len(fragment) - 1
        self._writer, self._added = ("", 0) if fragment.ends else (taken.actor, last)
        self._since += len(fragment) + 1
        if self._train.imitate and fragment.flags[-1] & TERMINATED:
            self._since += replay.imitate(longest=MOST - 1) + 1
        counters.letter = taken.number
        counters.transitions += len(fragment)
        counters.sequences[taken.actor] = last
