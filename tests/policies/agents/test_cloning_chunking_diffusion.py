"""What holds for every agent that learns from sequences: resume, shipping, padding, errors."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
import torch
from safetensors.torch import load, save
from sinew_policies.agents.agent import AgentError, Spaces, TensorSequences
from sinew_policies.agents.chunking import Chunking
from sinew_policies.agents.chunking import Config as ChunkingConfig
from sinew_policies.agents.cloning import Cloning
from sinew_policies.agents.cloning import Config as CloningConfig
from sinew_policies.agents.diffusion import Config as DiffusionConfig
from sinew_policies.agents.diffusion import Diffusion
from sinew_policies.agents.encoders import Concatenate, Convolutional, Vector
from sinew_policies.agents.sequences import SequenceAgent

torch.set_num_threads(1)

HORIZON, ACTION = 4, 2
SPACES = Spaces({"state": (3,), "top": (16, 16, 3)}, ACTION)
Make = Callable[[int], SequenceAgent]


def encoder(seed: int) -> Concatenate:
    camera = Convolutional("top", (16, 16, 3), seed, features=4, channels=(4, 4), shift=2)
    return Concatenate([Vector("state", torch.zeros(3), torch.ones(3)), camera])


def cloning(seed: int, action: int = ACTION) -> SequenceAgent:
    config = CloningConfig(hidden=(8,), horizon=HORIZON)
    return Cloning(config, Spaces(SPACES.observation, action), encoder(seed), seed)


def chunking(seed: int, action: int = ACTION) -> SequenceAgent:
    config = ChunkingConfig(horizon=HORIZON, style=2, width=8, heads=2, feedforward=16, dropout=0.2)
    return Chunking(config, Spaces(SPACES.observation, action), encoder(seed), seed)


def diffusion(seed: int, action: int = ACTION) -> SequenceAgent:
    config = DiffusionConfig(horizon=HORIZON, executed=3, width=16, blocks=1, steps=20, draws=5)
    return Diffusion(config, Spaces(SPACES.observation, action), encoder(seed), seed)


each = pytest.mark.parametrize("make", [cloning, chunking, diffusion])


def batch(seed: int, rows: int = 8) -> TensorSequences:
    generator = torch.Generator().manual_seed(seed)
    return TensorSequences(
        {
            "state": torch.randn(rows, 3, generator=generator),
            "top": torch.randint(0, 256, (rows, 16, 16, 3), generator=generator, dtype=torch.uint8),
        },
        torch.rand(rows, HORIZON, ACTION, generator=generator) * 2 - 1,
        torch.rand(rows, HORIZON, generator=generator) < 0.8,
    )


@each
def test_resumed_training_equals_uninterrupted_training_bit_by_bit(make: Make) -> None:
    going_on, resumed = make(0), make(1)
    for step in range(3):
        going_on.update(batch(step))
    going_on.act(batch(9).observation, greedy=False)
    resumed.load(load(save(going_on.tensors())))
    for step in range(3, 6):
        torch.rand(step)  # the global generator has no say
        assert resumed.update(batch(step)) == going_on.update(batch(step))
    look = batch(9).observation
    assert torch.equal(resumed.act(look, greedy=False), going_on.act(look, greedy=False))
    later, expected = resumed.tensors(), going_on.tensors()
    assert later.keys() == expected.keys()
    assert all(torch.equal(later[name], expected[name]) for name in expected)


@each
def test_the_seed_decides_everything(make: Make) -> None:
    reports = []
    for _ in range(2):
        agent = make(3)
        reports.append([agent.update(batch(step)) for step in range(2)])
        torch.rand(5)
    assert reports[0] == reports[1]
    assert make(4).update(batch(0)) != reports[0][0]


@each
def test_a_shipped_policy_acts_as_its_agent(make: Make) -> None:
    agent, shipped = make(0), make(1)
    for step in range(3):
        agent.update(batch(step))
    shipped.load_policy(load(save(agent.policy_tensors())))
    look = batch(9).observation
    assert torch.equal(shipped.act(look, greedy=True), agent.act(look, greedy=True))


@each
def test_an_answer_has_the_agents_horizon_and_lies_within_the_action_range(make: Make) -> None:
    agent = make(0)
    for greedy in (True, False):
        chunk = agent.act(batch(0).observation, greedy=greedy)
        assert chunk.shape == (8, agent.horizon, ACTION)
        assert chunk.dtype == torch.float32
        assert not chunk.requires_grad
        assert bool((chunk.abs() <= 1).all())


@each
def test_the_trainer_can_tell_that_it_learns_from_sequences_and_how_long(make: Make) -> None:
    agent: object = make(0)
    assert isinstance(agent, SequenceAgent)
    assert agent.sequence == HORIZON >= agent.horizon


@each
def test_a_greedy_answer_repeats(make: Make) -> None:
    agent = make(0)
    look = batch(0).observation
    assert torch.equal(agent.act(look, greedy=True), agent.act(look, greedy=True))


@pytest.mark.parametrize("make", [cloning, chunking])  # diffusion's denoiser reads the whole noisy chunk
def test_what_stands_in_padding_changes_nothing(make: Make) -> None:
    given = batch(0)
    other = torch.where(given.valid[:, :, None], given.actions, torch.ones(()))
    assert make(0).update(given) == make(0).update(replace(given, actions=other))


@each
def test_a_batch_of_padding_alone_has_no_loss(make: Make) -> None:
    given = batch(0)
    report = make(0).update(replace(given, valid=torch.zeros_like(given.valid)))
    assert all(report[name] == 0.0 for name in ("loss", "l1") if name in report)


@each
def test_a_wrong_batch_is_named(make: Make) -> None:
    given = batch(0)
    with pytest.raises(AgentError, match=r"actions has shape \(8, 4, 3\), expected \(8, 4, 2\)"):
        make(0).update(replace(given, actions=torch.zeros(8, 4, 3)))
    with pytest.raises(AgentError, match=r"actions has shape \(8, 5, 2\), expected \(8, 4, 2\)"):
        make(0).update(replace(given, actions=torch.zeros(8, 5, 2)))
    with pytest.raises(AgentError, match=r"valid has shape \(8, 1\)"):
        make(0).update(replace(given, valid=given.valid[:, :1]))
    with pytest.raises(AgentError, match=r"no column 'top'; it has state"):
        make(0).update(replace(given, observation={"state": given.observation["state"]}))
    short = {**given.observation, "state": torch.zeros(7, 3)}
    with pytest.raises(AgentError, match=r"'state' has shape \(7, 3\), expected \(8, 3\)"):
        make(0).update(replace(given, observation=short))


@each
def test_a_loss_that_is_no_number_changes_nothing(make: Make) -> None:
    agent, given = make(0), batch(0)
    before = agent.policy_tensors()
    with pytest.raises(AgentError, match="loss is nan"):
        agent.update(replace(given, actions=torch.full_like(given.actions, np.nan)))
    after = agent.policy_tensors()
    assert all(torch.equal(before[name], after[name]) for name in before)


@each
def test_tensors_of_another_agent_are_refused_and_change_nothing(
    make: Callable[..., SequenceAgent],
) -> None:
    agent = make(0)
    before = agent.tensors()
    with pytest.raises(AgentError, match="shape"):
        agent.load(make(0, action=3).tensors())
    with pytest.raises(AgentError, match="missing"):
        agent.load_policy({})
    extra = {**agent.policy_tensors(), "surplus": torch.zeros(1)}
    with pytest.raises(AgentError, match="surplus"):
        agent.load_policy(extra)
    after = agent.tensors()
    assert all(torch.equal(before[name], after[name]) for name in before)


@pytest.mark.parametrize(
    ("make", "named"),
    [
        (lambda: CloningConfig(horizon=0), "horizon 0"),
        (lambda: CloningConfig(learning_rate=0.0), "learning_rate 0"),
        (lambda: ChunkingConfig(width=30, heads=4), "width 30"),
        (lambda: ChunkingConfig(dropout=1.0), "dropout 1.0"),
        (lambda: DiffusionConfig(horizon=4, executed=5), "executed 5"),
        (lambda: DiffusionConfig(steps=5, draws=6), "draws 6"),
        (lambda: DiffusionConfig(average=1.0), "average 1.0"),
    ],
)
def test_a_configuration_out_of_range_is_named(make: Callable[[], object], named: str) -> None:
    with pytest.raises(ValueError, match=named):
        make()


def test_the_image_encoder_learns_in_every_agent() -> None:
    for make in (cloning, chunking, diffusion):
        agent = make(0)
        before = agent.tensors()
        agent.update(batch(0))
        after = agent.tensors()
        filters = [name for name in before if name.endswith("convolutions.0.weight")]
        assert filters, make
        assert all(not torch.equal(before[name], after[name]) for name in filters), make
