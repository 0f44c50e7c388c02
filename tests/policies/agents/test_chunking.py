"""Action chunking: the style variable, what it learns, and the ensemble over time."""

from __future__ import annotations

import math

import pytest
import torch
from sinew_policies.agents.agent import AgentError, Spaces, TensorSequences
from sinew_policies.agents.chunking import (
    Chunking,
    Config,
    StyleEncoder,
    style_divergence,
    temporal_ensemble,
)
from sinew_policies.agents.encoders import Vector

torch.set_num_threads(1)

TINY = Config(
    horizon=6,
    style=2,
    width=32,
    heads=2,
    feedforward=64,
    style_layers=1,
    encoder_layers=1,
    learning_rate=2e-3,
)


def waves(generator: torch.Generator, rows: int) -> TensorSequences:
    """Return chunks of a wave whose phase is observed."""
    phase = torch.rand(rows, 1, generator=generator) * 2 * math.pi
    times = phase + torch.arange(6) * 0.5
    actions = 0.8 * torch.stack([times.sin(), times.cos()], -1)
    state = torch.cat([phase.sin(), phase.cos()], -1)
    return TensorSequences({"state": state}, actions, torch.ones(rows, 6, dtype=torch.bool))


def make(config: Config = TINY) -> Chunking:
    return Chunking(config, Spaces({"state": (2,)}, 2), Vector("state", torch.zeros(2), torch.ones(2)), 0)


def test_the_divergence_is_zero_at_the_prior_and_the_closed_form_elsewhere() -> None:
    assert style_divergence(torch.zeros(3, 4), torch.zeros(3, 4)).tolist() == [0.0, 0.0, 0.0]
    mean, variance = torch.tensor([[1.0, -2.0]]), torch.tensor([[0.5, 3.0]])
    normal, prior = torch.distributions.Normal(mean, variance.sqrt()), torch.distributions.Normal(0.0, 1.0)
    expected = torch.distributions.kl_divergence(normal, prior).sum(-1)
    assert torch.allclose(style_divergence(mean, variance.log()), expected)


def test_a_style_encoder_that_answers_the_prior_costs_nothing() -> None:
    agent = make()
    tensors = agent.tensors()
    for name in ("styles.leave.weight", "styles.leave.bias"):
        tensors[name].zero_()
    agent.load(tensors)
    assert agent.update(waves(torch.Generator().manual_seed(0), 4))["kl"] == 0.0


def test_padding_is_not_read_by_the_style_encoder() -> None:
    styles = StyleEncoder(TINY, 2).eval()
    actions, valid = torch.randn(1, 6, 2), torch.tensor([[True, True, True, False, False, False]])
    other = actions.clone()
    other[:, 3:] = 5.0
    look = torch.randn(1, 32)
    assert torch.allclose(styles(look, actions, valid)[0], styles(look, other, valid)[0], atol=1e-6)


def test_chunks_of_a_wave_are_learnt() -> None:
    agent, generator = make(), torch.Generator().manual_seed(0)
    for _ in range(250):
        agent.update(waves(generator, 48))
    fresh = waves(generator, 200)
    chunk = agent.act(fresh.observation, greedy=True)
    assert float((chunk - fresh.actions).abs().mean()) < 0.1


def test_a_small_kl_weight_lets_the_style_tell_two_ways_apart() -> None:
    agent = make(Config(**{**_fields(TINY), "kl_weight": 0.01, "dropout": 0.0}))
    state = torch.zeros(32, 2)
    actions = torch.full((32, 6, 2), 0.7) * torch.tensor([1.0, -1.0]).repeat(16)[:, None, None]
    everything = TensorSequences({"state": state}, actions, torch.ones(32, 6, dtype=torch.bool))
    for _ in range(300):
        report = agent.update(everything)
    assert report["l1"] < 0.25  # 0.7 without a style
    drawn = agent.act({"state": torch.zeros(200, 2)}, greedy=False)[:, :, 0].mean(1)
    assert 0.2 < float((drawn > 0.3).float().mean()) < 0.8
    assert float((drawn < -0.3).float().mean()) > 0.2


def test_the_ensemble_weighs_as_the_formula_says() -> None:
    chunks = torch.zeros(3, 4, 1)
    chunks[0, 2], chunks[1, 1], chunks[2, 0] = 1.0, 10.0, 100.0  # what each says of now; oldest first
    m = 0.3
    weights = [1.0, math.exp(-m), math.exp(-2 * m)]
    expected = (weights[0] * 1 + weights[1] * 10 + weights[2] * 100) / sum(weights)
    assert float(temporal_ensemble(chunks, m)) == pytest.approx(expected, rel=1e-6)


def test_a_single_chunk_and_agreeing_chunks_pass_the_ensemble_unchanged() -> None:
    chunk = torch.randn(1, 5, 3)
    assert torch.allclose(temporal_ensemble(chunk, 0.1), chunk[0, 0])
    assert torch.allclose(temporal_ensemble(torch.full((5, 5, 2), 0.25), 0.1), torch.full((2,), 0.25))


def test_without_decay_the_ensemble_is_the_mean() -> None:
    chunks = torch.randn(2, 2, 3)
    assert torch.allclose(temporal_ensemble(chunks, 0.0), (chunks[0, 1] + chunks[1, 0]) / 2)


def test_more_chunks_than_rows_are_an_error() -> None:
    with pytest.raises(AgentError, match="5 chunks of 4 rows"):
        temporal_ensemble(torch.zeros(5, 4, 1), 0.1)


def _fields(config: Config) -> dict[str, object]:
    return {name: getattr(config, name) for name in config.__dataclass_fields__}
