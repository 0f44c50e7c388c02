"""What a learning agent is: its protocol, its spaces, and the batches that it learns from."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol, TypeVar, runtime_checkable

import numpy as np
import numpy.typing as npt
import torch
from sinew_core.errors import ConfigError
from torch import Generator, Tensor, nn

Observations = Mapping[str, Tensor]  # (b, ...) float32 vectors, uint8 images (b, h, w, 3)
Array = npt.NDArray[Any]
Learnt_contra = TypeVar("Learnt_contra", contravariant=True)  # TensorBatch or TensorSequences


class AgentError(ConfigError, ValueError):
    """A batch, a checkpoint or a configuration that the agent cannot use; the text says which and why."""


@dataclass(frozen=True, slots=True)
class Spaces:
    """Shapes of one observation's columns, and the length of the action vector."""

    observation: Mapping[str, tuple[int, ...]]
    action: int

    def __post_init__(self) -> None:
        """Check that there is something to act with."""
        if self.action < 1:
            raise AgentError(f"spaces: action is {self.action}; expected at least 1")


class Encoder(nn.Module):
    """Observations -> features (b, features); what is in it that has parameters is trained by the critics."""

    features: int

    def forward(self, observation: Observations) -> Tensor:
        """Return the features (b, features), float32."""
        raise NotImplementedError

    def augment(self, observation: Observations, generator: torch.Generator) -> Observations:
        """Return it changed as images may be in training; every update calls this, acting never does."""
        del generator
        return observation


@dataclass(frozen=True, slots=True)
class TensorBatch:
    """Transitions, as replay gives them; all of the same leading length b."""

    observation: Observations
    action: Tensor  # (b, a) float32 in [-1, 1], as executed
    reward: Tensor  # (b,) float32, discounted sum over the steps that there are
    next_observation: Observations
    discount: Tensor  # (b,) float32: discount^m, 0 where the episode terminated within
    intervention: Tensor  # (b,) bool: a person acted in the first step
    demonstration: Tensor  # (b,) bool: the row is a demonstration's

    def rows(self, choice: slice) -> TensorBatch:
        """Return a view of those rows."""
        return TensorBatch(
            {name: column[choice] for name, column in self.observation.items()},
            self.action[choice],
            self.reward[choice],
            {name: column[choice] for name, column in self.next_observation.items()},
            self.discount[choice],
            self.intervention[choice],
            self.demonstration[choice],
        )


@dataclass(frozen=True, slots=True)
class TensorSequences:
    """Observations with the actions that followed; `valid` is False past an episode's end."""

    observation: Observations  # (b, ...)
    actions: Tensor  # (b, h, a) float32 in [-1, 1]
    valid: Tensor  # (b, h) bool


@runtime_checkable
class Agent(Protocol[Learnt_contra]):
    """A learner with the policy that it learns.

    `tensors()` is everything that an exact resume needs: after `load(tensors())` the same batches give
    the same numbers, bit by bit. `policy_tensors()` is what acting needs: published and shipped.
    """

    horizon: int  # actions per answer

    def update(self, batch: Learnt_contra) -> dict[str, float]:
        """Learn from a batch: one environment step's worth. Metrics, or {} between two reports of them."""

    def act(self, observation: Observations, *, greedy: bool) -> Tensor:
        """Return actions (b, horizon, a) in [-1, 1], without gradients."""

    def policy_tensors(self) -> dict[str, Tensor]:
        """Return copies of what acting needs; AgentError where one is not finite."""

    def load_policy(self, tensors: Mapping[str, Tensor]) -> None:
        """Take what `policy_tensors` gave; AgentError for a missing or extra name or another shape."""

    def tensors(self) -> dict[str, Tensor]:
        """Return copies of everything: networks, optimiser, random generators, counts."""

    def load(self, tensors: Mapping[str, Tensor]) -> None:
        """Take what `tensors` gave; AgentError as in `load_policy`, and then nothing has changed."""


class ReplayBatch(Protocol):
    """What replay's batch looks like from here (numpy)."""

    @property
    def observation(self) -> Mapping[str, Array]: ...  # noqa: D102
    @property
    def action(self) -> Array: ...  # noqa: D102
    @property
    def reward(self) -> Array: ...  # noqa: D102
    @property
    def next_observation(self) -> Mapping[str, Array]: ...  # noqa: D102
    @property
    def discount(self) -> Array: ...  # noqa: D102
    @property
    def intervention(self) -> Array: ...  # noqa: D102


class ReplaySequences(Protocol):
    """What replay's sequences look like from here (numpy)."""

    @property
    def observation(self) -> Mapping[str, Array]: ...  # noqa: D102
    @property
    def actions(self) -> Array: ...  # noqa: D102
    @property
    def valid(self) -> Array: ...  # noqa: D102


def to_tensors(batch: ReplayBatch, demonstrations: int = 0) -> TensorBatch:
    """Return the batch as tensors on the same memory; its last `demonstrations` rows are marked as such."""
    mark = torch.zeros(len(batch.reward), dtype=torch.bool)
    mark[len(mark) - demonstrations :] = True
    return TensorBatch(
        _columns(batch.observation),
        _tensor(batch.action),
        _tensor(batch.reward),
        _columns(batch.next_observation),
        _tensor(batch.discount),
        _tensor(batch.intervention),
        mark,
    )


def to_sequences(sequences: ReplaySequences) -> TensorSequences:
    """Return the sequences as tensors on the same memory."""
    return TensorSequences(
        _columns(sequences.observation), _tensor(sequences.actions), _tensor(sequences.valid)
    )


def _columns(columns: Mapping[str, Array]) -> dict[str, Tensor]:
    return {name: _tensor(column) for name, column in columns.items()}


def _tensor(array: Array) -> Tensor:
    # torch has no read-only tensors: a read-only array is copied, anything else is shared.
    return torch.from_numpy(array if array.flags.writeable else np.array(array))


def make_generators(seed: int, count: int) -> list[Generator]:
    """Return generators whose streams have nothing to do with one another, all from one seed."""
    root = Generator().manual_seed(seed)
    seeds = torch.randint(2**62, (count,), generator=root).tolist()
    return [Generator().manual_seed(each) for each in seeds]


def check_batch(batch: TensorBatch, spaces: Spaces) -> None:
    """Raise AgentError where the batch is of other columns or shapes than the spaces say."""
    rows = len(batch.reward)
    for place, columns in (
        ("observation", batch.observation),
        ("next_observation", batch.next_observation),
    ):
        for name, shape in spaces.observation.items():
            if name not in columns:
                raise AgentError(
                    f"batch: {place} has no column {name}; it has {', '.join(columns) or 'none'}"
                )
            if columns[name].shape != (rows, *shape):
                given = tuple(columns[name].shape)
                raise AgentError(f"batch: {place} {name} has shape {given}, expected {(rows, *shape)}")
    if batch.action.shape != (rows, spaces.action):
        given = tuple(batch.action.shape)
        raise AgentError(f"batch: action has shape {given}, expected {(rows, spaces.action)}")
