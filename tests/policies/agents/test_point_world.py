"""Every agent that learns from transitions solves a small control problem, from start to end."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
import torch
from sinew_data.replay import Mixture, ReplayBuffer
from sinew_policies.agents.agent import Agent, TensorBatch, to_tensors
from sinew_policies.agents.hl_gauss import HlGauss
from sinew_policies.agents.iql import Config as IqlConfig
from sinew_policies.agents.iql import Iql
from sinew_policies.agents.rlpd import Config as RlpdConfig
from sinew_policies.agents.rlpd import Rlpd
from sinew_policies.agents.sac import Sac
from sinew_policies.agents.sac_config import Config as SacConfig
from worlds import Floats, PointWorld, plain, point_buffer, run_episode, spaces, success

SPACES = spaces(2, 2)
QUICK = {"hidden": (64, 64), "learning_rate": 1e-3, "alpha": 0.1, "tau": 0.02}


def acting(agent: Agent[TensorBatch], *, greedy: bool) -> Callable[[Floats], Floats]:
    def act(state: Floats) -> Floats:
        action = agent.act({"state": torch.from_numpy(state)[None]}, greedy=greedy)
        answer: Floats = action[0, 0].numpy()
        return answer

    return act


def clumsy(rng: np.random.Generator) -> Callable[[Floats], Floats]:
    """A demonstrator that goes to the middle with a trembling hand."""

    def act(state: Floats) -> Floats:
        return np.clip(-2 * state + rng.normal(0, 0.7, 2), -1, 1).astype(np.float32)

    return act


def demonstrations(episodes: int) -> ReplayBuffer:
    buffer, world, demonstrator = point_buffer(), PointWorld(7), clumsy(np.random.default_rng(7))
    for _ in range(episodes):
        run_episode(world, demonstrator, buffer)
    return buffer


ONLINE: dict[str, Callable[[], Agent[TensorBatch]]] = {
    "sac": lambda: Sac(SacConfig(**QUICK), SPACES, plain(2), 0),
    "sac-histogram": lambda: Sac(SacConfig(**QUICK, hl_gauss=HlGauss(-3, 2, bins=51)), SPACES, plain(2), 0),
    "rlpd": lambda: Rlpd(RlpdConfig(**QUICK, critics=4, updates=2), SPACES, plain(2), 0),
}


@pytest.mark.parametrize("name", ONLINE)
def test_an_online_agent_finds_the_middle(name: str) -> None:
    agent, world, rng = ONLINE[name](), PointWorld(0), np.random.default_rng(0)
    online = point_buffer()
    replay = Mixture(online, demonstrations(5 if name == "rlpd" else 0))
    assert success(acting(agent, greedy=True)) < 0.6
    for episode in range(120):
        before = online.added
        run_episode(world, acting(agent, greedy=False), online)
        for _ in range(online.added - before):
            rows = 128 if name == "rlpd" else 64
            agent.update(to_tensors(replay.sample(rng, rows, discount=0.95), replay.demonstrated(rows)))
        if episode % 10 == 9 and success(acting(agent, greedy=True)) >= 0.9:
            return
    pytest.fail("after 120 episodes the middle is still missed")


def test_iql_does_better_than_the_hand_that_it_learnt_from() -> None:
    agent = Iql(IqlConfig(hidden=(64, 64), learning_rate=1e-3, expectile=0.8, tau=0.02), SPACES, plain(2), 0)
    buffer, rng = demonstrations(40), np.random.default_rng(0)
    for _ in range(1500):
        agent.update(to_tensors(buffer.sample(rng, 128, discount=0.95)))
    assert success(acting(agent, greedy=True)) >= 0.9
