"""The replay buffer: episodes come in step by step, random transitions and sequences come out."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Self

import numpy as np

from sinew_data.replay.batch import Batch, Sequences, empty_batch, empty_observation
from sinew_data.replay.checks import checked_array, checked_observation, checked_reward, checked_sampling
from sinew_data.replay.description import FORMAT, SCHEMA, VERSION, Description
from sinew_data.replay.errors import ReplayError
from sinew_data.replay.gather import gather
from sinew_data.replay.layout import (
    ACTION,
    ADDED,
    BEGIN,
    FLAGS,
    INTERVENTIONS,
    PERSON,
    REWARD,
    TERMINATED,
    TRUNCATED,
    AnyArray,
    fields,
    observation_field,
)
from sinew_data.replay.mapped import create_mapped, open_mapped
from sinew_data.replay.ring import Ring, view
from sinew_data.replay.sampling import draw, fill, follow, observation_copies
from sinew_data.replay.schema import Column, Schema, differences
from sinew_data.replay.storage import MemoryStorage, Storage

SHARE, LEAST = 32, 64  # spare slots: a 32nd of the capacity, and no fewer than this


class ReplayBuffer:
    """Keeps the newest `capacity` observations (an episode of n steps has n + 1) and samples among them.

    An episode that has no end yet can be sampled as far as it goes. One that was broken off (by the next
    `begin`, or because its process was killed) counts as truncated at its last observation. One thread
    may add while another one samples. Every fault is a ReplayError, and changes nothing.
    """

    def __init__(self, description: Description, storage: Storage, name: str) -> None:
        self.schema, self.capacity = description.schema, description.capacity
        self._name = name
        self._storage: Storage | None = storage
        self._lock = threading.Lock()  # rows are not written over while they are gathered
        self._running = False  # an episode has begun and not ended
        self._added = self._interventions = 0
        self._action = Column((description.schema.action,), "float32")
        self._batch: Batch | None = None
        self._observation: dict[str, AnyArray] = {}
        self._count()

    @classmethod
    def create(
        cls, folder: Path | None, schema: Schema, capacity: int, *, spare: int | None = None
    ) -> ReplayBuffer:
        """Make an empty buffer in a folder that is empty or not there; None: in memory.

        `spare` is how many rows beyond the capacity are kept for `keep`.
        """
        room = max(LEAST, capacity // SHARE) if spare is None else spare
        description = Description(FORMAT, VERSION, capacity, room, schema)
        if folder is None:
            return cls(description, MemoryStorage(fields(schema), description.slots), "replay in memory")
        return cls(description, create_mapped(folder, description), str(folder))

    @classmethod
    def open(cls, folder: Path, schema: Schema | None = None) -> ReplayBuffer:
        """Open a folder to go on; with a schema, only if it holds exactly that."""
        description, storage = open_mapped(folder)
        wrong = [] if schema is None else differences(description.schema, schema)
        if wrong:
            storage.close()
            raise ReplayError(f"{folder / SCHEMA}: {'; '.join(wrong)}.")
        return cls(description, storage, str(folder))

    @classmethod
    def open_or_create(
        cls, folder: Path | None, schema: Schema, capacity: int, *, spare: int | None = None
    ) -> ReplayBuffer:
        """Open a folder if it holds a buffer, or make one; another capacity there is an error."""
        if folder is None or not (folder / SCHEMA).exists():
            return cls.create(folder, schema, capacity, spare=spare)
        buffer = cls.open(folder, schema)
        if buffer.capacity != capacity:
            buffer.close()
            raise ReplayError(
                f"{folder / SCHEMA}: capacity is {buffer.capacity} there, {capacity} was asked for."
            )
        return buffer

    def __len__(self) -> int:
        """Return how many transitions can be sampled."""
        ring = self._view()
        return ring.value(ADDED, ring.rows - 1) - ring.value(ADDED, ring.first) if ring.rows else 0

    @property
    def added(self) -> int:
        """How many transitions were ever added, but for those taken back by `keep`."""
        return self._added

    @property
    def interventions(self) -> int:
        """How many of these were a person's."""
        return self._interventions

    @property
    def newest(self) -> dict[str, AnyArray]:
        """Return a copy of the newest observation."""
        ring = self._view()
        if not ring.rows:
            raise ReplayError(f"{self._name}: is empty; it has no newest observation.")
        slot = (ring.rows - 1) % ring.slots
        return {name: ring.arrays[observation_field(name)][slot].copy() for name in self.schema.observation}

    def newest_episode(self) -> list[dict[str, AnyArray]]:
        """Return copies of the newest episode's rows, from the one that it began with on, as far as kept."""
        ring = self._view()
        first = ring.rows - 1
        while first > ring.first and not ring.value(FLAGS, first) & BEGIN:
            first -= 1
        return [ring.row(row) for row in range(max(first, 0), ring.rows)]

    def begin(self, observation: Mapping[str, AnyArray]) -> None:
        """Start an episode by its first observation."""
        row = checked_observation(self.schema, observation)
        nothing = np.zeros(self._action.shape, np.float32), np.zeros((), np.float32)
        with self._lock:
            self._append(row, *nothing, BEGIN)
            self._running = True

    def add(
        self,
        action: AnyArray,
        reward: float,
        observation: Mapping[str, AnyArray],
        *,
        terminated: bool = False,
        truncated: bool = False,
        intervention: bool = False,
    ) -> None:
        """Add a step: the action (a,) as it was executed, its reward, and the observation after it.

        `terminated` says that nothing comes after it by the task's nature (success), `truncated` that the
        episode was only cut off (time is over). Either ends the episode.
        """
        if not self._running:
            raise ReplayError(f"{self._name}: add: no episode is running; begin(observation) starts one.")
        row = checked_observation(self.schema, observation)
        flags = terminated * TERMINATED | truncated * TRUNCATED | intervention * PERSON
        led = checked_array("action", action, self._action), checked_reward(reward)
        with self._lock:
            self._append(row, *led, flags)
            self._running = not (terminated or truncated)

    def keep(self, added: int) -> None:
        """Go back to the moment right after that many transitions had been added; no episode is running.

        Sampling is then what it was. ReplayError if there were never so many, or if rows that were there
        at that moment have been written over: more than `spare` came since then.
        """
        storage = self._ready()
        whole = view(storage, storage.slots)
        if not 0 <= added <= self._added:
            raise ReplayError(f"{self._name}: keep({added}): {self._added} transitions were ever added.")
        rows = int(whole.find(np.array(added))) + 1 if added else 0
        if whole.first > max(0, rows - self.capacity):
            raise ReplayError(
                f"{self._name}: keep({added}): {self._added} were added, and some of what was there then is "
                f"written over. Up to {storage.slots - self.capacity - 1} rows can be taken back: "
                "raise `spare`, or save more often."
            )
        with self._lock:
            storage.retract(rows)
            self._running = False
            self._count()

    def sample(self, rng: np.random.Generator, size: int, *, n_step: int = 1, discount: float = 1.0) -> Batch:
        """Return random transitions, valid until the next call."""
        if self._batch is None or len(self._batch.reward) != size:
            checked_sampling(size, n_step, discount)
            self._batch = empty_batch(self.schema, size)
        self.fill(self._batch, rng, n_step=n_step, discount=discount)
        return self._batch

    def fill(self, batch: Batch, rng: np.random.Generator, *, n_step: int = 1, discount: float = 1.0) -> None:
        """Fill a batch of the caller's with random transitions."""
        checked_sampling(len(batch.reward), n_step, discount)
        with self._lock:
            ring = self._sampled()
            gather(fill(ring, draw(ring, rng, len(batch.reward)), n_step, discount, batch))

    def sample_sequences(self, rng: np.random.Generator, size: int, horizon: int) -> Sequences:
        """Return random observations with the `horizon` actions from there on, valid until the next call."""
        checked_sampling(size, horizon, 1.0)
        if any(len(array) != size for array in self._observation.values()) or not self._observation:
            self._observation = empty_observation(self.schema, size)
        with self._lock:
            ring = self._sampled()
            starts = draw(ring, rng, size)
            gather(observation_copies(ring, starts, self._observation))
            return Sequences(self._observation, *follow(ring, starts, horizon))

    def flush(self) -> None:
        """Make all that was added last over a power cut; a kill loses nothing anyway."""
        self._ready().flush()

    def close(self) -> None:
        """Flush and release the folder; nothing else can be asked of the buffer then."""
        if self._storage is None:
            return
        with self._lock:
            storage, self._storage = self._storage, None
        try:
            storage.flush()
        finally:
            storage.close()

    def __enter__(self) -> Self:
        """Return the buffer."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close it."""
        self.close()

    def _append(
        self, observation: dict[str, AnyArray], action: AnyArray, reward: AnyArray, flags: int
    ) -> None:
        added = self._added + (not flags & BEGIN)
        interventions = self._interventions + bool(flags & PERSON)
        row = {
            **observation,
            ACTION: action,
            REWARD: reward,
            FLAGS: np.array(flags, np.uint8),
            ADDED: np.array(added, np.int64),
            INTERVENTIONS: np.array(interventions, np.int64),
        }
        self._ready().append(row)
        self._added, self._interventions = added, interventions

    def _ready(self) -> Storage:
        if self._storage is None:
            raise ReplayError(f"{self._name}: is closed.")
        return self._storage

    def _view(self) -> Ring:
        return view(self._ready(), self.capacity)

    def _sampled(self) -> Ring:
        ring = self._view()
        if not len(self):
            raise ReplayError(f"{self._name}: has no transitions to sample.")
        return ring

    def _count(self) -> None:
        ring = self._view()
        last = ring.rows - 1
        self._added = ring.value(ADDED, last) if ring.rows else 0
        self._interventions = ring.value(INTERVENTIONS, last) if ring.rows else 0
