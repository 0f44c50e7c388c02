"""The learning side of a training: an agent, the replay that it learns from, and what a resume needs."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch
from sinew_core.hardware import Hardware
from sinew_core.plugins import plugin_config
from sinew_data.replay import Column, Mixture, ReplayBuffer, Schema
from sinew_policies.agents.agent import Agent, to_sequences, to_tensors
from sinew_policies.agents.sequences import SequenceAgent
from sinew_policies.learned.checkpoint import Acting, Sheet, make_agent, save_acting, statistics
from sinew_policies.learned.encoding import STATE, Encoding
from sinew_policies.learned.tip_actions import ACTION, TipActionConfig
from torch import Tensor

from sinew_training.config import TrainConfig
from sinew_training.occupancy import Occupancy
from sinew_training.transitions import Gathered

LOOKED_AT, WITH_IMAGES = 4096, 256  # transitions of the demonstrations that observations are standardised by
MEAN, STD, OCCUPANCY = "mean", "std", "occupancy"
ALONE = 1e3  # times the weight of cloning, beside which what the critics say is nothing


class Learning:
    """One agent on one replay; every random number comes from generators that are saved with it.

    The agent is built when the demonstrations are there (`begin`) or from a checkpoint (`load`).
    """

    def __init__(self, config: TrainConfig, replay: Mixture, hardware: Hardware, encoding: Encoding) -> None:
        self.config, self.replay, self._robot = config, replay, hardware.robot
        self._encoding = encoding
        settings = plugin_config(config.agent, "agent")
        self.batches = int(getattr(settings, "updates", 1))  # per update call
        self._cloning = float(getattr(settings, "cloning_weight", 0.0))
        self.updates = 0
        self.agent: Agent[Any]
        self._rng = np.random.default_rng(config.seed)
        self._mean, self._std = torch.zeros(0), torch.ones(0)
        wanted = config.occupancy
        self.occupancy = None if wanted is None else Occupancy(wanted, encoding.size, config.seed)
        self.straying: dict[str, float] = {}  # what the last episode paid for that, and the divergence

    def begin(self) -> None:
        """Build the agent on what the demonstrations look like, and learn from them as configured."""
        self._mean, self._std = self._look()
        if self.occupancy is not None and len(self.replay.demonstrations) > 0:
            shown = self.replay.demonstrations.sample(self._rng, self.occupancy.config.kept)
            self.occupancy.take_base(shown.observation[STATE])
        self.agent = self._make_agent()
        self._pretrain()

    @property
    def cloned(self) -> bool:
        """Whether the actor began with what the demonstrations did."""
        return self._cloning > 0 and self.config.pretrain > 0 and len(self.replay.demonstrations) > 0

    def _pretrain(self) -> None:
        """Let an actor that can clone do so, whatever its critics say by then."""
        if not self.cloned:
            return
        self.agent.set_cloning_weight(ALONE * self._cloning, all_of_it=True)  # type: ignore[attr-defined]
        for _ in range(self.config.pretrain):
            self.update()
        self.agent.set_cloning_weight(self._cloning)  # type: ignore[attr-defined]

    @property
    def ready(self) -> bool:
        """Whether there is anything to learn from."""
        return len(self.replay.demonstrations) > 0 or len(self.replay.online) >= self.config.batch

    def update(self) -> dict[str, float]:
        """Learn once; sequence agents learn from the demonstrations, to which takeovers belong."""
        c, agent = self.config, self.agent
        size = c.batch * self.batches
        self.updates += self.batches
        if isinstance(agent, SequenceAgent):
            source = self.replay.demonstrations
            return agent.update(to_sequences(source.sample_sequences(self._rng, size, agent.sequence)))
        batch = self.replay.sample(self._rng, size, n_step=c.n_step, discount=c.discount)
        return agent.update(to_tensors(batch, self.replay.demonstrated(size)))

    def priced(self, episode: Gathered) -> Gathered:
        """Return an episode with the price of straying taken off what the policy did; a person may stray."""
        own = [i for i, step in enumerate(episode.steps) if not step[-1]]
        if self.occupancy is None or not own:
            return episode
        prices = self.occupancy.grade(np.stack([episode.steps[i][2][STATE] for i in own]))
        self.straying = {"price": float(prices.mean()), "chi2": self.occupancy.chi2()}
        steps = list(episode.steps)
        for i, price in zip(own, prices, strict=True):
            action, reward, seen, terminated, truncated, human = steps[i]
            steps[i] = action, reward - float(price), seen, terminated, truncated, human
        return Gathered(episode.first, steps)

    def anneal(self, steps: int) -> None:
        """Let the weight of cloning fall with the decisions made, where that is configured."""
        until = self.config.cloning_until
        if until and self._cloning > 0:
            weight = self._cloning * max(0.0, 1.0 - steps / until)
            self.agent.set_cloning_weight(weight)  # type: ignore[attr-defined]

    def tensors(self) -> dict[str, Tensor]:
        """Return everything of the agent that a checkpoint holds."""
        tensors = {f"agent.{name}": tensor for name, tensor in self.agent.tensors().items()}
        if self.occupancy is not None:
            tensors |= {f"{OCCUPANCY}.{name}": each for name, each in self.occupancy.tensors().items()}
        return tensors | {MEAN: self._mean, STD: self._std}

    def state(self) -> dict[str, Any]:
        """Flush the replay and return the numbers that a checkpoint holds."""
        self.replay.online.flush()
        self.replay.demonstrations.flush()
        state = {
            "updates": self.updates,
            "online": self.replay.online.added,
            "demonstrations": self.replay.demonstrations.added,
            "sampling": self._rng.bit_generator.state,
        }
        return state if self.occupancy is None else state | {OCCUPANCY: self.occupancy.state()}

    def load(self, tensors: Mapping[str, Tensor], state: Mapping[str, Any], *, exact: bool) -> None:
        """Take what a checkpoint holds; `exact` also drops the transitions that came after it."""
        self._mean, self._std = tensors[MEAN], tensors[STD]
        self.agent = self._make_agent()
        self.agent.load(_under("agent", tensors))
        if self.occupancy is not None:
            self.occupancy.load(_under(OCCUPANCY, tensors), state[OCCUPANCY])
        self.updates = state["updates"]
        self._rng.bit_generator.state = state["sampling"]
        if exact:
            self.replay.online.keep(state["online"])
            self.replay.demonstrations.keep(state["demonstrations"])

    def sheet(self, provenance: Mapping[str, Any]) -> Sheet:
        """Return what is to be said of the policy."""
        return Sheet(
            agent=self.config.agent,
            robot=self._robot.name,
            joint_names=self._robot.joint_names,
            task=self.config.task,
            observation=self._encoding.size,
            encoding=self._encoding.name,
            seeing=self.config.seeing,
            actions=self.config.actions,
            provenance=provenance,
        )

    def save_policy(self, path: Path, provenance: Mapping[str, Any]) -> None:
        """Write the policy as it acts now."""
        save_acting(path, self.sheet(provenance), self.agent.policy_tensors(), self._mean, self._std)

    def close(self) -> None:
        """Close the replay."""
        self.replay.online.close()
        self.replay.demonstrations.close()

    @property
    def acting(self) -> Acting:
        """The agent, as a policy acts with it."""
        return Acting(self.agent, self._encoding, self.config.actions)

    def _make_agent(self) -> Agent[Any]:
        c = self.config
        return make_agent(c.agent, self._encoding, self._mean, self._std, c.seed, "agent", noise=c.blur)

    def _look(self) -> tuple[Tensor, Tensor]:
        demonstrations = self.replay.demonstrations
        if len(demonstrations) == 0:
            return torch.zeros(self._encoding.size), torch.ones(self._encoding.size)
        count = WITH_IMAGES if self._encoding.images else LOOKED_AT
        batch = demonstrations.sample(np.random.default_rng(self.config.seed), count)
        return statistics(torch.from_numpy(batch.observation[STATE].copy()))


def _under(kind: str, tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Return the tensors whose names begin with a kind and a dot, without that."""
    head = f"{kind}."
    return {name.removeprefix(head): each for name, each in tensors.items() if name.startswith(head)}


def replay_schema(encoding: Encoding, actions: TipActionConfig, hardware: Hardware) -> Schema:
    """Return what a row of the replay holds, and in its tag all that its numbers depend on."""
    robot = hardware.robot
    columns = {STATE: Column((encoding.size,), "float32")}
    columns |= {camera: Column(shape, "uint8") for camera, shape in encoding.images.items()}
    tag = {
        "robot": robot.name,
        "joints": " ".join(robot.joint_names),
        "encoding": encoding.name,
        "periods": str(actions.periods),
        "control_period": str(hardware.config.control_period),
    }
    return Schema(columns, ACTION, tag)


def open_replay(
    folder: Path, config: TrainConfig, hardware: Hardware, encoding: Encoding, *, spare: int | None = None
) -> Mixture:
    """Open, or make, the two buffers of a training; ReplayError for those of another robot or layout."""
    schema = replay_schema(encoding, config.actions, hardware)
    online = ReplayBuffer.open_or_create(folder / "online", schema, config.capacity, spare=spare)
    held = ReplayBuffer.open_or_create(folder / "demonstrations", schema, config.capacity, spare=spare)
    return Mixture(online, held)
