"""A gripper decided by a critic of its own over close, hold and open (Luo et al. 2024, HIL-SERL).

Double DQN (van Hasselt et al. 2016): the network chooses the next command, the target network values it.
A command that flips the gripper costs a penalty, so that it does not chatter; the arm's critics never
see that penalty, nor the gripper's command.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Generator, Tensor, nn

from sinew_policies.agents.agent import Observations, Spaces
from sinew_policies.agents.gradients import Activation
from sinew_policies.agents.networks import Mlp

COMMANDS = torch.tensor([-1.0, 0.0, 1.0])  # close, hold, open
CLOSE, OPEN = 0, 2


@dataclass(frozen=True, slots=True)
class GripperConfig:
    """What a flip costs, where the observation tells the gripper's opening, and how a command is chosen."""

    penalty: float = 0.02  # SUBTRACTED from the reward when the command flips the gripper
    column: str = "state"  # of the observation, (b, d)
    index: int = -1  # in that column
    open_above: float = 0.5  # in the column's unit: the gripper counts as open above it
    temperature: float = 0.0  # of the softmax that a sampling policy draws from; 0 takes the best command

    def __post_init__(self) -> None:
        """Check the signs: a negative penalty would reward chattering."""
        if self.penalty < 0 or self.temperature < 0:
            raise ValueError(
                f"gripper: penalty (which is subtracted) and temperature must not be negative, got "
                f"{self.penalty} and {self.temperature}."
            )

    def check(self, spaces: Spaces) -> None:
        """Raise ValueError where the observation does not hold the gripper's opening."""
        shape = spaces.observation.get(self.column, ())
        if len(shape) != 1 or not -shape[0] <= self.index < shape[0]:
            raise ValueError(
                f"gripper: no entry {self.index} of a column '{self.column}' in the observation; there are "
                + ", ".join(f"{name} {tuple(of)}" for name, of in spaces.observation.items())
            )
        if spaces.action < 2:
            raise ValueError("gripper: expected an action of the arm's entries and, last, the gripper's.")


class GripperCritic(nn.Module):
    """Values (b, 3) of the three commands, from features (b, f), with the target network beside it."""

    def __init__(
        self,
        config: GripperConfig,
        features: int,
        hidden: Sequence[int],
        generator: Generator,
        *,
        activation: Activation = "relu",
        layer_norm: bool = False,
    ) -> None:
        super().__init__()
        self._config = config
        sizes = (features, *hidden, len(COMMANDS))
        self.network = Mlp(sizes, generator, activation=activation, layer_norm=layer_norm)
        self.target = Mlp(sizes, generator, activation=activation, layer_norm=layer_norm)
        self.target.load_state_dict(self.network.state_dict())
        self.target.requires_grad_(False)

    def forward(self, features: Tensor) -> Tensor:
        """Return the values (b, 3) of close, hold and open."""
        values: Tensor = self.network(features)
        return values

    def loss(
        self,
        features: Tensor,
        next_features: Tensor,
        observation: Observations,
        command: Tensor,
        reward: Tensor,
        discount: Tensor,
    ) -> Tensor:
        """Return the mean squared error of the executed commands' values; all but features are (b,)."""
        chosen = command_index(command)
        opening = observation[self._config.column][:, self._config.index]
        cost = self._config.penalty * flips(chosen, opening > self._config.open_above)
        with torch.no_grad():
            best = self.network(next_features).argmax(-1, keepdim=True)
            target: Tensor = reward - cost + discount * self.target(next_features).gather(1, best)[:, 0]
        values: Tensor = self.network(features).gather(1, chosen[:, None])[:, 0]
        return (values - target).square().mean()

    def command(self, features: Tensor, *, greedy: bool, generator: Generator) -> Tensor:
        """Return a command (b, 1) of -1, 0 or 1 a row."""
        values: Tensor = self.network(features)
        if greedy or self._config.temperature == 0:
            index = values.argmax(-1, keepdim=True)
        else:
            chances = (values / self._config.temperature).softmax(-1)
            index = torch.multinomial(chances, 1, generator=generator)
        return COMMANDS[index]


def command_index(command: Tensor) -> Tensor:
    """Return which command (b,) a stored number (b,) was: the nearest."""
    return command.round().clamp(-1, 1).long() + 1


def flips(index: Tensor, is_open: Tensor) -> Tensor:
    """Return 1.0 where the command changes the gripper's state, else 0.0; all (b,)."""
    return torch.where(is_open, index == CLOSE, index == OPEN).float()
