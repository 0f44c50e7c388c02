"""What RLPD adds to SAC."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch
from sinew_policies.agents.agent import AgentError, TensorBatch
from sinew_policies.agents.rlpd import Config, Rlpd
from sinew_policies.agents.sac_gradients import pulled_by
from worlds import noise_batch, plain, spaces, transitions

SMALL = Config(hidden=(16,), critics=4, updates=2)


def make(config: Config = SMALL) -> Rlpd:
    return Rlpd(config, spaces(3, 2), plain(3), 0)


def say_constants(agent: Rlpd, constants: list[float]) -> None:
    """Make the target critics say these numbers whatever they are asked."""
    with torch.no_grad():
        agent.target.weights[-1].zero_()
        agent.target.biases[-1].copy_(torch.tensor(constants)[:, None, None])


def next_values(agent: Rlpd, rows: int = 1) -> torch.Tensor:
    """Return what the next state counts as in a critic step (rows,)."""
    state, nothing = torch.zeros(rows, 3), torch.zeros(rows)
    batch = transitions(state, torch.zeros(rows, 2), nothing, state, nothing + 1)
    with torch.no_grad():
        return agent._critic_step(batch)[1]["target_value"]


def test_the_target_is_the_smallest_of_a_random_few() -> None:
    agent = make(replace(SMALL, critics=4, subset=2, backup_entropy=False))
    say_constants(agent, [1.0, 2.0, 3.0, 4.0])
    seen = torch.cat([next_values(agent) for _ in range(600)])
    # Of two out of four, 1 is the smallest in 3 of 6 pairs, 2 in 2, 3 in 1, 4 never.
    shares = [(seen == value).float().mean().item() for value in (1, 2, 3, 4)]
    assert shares == pytest.approx([3 / 6, 2 / 6, 1 / 6, 0], abs=0.08)


def test_all_critics_as_the_subset_give_the_smallest_of_all() -> None:
    agent = make(replace(SMALL, critics=3, subset=3, backup_entropy=False))
    say_constants(agent, [5.0, -1.0, 2.0])
    assert next_values(agent, 4).tolist() == [-1, -1, -1, -1]


def test_each_step_sees_both_halves_of_the_batch() -> None:
    seen: list[TensorBatch] = []

    class Watched(Rlpd):
        def _critic_step(self, batch: TensorBatch) -> tuple[torch.Tensor, dict[str, torch.Tensor]]:
            seen.append(batch)
            return super()._critic_step(batch)

    agent = Watched(SMALL, spaces(3, 2), plain(3), 0)
    batch = noise_batch(32, 3, 2, 0)
    demonstration = torch.arange(32) >= 16
    agent.update(replace(batch, demonstration=demonstration))
    assert [len(part.reward) for part in seen] == [16, 16]
    assert [int(part.demonstration.sum()) for part in seen] == [8, 8]
    assert torch.equal(torch.cat([part.reward for part in seen]).sort().values, batch.reward.sort().values)


def test_the_actor_moves_once_however_many_critic_steps_there_are() -> None:
    agent = make()
    agent.update(noise_batch(32, 3, 2, 0))
    saved = agent.tensors()
    assert saved["critic_adam.step"] == 2
    assert saved["actor_adam.step"] == 1


def test_cloning_pulls_the_actor_towards_demonstrations_only() -> None:
    agent = make(replace(SMALL, learning_rate=3e-3))
    agent.set_cloning_weight(100.0)
    batch = noise_batch(64, 3, 2, 0)
    batch.action[:] = -0.5
    batch.action[32:] = 0.5
    batch = replace(batch, demonstration=torch.arange(64) >= 32)
    for _ in range(300):
        agent.update(batch)
    actions = agent.act(batch.observation, greedy=True)
    assert (actions - 0.5).abs().mean() < 0.1


def test_the_cloning_weight_is_saved() -> None:
    agent, other = make(), make()
    agent.set_cloning_weight(0.7)
    other.load(agent.tensors())
    assert other.tensors()["cloning_weight"] == pytest.approx(0.7)
    with pytest.raises(AgentError, match="at least 0, got -1"):
        agent.set_cloning_weight(-1)


def test_a_batch_that_cannot_be_sliced_is_refused() -> None:
    with pytest.raises(AgentError, match="33 rows are not a multiple of updates = 2"):
        make().update(noise_batch(33, 3, 2, 0))


def test_a_subset_larger_than_the_ensemble_is_refused() -> None:
    with pytest.raises(ValueError, match="subset <= critics"):
        Config(critics=2, subset=3)


@pytest.mark.parametrize(("filtered", "all_of_it"), [(True, False), (True, True), (False, False)])
def test_what_is_held_to_be_worse_is_cloned_only_without_the_filter(filtered: bool, all_of_it: bool) -> None:
    agent = make(replace(SMALL, filtered=filtered))
    agent.set_cloning_weight(1.0, all_of_it=all_of_it)
    batch = replace(noise_batch(4, 3, 2, 0), demonstration=torch.tensor([True, True, True, False]))
    own = torch.zeros(4, 4)  # values (members, b) of what the actor does
    pull = agent._pull(batch, torch.tensor([0.5, -0.5, 0.0, 0.5]))
    assert pull is not None
    pulled = pulled_by(pull, agent.actor(torch.zeros(4, 3)), own).abs().sum(-1) > 0
    unfiltered = all_of_it or not filtered
    assert pulled.tolist() == [True, unfiltered, unfiltered, False]


def test_the_filter_keeps_good_demonstrations_and_leaves_bad_ones() -> None:
    """One state; 0.6 is best, and its pull is weak. Half of the demonstrations do 0.6, half do -0.6."""
    errors = []
    for filtered in (False, True):
        config = Config(
            hidden=(32,),
            critics=2,
            updates=1,
            cloning_weight=1.0,
            filtered=filtered,
            learning_rate=3e-3,
            alpha=1e-3,
            automatic_alpha=False,
        )
        agent = Rlpd(config, spaces(1, 1), plain(1), 0)
        generator = torch.Generator().manual_seed(0)
        state, half = torch.zeros(64, 1), torch.arange(64) < 32
        for _ in range(400):
            shown = 0.6 * torch.where(torch.arange(64) % 2 == 0, 1.0, -1.0)
            tried = 2 * torch.rand(64, generator=generator) - 1
            action = torch.where(half, shown, tried)[:, None]
            reward = -0.2 * (action[:, 0] - 0.6).square()
            batch = transitions(state, action, reward, state, torch.zeros(64))
            agent.update(replace(batch, demonstration=half))
        errors.append(abs(agent.act({"state": torch.zeros(1, 1)}, greedy=True).item() - 0.6))
    assert errors[1] < 0.1 < errors[0]
