"""The gripper's critic values what its commands lead to, and what flipping costs."""

from __future__ import annotations

import pytest
import torch
from sinew_policies.agents.agent import Spaces
from sinew_policies.agents.gripper_critic import COMMANDS, GripperConfig, GripperCritic, command_index, flips
from sinew_policies.agents.networks import make_polyak
from sinew_policies.agents.state import descend, make_adam


def critic(config: GripperConfig, features: int, hidden: tuple[int, ...] = (32,)) -> GripperCritic:
    return GripperCritic(config, features, hidden, torch.Generator().manual_seed(0))


def test_a_stored_command_is_the_nearest_of_three() -> None:
    stored = torch.tensor([-1.0, -0.8, -0.2, 0.0, 0.4, 0.9, 1.0])
    assert command_index(stored).tolist() == [0, 0, 1, 1, 1, 2, 2]
    assert COMMANDS[command_index(stored)].tolist() == [-1, -1, 0, 0, 0, 1, 1]


def test_only_a_command_against_the_gripper_s_state_is_a_flip() -> None:
    index = torch.tensor([0, 1, 2, 0, 1, 2])
    is_open = torch.tensor([True, True, True, False, False, False])
    assert flips(index, is_open).tolist() == [1, 0, 0, 0, 0, 1]


def test_the_target_is_double_dqn_with_the_penalty_subtracted() -> None:
    config = GripperConfig(penalty=0.25, column="state", index=0, open_above=0.5)
    agent = critic(config, 1, ())  # linear: values = w f + b
    with torch.no_grad():
        agent.network.weights[0].copy_(torch.tensor([1.0, 2.0, 4.0]))
        agent.target.weights[0].copy_(torch.tensor([9.0, 8.0, 7.0]))
        agent.network.biases[0].zero_()
        agent.target.biases[0].zero_()
    one = torch.ones(1, 1)
    # The network would open (4 is most), the target network says 7 to that, not its own best 9.
    target = 1.0 - 0.25 + 0.5 * 7.0
    is_open, closing = {"state": one}, torch.tensor([-1.0])
    loss = agent.loss(one, one, is_open, closing, torch.tensor([1.0]), torch.tensor([0.5]))
    assert loss.item() == pytest.approx((1.0 - target) ** 2)


def test_a_chain_of_five_states_is_solved() -> None:
    """Close goes left, open goes right, the right end pays 1 and ends: Q* = 0.9^(steps still to go)."""
    states, commands = torch.arange(4).repeat_interleave(3), COMMANDS.repeat(4)
    after = (states + commands).clamp(0, 4).long()
    reward, ended = (after == 4).float(), after == 4
    one_hot = torch.eye(5)
    agent = critic(GripperConfig(penalty=0.0), 5)
    optimizer, move_target = (
        make_adam(agent.network.parameters(), 1e-2),
        make_polyak({agent.target: agent.network}, 0.1),
    )
    for _ in range(1000):
        loss = agent.loss(
            one_hot[states], one_hot[after], {"state": one_hot[states]}, commands, reward, 0.9 * ~ended
        )
        descend(loss, optimizer)
        move_target()
    values = agent(one_hot[:4]).detach()
    best = torch.tensor([0.9**3, 0.9**2, 0.9, 1.0])
    value_after_left = torch.cat([best[:1], best[:3]])
    expected = torch.stack([0.9 * value_after_left, 0.9 * best, best], -1)
    torch.testing.assert_close(values, expected, atol=0.02, rtol=0)


def test_commands_follow_the_values_and_vary_only_with_a_temperature() -> None:
    features = torch.randn(200, 3, generator=torch.Generator().manual_seed(1))
    generator = torch.Generator().manual_seed(0)
    cold, warm = critic(GripperConfig(), 3), critic(GripperConfig(temperature=10.0), 3)
    best = COMMANDS[cold(features).argmax(-1, keepdim=True)]
    assert torch.equal(cold.command(features, greedy=False, generator=generator), best)
    assert torch.equal(warm.command(features, greedy=True, generator=generator), best)
    drawn = warm.command(features, greedy=False, generator=generator)
    assert set(drawn.flatten().tolist()) == {-1, 0, 1}


def test_a_gripper_that_the_observation_does_not_hold_is_refused() -> None:
    with pytest.raises(ValueError, match="no entry 7 of a column 'state'.*state \\(3,\\)"):
        GripperConfig(index=7).check(Spaces({"state": (3,)}, 4))
    with pytest.raises(ValueError, match="must not be negative"):
        GripperConfig(penalty=-0.05)
