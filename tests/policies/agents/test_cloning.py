"""Cloning finds the demonstrator's rule, and the middle where there are two."""

from __future__ import annotations

import pytest
import torch
from sinew_policies.agents.agent import Spaces, TensorSequences
from sinew_policies.agents.cloning import Cloning, Config
from sinew_policies.agents.encoders import Vector

torch.set_num_threads(1)

SPACES = Spaces({"state": (3,)}, 2)
RULE = torch.tensor([[0.3, -0.2], [0.1, 0.4], [-0.3, 0.1]])


def make(config: Config) -> Cloning:
    return Cloning(config, SPACES, Vector("state", torch.zeros(3), torch.ones(3)), 0)


def demonstrated(generator: torch.Generator, rows: int) -> TensorSequences:
    state = torch.rand(rows, 3, generator=generator) * 2 - 1
    return TensorSequences({"state": state}, (state @ RULE)[:, None], torch.ones(rows, 1, dtype=torch.bool))


@pytest.mark.parametrize("loss", ["huber", "mse"])
def test_a_linear_policy_is_recovered(loss: str) -> None:
    agent = make(Config(hidden=(64, 64), loss=loss, learning_rate=3e-3))  # type: ignore[arg-type]
    generator = torch.Generator().manual_seed(0)
    for _ in range(600):
        agent.update(demonstrated(generator, 128))
    fresh = demonstrated(generator, 500)
    error = (agent.act(fresh.observation, greedy=True) - fresh.actions).abs()
    assert float(error.mean()) < 0.02
    assert float(error.max()) < 0.1


def test_of_two_demonstrated_ways_it_takes_the_middle() -> None:
    agent = make(Config(hidden=(16,), loss="mse", learning_rate=1e-2))
    state = torch.zeros(2, 3)
    actions = torch.tensor([[0.8, 0.0], [-0.8, 0.0]])[:, None]
    for _ in range(200):
        agent.update(TensorSequences({"state": state}, actions, torch.ones(2, 1, dtype=torch.bool)))
    assert agent.act({"state": state}, greedy=True).abs().max() < 0.05


def test_the_huber_loss_follows_the_many_and_the_square_gives_in_to_the_stray() -> None:
    state, actions = torch.zeros(10, 3), torch.zeros(10, 1, 2)
    actions[0] = 1.0  # one of ten demonstrations is a slip
    answers = {}
    for loss in ("huber", "mse"):
        agent = make(Config(hidden=(16,), loss=loss, corner=0.02, learning_rate=1e-2))  # type: ignore[arg-type]
        for _ in range(300):
            agent.update(TensorSequences({"state": state}, actions, torch.ones(10, 1, dtype=torch.bool)))
        answers[loss] = float(agent.act({"state": state}, greedy=True).mean())
    assert answers["huber"] < 0.02
    assert answers["mse"] == pytest.approx(0.1, abs=0.02)
