"""SAC against problems whose answers are known."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from sinew_data.replay import Column, ReplayBuffer, Schema
from sinew_policies.agents.agent import AgentError, TensorBatch, to_tensors
from sinew_policies.agents.gripper_critic import GripperConfig
from sinew_policies.agents.sac import Sac
from sinew_policies.agents.sac_config import Config
from worlds import noise_batch, plain, spaces, transitions

QUICK = {"hidden": (64, 64), "learning_rate": 3e-3}


def bandit(generator: torch.Generator, rows: int = 256) -> TensorBatch:
    """One step, one state: the reward is -(action - 0.3)²."""
    action = torch.rand(rows, 1, generator=generator) * 2 - 1
    state, reward = torch.zeros(rows, 1), -(action[:, 0] - 0.3).square()
    return transitions(state, action, reward, state, torch.zeros(rows))


def drawn(agent: Sac, count: int = 5000) -> torch.Tensor:
    return agent.act({"state": torch.zeros(count, 1)}, greedy=False)[:, 0, 0]


def test_the_policy_becomes_the_boltzmann_density_of_its_temperature() -> None:
    # exp(-(a - 0.3)² / alpha) is a normal density of variance alpha / 2.
    alpha = 0.02
    agent = Sac(Config(**QUICK, alpha=alpha, automatic_alpha=False), spaces(1, 1), plain(1), 0)
    generator = torch.Generator().manual_seed(0)
    for _ in range(1500):
        agent.update(bandit(generator))
    actions = drawn(agent)
    assert actions.mean().item() == pytest.approx(0.3, abs=0.03)
    assert actions.std().item() == pytest.approx(math.sqrt(alpha / 2), rel=0.15)


def test_entropy_reaches_its_target() -> None:
    config = Config(**QUICK, alpha=0.1, target_entropy=-0.5, metrics_every=20)
    agent = Sac(config, spaces(1, 1), plain(1), 0)
    generator = torch.Generator().manual_seed(0)
    metrics = [agent.update(bandit(generator)) for _ in range(1500)]
    entropies = [each["entropy"] for each in metrics if each][-10:]
    assert float(np.mean(entropies)) == pytest.approx(-0.5, abs=0.1)


@pytest.mark.parametrize(("target", "rises"), [(5.0, True), (-50.0, False)])
def test_the_temperature_rises_where_entropy_is_wanting_and_falls_where_it_abounds(
    target: float, rises: bool
) -> None:
    agent = Sac(Config(target_entropy=target, hidden=(8,)), spaces(1, 1), plain(1), 0)
    agent.update(bandit(torch.Generator().manual_seed(0)))
    assert (agent.log_alpha.item() > 0) == rises


def test_a_time_limit_is_not_an_end() -> None:
    """Reward 1 for ever, cut off every third step: the value is that of no end, 1 / (1 - 0.9)."""
    buffer = ReplayBuffer.create(None, Schema({"state": Column((1,), "float32")}, 1, {}), 300)
    rng, state = np.random.default_rng(0), {"state": np.zeros(1, np.float32)}
    for step in range(60):
        if step % 3 == 0:
            buffer.begin(state)
        buffer.add(rng.uniform(-1, 1, 1).astype(np.float32), 1.0, state, truncated=step % 3 == 2)
    config = Config(**QUICK, tau=0.05, backup_entropy=False, metrics_every=1)
    agent = Sac(config, spaces(1, 1), plain(1), 0)
    for _ in range(800):
        metrics = agent.update(to_tensors(buffer.sample(rng, 64, discount=0.9)))
    assert metrics["value"] == pytest.approx(10.0, rel=0.03)


def test_a_gripper_is_commanded_in_three_ways_and_the_arm_s_entries_stay_continuous() -> None:
    config = Config(hidden=(16,), gripper=GripperConfig(temperature=5.0))
    agent = Sac(config, spaces(3, 4), plain(3), 0)
    agent.update(noise_batch(32, 3, 4, 0))
    actions = agent.act({"state": torch.zeros(100, 3)}, greedy=False)
    assert actions.shape == (100, 1, 4)
    assert set(actions[:, 0, 3].tolist()) == {-1, 0, 1}
    assert len(set(actions[:, 0, 0].tolist())) > 90


def test_flipping_costs_the_gripper_s_critic_alone() -> None:
    batch = noise_batch(64, 3, 4, 0)
    agents = [
        Sac(Config(hidden=(16,), gripper=GripperConfig(penalty=penalty)), spaces(3, 4), plain(3), 0)
        for penalty in (0.0, 5.0)
    ]
    free, dear = (_updated(agent, batch) for agent in agents)
    changed = {name.split(".")[0] for name in free if not torch.equal(free[name], dear[name])}
    assert changed == {"gripper", "critic_adam"}
    assert all(torch.equal(free[name], dear[name]) for name in free if name.startswith("critic."))


def _updated(agent: Sac, batch: TensorBatch) -> dict[str, torch.Tensor]:
    agent.update(batch)
    return agent.tensors()


def test_a_bad_reward_is_refused_and_leaves_the_weights_as_they_were() -> None:
    agent = Sac(Config(hidden=(8,)), spaces(2, 1), plain(2), 0)
    before = agent.policy_tensors() | {"weight": agent.critic.weights[0].detach().clone()}
    batch = noise_batch(16, 2, 1, 0)
    batch.reward[3] = math.nan
    with pytest.raises(AgentError, match="critic_loss is nan"):
        agent.update(batch)
    after = agent.policy_tensors() | {"weight": agent.critic.weights[0].detach()}
    assert all(torch.equal(before[name], after[name]) for name in before)


def test_batches_of_other_spaces_are_refused_by_name() -> None:
    agent = Sac(Config(hidden=(8,)), spaces(2, 1), plain(2), 0)
    with pytest.raises(AgentError, match=r"observation state has shape \(16, 5\), expected \(16, 2\)"):
        agent.update(noise_batch(16, 5, 1, 0))
    with pytest.raises(AgentError, match=r"action has shape \(16, 3\), expected \(16, 1\)"):
        agent.update(noise_batch(16, 2, 3, 0))


def test_the_greedy_action_is_one_and_samples_differ() -> None:
    agent = Sac(Config(hidden=(8,)), spaces(2, 3), plain(2), 0)
    observation = {"state": torch.zeros(1, 2)}
    assert torch.equal(agent.act(observation, greedy=True), agent.act(observation, greedy=True))
    assert not torch.equal(agent.act(observation, greedy=False), agent.act(observation, greedy=False))


def test_some_of_the_drawn_actions_go_anywhere_and_greedy_ones_never_do() -> None:
    config = Config(hidden=(8,), log_std=(-6.0, -5.0), wander=0.25)
    agent, steady = (
        Sac(each, spaces(1, 2), plain(1), 0) for each in (config, Config(hidden=(8,), log_std=(-6.0, -5.0)))
    )
    state = {"state": torch.zeros(4000, 1)}
    mode = agent.act(state, greedy=True)[:, 0]
    assert torch.equal(mode, mode[:1].expand_as(mode))
    drawn_actions = agent.act(state, greedy=False)[:, 0]
    far = (drawn_actions - mode).abs().amax(-1) > 0.05
    assert far.float().mean().item() == pytest.approx(0.25, abs=0.03)
    anywhere = drawn_actions[far]
    assert anywhere.min().item() < -0.9
    assert anywhere.max().item() > 0.9
    assert not ((steady.act(state, greedy=False)[:, 0] - mode).abs() > 0.05).any()


@pytest.mark.parametrize("wander", [-0.1, 1.0])
def test_a_share_of_wandering_is_a_share(wander: float) -> None:
    with pytest.raises(ValueError, match="wander"):
        Config(wander=wander)
