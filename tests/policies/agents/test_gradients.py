"""The gradients that SAC and RLPD write out are those of the losses that they are meant to descend."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch
from sinew_policies.agents.hl_gauss import HlGauss
from sinew_policies.agents.rlpd import Config as RlpdConfig
from sinew_policies.agents.rlpd import Rlpd
from sinew_policies.agents.sac import Sac
from sinew_policies.agents.sac_config import Config as SacConfig
from worlds import noise_batch, plain, spaces

ROWS, STATE, ACTION = 16, 3, 2
BATCH = replace(noise_batch(ROWS, STATE, ACTION, 0), demonstration=torch.arange(ROWS) % 2 == 0)
HISTOGRAM = HlGauss(-3, 3, bins=11)


def make(name: str) -> Sac:
    if name == "rlpd":
        config = RlpdConfig(hidden=(8, 8), critics=3, cloning_weight=0.7, activation="tanh")
        return Rlpd(config, spaces(STATE, ACTION), plain(STATE), 0)
    histogram = HISTOGRAM if name == "histogram" else None
    return Sac(SacConfig(hidden=(8, 8), hl_gauss=histogram), spaces(STATE, ACTION), plain(STATE), 0)


@pytest.mark.parametrize("name", ["sac", "histogram", "rlpd"])
def test_the_actor_s_and_the_temperature_s(name: str) -> None:
    agent, features = make(name), BATCH.observation["state"]
    generator = torch.Generator()
    generator.set_state(agent._learning.get_state())
    policy = agent.actor(features)
    sample = policy.sample(generator)
    values = agent._head.mean(agent.critic(torch.cat([features, sample.action], -1)))
    climbed = values.mean(0) if name == "rlpd" else values.amin(0)
    alpha = agent.log_alpha.exp()
    loss = (alpha.detach() * sample.log_prob - climbed).mean()
    loss = loss - alpha * (sample.log_prob.detach().mean() + agent._target_entropy)
    if name == "rlpd":
        away = (policy.mode() - BATCH.action).square().sum(-1)
        loss = loss + 0.7 * away[BATCH.demonstration].mean()
    learnt = [*agent.actor.parameters(), agent.log_alpha]
    expected = torch.autograd.grad(loss, learnt)
    with torch.no_grad():
        agent._actor_step(features, BATCH, torch.zeros(ROWS))
    torch.testing.assert_close([agent._actor_optimizer.gradient(each) for each in learnt], list(expected))


@pytest.mark.parametrize("name", ["sac", "histogram", "rlpd"])
def test_the_critics(name: str) -> None:
    agent, state = make(name), BATCH.observation["state"]
    before = agent._learning.get_state()
    with torch.no_grad():
        sample = agent.actor(BATCH.next_observation["state"]).sample(agent._learning)
        after = torch.cat([BATCH.next_observation["state"], sample.action], -1)
        value = agent._head.mean(agent.target(after, members=agent._valuing())).amin(0)
        value = value - agent.log_alpha.exp() * sample.log_prob
    agent._learning.set_state(before)
    target = BATCH.reward + BATCH.discount * value
    raw = agent.critic(torch.cat([state, BATCH.action], -1))
    learnt = list(agent.critic.parameters())
    expected = torch.autograd.grad(agent._head.loss(raw, target)[0], learnt)
    with torch.no_grad():
        agent._critic_step(BATCH)
    torch.testing.assert_close([agent._critic_optimizer.gradient(each) for each in learnt], list(expected))
