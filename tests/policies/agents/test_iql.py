"""IQL against problems whose answers are known."""

from __future__ import annotations

import math

import pytest
import torch
from sinew_policies.agents.iql import Config, Iql, expectile_loss
from worlds import plain, spaces, transitions

STEP = 0.2


@pytest.mark.parametrize(
    ("expectile", "low", "high"), [(0.5, 0.499, 0.501), (0.9, 0.68, 0.80), (0.999, 0.95, 1.0)]
)
def test_an_expectile_of_a_uniform_sample(expectile: float, low: float, high: float) -> None:
    sample = torch.linspace(0, 1, 1001)
    estimates = torch.linspace(0, 1, 2001)
    losses = torch.stack([expectile_loss(sample - estimate, expectile) for estimate in estimates])
    assert low <= estimates[losses.argmin()].item() <= high


def demonstrated_ways() -> tuple[torch.Tensor, torch.Tensor, torch.Tensor, torch.Tensor, torch.Tensor]:
    """Twice from the left to the crossing and down, where nothing is, once from the right and up, to 1."""
    rows = []
    down, up = ((-1.0, 0.0), (0.0, -1.0), 0.0), ((1.0, 0.0), (0.0, 1.0), 1.0)
    for start, end, pay in (down, down, up):
        place = torch.tensor(start)
        moves = [torch.tensor([-start[0], 0.0])] * 5 + [torch.tensor([0.0, end[1]])] * 5
        for index, move in enumerate(moves):
            after = place + STEP * move
            last = index == len(moves) - 1
            rows.append((place, move, pay if last else 0.0, after, 0.0 if last else 0.9))
            place = after
    state, action, reward, after_, discount = zip(*rows, strict=True)
    return (
        torch.stack(state),
        torch.stack(action),
        torch.tensor(reward),
        torch.stack(after_),
        torch.tensor(discount),
    )


def arrives(agent: Iql) -> bool:
    """Walk from the left; the end of no demonstration that starts there."""
    place = torch.tensor([[-1.0, 0.0]])
    for _ in range(15):
        place = place + STEP * agent.act({"state": place}, greedy=True)[:, 0]
        if (place - torch.tensor([[0.0, 1.0]])).norm() < 0.25:
            return True
    return False


@pytest.mark.parametrize(("beta", "found"), [(10.0, True), (0.0, False)])
def test_a_way_that_no_demonstration_contains_is_stitched_and_cloning_misses_it(
    beta: float, found: bool
) -> None:
    """With beta 0 every action weighs alike, which is cloning."""
    generator = torch.Generator().manual_seed(0)
    config = Config(hidden=(64, 64), learning_rate=2e-3, expectile=0.9, beta=beta, tau=0.05)
    agent = Iql(config, spaces(2, 2), plain(2), 0)
    state, action, reward, after, discount = demonstrated_ways()
    for _ in range(1500):
        rows = torch.randint(len(state), (64,), generator=generator)
        near = 0.02 * torch.randn(64, 2, generator=generator)
        agent.update(
            transitions(state[rows] + near, action[rows], reward[rows], after[rows] + near, discount[rows])
        )
    assert arrives(agent) == found


def test_the_actor_s_rate_falls_to_nothing_as_a_cosine() -> None:
    agent = Iql(Config(hidden=(4,), learning_rate=1e-3, actor_updates=100), spaces(2, 1), plain(2), 0)
    rates = []
    for updates in (0, 50, 100, 200):
        agent._updates.fill_(updates)
        rates.append(agent._actor_rate())
    assert rates == pytest.approx([1e-3, 0.5e-3, 0, 0])


def test_weights_are_limited() -> None:
    config = Config(hidden=(4,), beta=1e3, metrics_every=1)
    agent = Iql(config, spaces(1, 1), plain(1), 0)
    state, action = torch.zeros(8, 1), torch.zeros(8, 1)
    with torch.no_grad():
        agent.target.biases[-1].fill_(50.0)
    metrics = agent.update(transitions(state, action, torch.ones(8), state, torch.zeros(8)))
    assert math.isfinite(metrics["actor_loss"])
    assert metrics["actor_loss"] < 1e3
