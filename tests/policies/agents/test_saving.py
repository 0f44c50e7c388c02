"""Every agent goes on exactly where it was saved, and takes nothing that does not fit."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
from sinew_policies.agents.agent import Agent, AgentError, TensorBatch
from sinew_policies.agents.encoders import Concatenate, Convolutional
from sinew_policies.agents.gripper_critic import GripperConfig
from sinew_policies.agents.hl_gauss import HlGauss
from sinew_policies.agents.iql import Config as IqlConfig
from sinew_policies.agents.iql import Iql
from sinew_policies.agents.rlpd import Config as RlpdConfig
from sinew_policies.agents.rlpd import Rlpd
from sinew_policies.agents.sac import Sac
from sinew_policies.agents.sac_config import Config as SacConfig
from worlds import noise_batch, plain, spaces

STATE, ACTION = 4, 3
Make = Callable[[int], Agent[TensorBatch]]
SPACES = spaces(STATE, ACTION)
EVERYTHING = SacConfig(
    hidden=(8, 8),
    activation="tanh",
    layer_norm=True,
    critics=3,
    hl_gauss=HlGauss(-5, 5, bins=21),
    gripper=GripperConfig(temperature=1.0),
    target_entropy=-1.0,
)
AGENTS: dict[str, Make] = {
    "sac": lambda seed: Sac(SacConfig(hidden=(8, 8)), SPACES, plain(STATE), seed),
    "sac-everything": lambda seed: Sac(EVERYTHING, SPACES, plain(STATE), seed),
    "rlpd": lambda seed: Rlpd(
        RlpdConfig(hidden=(8, 8), gripper=GripperConfig(), cloning_weight=0.1), SPACES, plain(STATE), seed
    ),
    "iql": lambda seed: Iql(IqlConfig(hidden=(8, 8), actor_updates=20), SPACES, plain(STATE), seed),
}
every_agent = pytest.mark.parametrize("make", AGENTS.values(), ids=AGENTS.keys())


def learn(agent: Agent[TensorBatch], first: int, last: int) -> None:
    for seed in range(first, last):
        agent.update(noise_batch(32, STATE, ACTION, seed))
        agent.act({"state": torch.zeros(2, STATE)}, greedy=False)


@every_agent
def test_a_resumed_agent_equals_an_uninterrupted_one_bit_by_bit(make: Make) -> None:
    whole, first, second = make(0), make(0), make(99)
    learn(whole, 0, 10)
    learn(first, 0, 5)
    second.load(first.tensors())
    learn(second, 5, 10)
    expected, given = whole.tensors(), second.tensors()
    assert expected.keys() == given.keys()
    assert [name for name in expected if not torch.equal(expected[name], given[name])] == []


@every_agent
def test_what_was_saved_does_not_change_with_further_learning(make: Make) -> None:
    agent = make(0)
    saved = agent.tensors()
    kept = {name: tensor.clone() for name, tensor in saved.items()}
    learn(agent, 0, 2)
    assert all(torch.equal(saved[name], kept[name]) for name in kept)


@every_agent
def test_another_agent_with_the_policy_acts_alike(make: Make) -> None:
    agent, other = make(0), make(1)
    learn(agent, 0, 3)
    other.load_policy(agent.policy_tensors())
    observation = {"state": torch.randn(20, STATE, generator=torch.Generator().manual_seed(0))}
    expected = agent.act(observation, greedy=True)
    assert expected.shape == (20, 1, ACTION)
    assert expected.abs().max() <= 1
    assert torch.equal(other.act(observation, greedy=True), expected)


@every_agent
def test_the_policy_is_less_than_everything(make: Make) -> None:
    agent = make(0)
    policy, everything = agent.policy_tensors(), agent.tensors()
    assert len(policy) < len(everything) / 3
    assert not any(name.startswith(("critic", "target")) for name in policy)


@every_agent
def test_a_tensor_of_another_shape_is_named_and_nothing_is_loaded(make: Make) -> None:
    agent, other = make(0), make(1)
    given = other.tensors()
    name = next(name for name in given if name.startswith("actor.") and given[name].ndim == 3)
    shape = tuple(given[name].shape)
    given[name] = given[name][:, :1]
    before = agent.tensors()
    with pytest.raises(AgentError) as error:
        agent.load(given)
    assert f"{name}: given shape {(1, 1, shape[2])}, expected {shape}" in str(error.value)
    assert all(torch.equal(before[each], tensor) for each, tensor in agent.tensors().items())


@every_agent
def test_missing_and_extra_names_are_said(make: Make) -> None:
    agent = make(0)
    given = agent.policy_tensors()
    moved = next(iter(given))
    given["stranger"] = given.pop(moved)
    with pytest.raises(AgentError, match=f"missing {moved}; not expected stranger"):
        agent.load_policy(given)


@every_agent
def test_weights_that_are_not_finite_are_not_published(make: Make) -> None:
    agent = make(0)
    given = agent.policy_tensors()
    name = next(name for name, tensor in given.items() if name.startswith("actor.") and tensor.ndim == 3)
    given[name][0, 0, 0] = torch.nan
    agent.load_policy(given)
    with pytest.raises(AgentError, match=f"{name} holds values that are not finite"):
        agent.policy_tensors()


def test_the_critics_train_the_encoder_and_the_actor_does_not() -> None:
    shape = {"state": (STATE,), "camera": (32, 32, 3)}
    eyes = Convolutional("camera", (32, 32, 3), 0, features=8, channels=(4, 4))
    both = Concatenate([plain(STATE), eyes])
    agent = Sac(SacConfig(hidden=(8,)), type(SPACES)(shape, ACTION), both, 0)
    batch = noise_batch(8, STATE, ACTION, 0)
    for columns in (batch.observation, batch.next_observation):
        assert isinstance(columns, dict)
        columns["camera"] = torch.randint(256, (8, 32, 32, 3), dtype=torch.uint8)
    before = eyes.head.weight.detach().clone()
    agent.update(batch)
    after = eyes.head.weight.detach().clone()
    assert not torch.equal(before, after)
    with torch.no_grad():
        features, _ = agent._critic_step(batch)
        trained = eyes.head.weight.detach().clone()
        agent._actor_step(features, batch, torch.zeros(len(batch.reward)))
    assert torch.equal(eyes.head.weight.detach(), trained)
