"""Diffusion: the arithmetic of denoising, and two ways around an obstacle that stay two."""

from __future__ import annotations

import pytest
import torch
from sinew_policies.agents.agent import Spaces, TensorSequences
from sinew_policies.agents.cloning import Cloning
from sinew_policies.agents.cloning import Config as CloningConfig
from sinew_policies.agents.denoising import add_noise, cosine_schedule, denoise
from sinew_policies.agents.diffusion import Config, Diffusion
from sinew_policies.agents.encoders import Vector

torch.set_num_threads(1)

HORIZON = 8
SPACES = Spaces({"state": (1,)}, 2)


def vector() -> Vector:
    return Vector("state", torch.zeros(1), torch.ones(1))


@pytest.mark.parametrize("steps", [1, 10, 100, 1000])
def test_the_schedule_falls_from_near_one_toward_zero(steps: int) -> None:
    alpha_bar = cosine_schedule(steps)
    assert alpha_bar.shape == (steps,)
    assert bool((alpha_bar.diff() < 0).all())
    assert bool(((alpha_bar > 0) & (alpha_bar < 1)).all())
    assert float(alpha_bar[-1]) < 2e-3
    if steps >= 100:
        assert float(alpha_bar[0]) > 0.999


def test_noising_keeps_the_variance_of_what_has_variance_one() -> None:
    clean, noise = torch.randn(20_000, 1, 1), torch.randn(20_000, 1, 1)
    for share in (0.9, 0.5, 0.1):
        assert float(add_noise(clean, noise, torch.full((20_000,), share)).var()) == pytest.approx(
            1.0, abs=0.05
        )


@pytest.mark.parametrize("draws", [1, 2, 10, 50])
def test_with_the_true_noise_denoising_returns_the_clean_chunk(draws: int) -> None:
    alpha_bar = cosine_schedule(50)
    clean = torch.rand(3, 4, 2) * 2 - 1

    def true_noise(noisy: torch.Tensor, time: int) -> torch.Tensor:
        share = alpha_bar[time]
        return (noisy - share.sqrt() * clean) / (1 - share).sqrt()

    found = denoise(true_noise, torch.randn(3, 4, 2), alpha_bar, draws)
    assert torch.allclose(found, clean, atol=1e-3)


@pytest.fixture(scope="module")
def around_the_obstacle() -> Diffusion:
    """An obstacle ahead: half the demonstrations pass it on the left, half on the right."""
    config = Config(
        horizon=HORIZON, executed=HORIZON, width=64, blocks=2, steps=50, draws=20, learning_rate=2e-3
    )
    agent, generator = Diffusion(config, SPACES, vector(), 0), torch.Generator().manual_seed(0)
    for _ in range(1200):
        agent.update(_around(generator, 128))
    return agent


def test_two_ways_stay_two_and_none_is_the_middle(around_the_obstacle: Diffusion) -> None:
    state = {"state": torch.linspace(-1, 1, 400)[:, None]}
    sideways = around_the_obstacle.act(state, greedy=False)[:, 4, 1]  # abreast of the obstacle
    assert float(sideways.abs().min()) > 0.2  # the demonstrations keep 0.6
    assert float((sideways.abs() > 0.45).float().mean()) > 0.98
    assert 0.4 < float((sideways > 0).float().mean()) < 0.6


def test_a_chunk_goes_one_way_throughout(around_the_obstacle: Diffusion) -> None:
    chunk = around_the_obstacle.act({"state": torch.zeros(400, 1)}, greedy=False)[:, 1:7, 1]
    assert bool(((chunk > 0).all(1) | (chunk < 0).all(1)).all())


def test_a_greedy_answer_is_one_of_the_ways(around_the_obstacle: Diffusion) -> None:
    sideways = around_the_obstacle.act({"state": torch.zeros(1, 1)}, greedy=True)[0, 4, 1]
    assert 0.45 < float(sideways.abs()) < 0.75


def test_cloning_takes_the_middle_of_the_two_ways() -> None:
    config = CloningConfig(hidden=(32,), horizon=HORIZON, learning_rate=3e-3)
    agent, generator = Cloning(config, SPACES, vector(), 0), torch.Generator().manual_seed(0)
    for _ in range(300):
        agent.update(_around(generator, 128))
    state = {"state": torch.linspace(-1, 1, 50)[:, None]}
    assert float(agent.act(state, greedy=True)[:, 4, 1].abs().max()) < 0.25


def test_the_average_follows_the_weights_ever_more_slowly() -> None:
    config = Config(horizon=HORIZON, executed=2, width=8, blocks=1, steps=10, draws=2, learning_rate=1e-2)
    agent = Diffusion(config, SPACES, vector(), 0)
    generator = torch.Generator().manual_seed(0)
    shares = []
    for _ in range(4):
        before = agent.tensors()
        agent.update(_around(generator, 4))
        after = agent.tensors()
        name = "denoiser.leave.bias"
        moved = after[f"average.{name}"] - before[f"average.{name}"]
        gap = after[f"network.{name}"] - before[f"average.{name}"]
        shares.append(float(moved.norm() / gap.norm()))
    expected = [(1 + update) ** -0.75 for update in (1, 2, 3, 4)]
    assert shares == pytest.approx(expected, rel=1e-3)


def _around(generator: torch.Generator, rows: int) -> TensorSequences:
    """Return ways past an obstacle at the fifth step: x forward, y to one side and back."""
    side = torch.randint(0, 2, (rows, 1), generator=generator) * 2.0 - 1.0
    bow = 0.6 * torch.sin(torch.pi * torch.arange(1, HORIZON + 1) / (HORIZON + 2))
    sideways = side * bow + 0.03 * torch.randn(rows, 1, generator=generator)
    actions = torch.stack([torch.full((rows, HORIZON), 0.3), sideways], -1)
    state = torch.rand(rows, 1, generator=generator) * 2 - 1
    return TensorSequences({"state": state}, actions, torch.ones(rows, HORIZON, dtype=torch.bool))
