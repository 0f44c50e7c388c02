"""The shared networks compute what they say."""

from __future__ import annotations

import copy

import pytest
import torch
from sinew_policies.agents.networks import (
    Activation,
    EnsembleMlp,
    Mlp,
    TanhGaussian,
    make_polyak,
)
from torch.nn import functional


def generator(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


@pytest.mark.parametrize("layer_norm", [False, True])
def test_each_member_of_an_ensemble_is_a_perceptron_of_its_own(layer_norm: bool) -> None:
    ensemble = EnsembleMlp(3, (4, 8, 8, 2), generator(), layer_norm=layer_norm)
    inputs = torch.randn(5, 4, generator=generator(1))
    together = ensemble(inputs)
    for member in range(3):
        alone = Mlp((4, 8, 8, 2), generator(), layer_norm=layer_norm)
        with torch.no_grad():
            for layer in range(3):
                alone.weights[layer].copy_(ensemble.weights[layer][member][None])
                alone.biases[layer].copy_(ensemble.biases[layer][member][None])
        torch.testing.assert_close(alone(inputs), together[member])


def test_chosen_members_answer_as_they_do_among_all() -> None:
    ensemble = EnsembleMlp(5, (4, 8, 1), generator(), layer_norm=True)
    inputs = torch.randn(6, 4, generator=generator(1))
    chosen = [3, 1]
    torch.testing.assert_close(ensemble(inputs, members=chosen), ensemble(inputs)[chosen])


def test_a_frozen_ensemble_passes_gradients_to_its_inputs_only() -> None:
    ensemble = EnsembleMlp(2, (4, 8, 1), generator())
    inputs = torch.randn(6, 4, generator=generator(1), requires_grad=True)
    ensemble(inputs, frozen=True).sum().backward()
    assert inputs.grad is not None
    assert inputs.grad.abs().sum() > 0
    assert all(parameter.grad is None for parameter in ensemble.parameters())


def test_layer_norm_bounds_what_is_said_far_from_the_data() -> None:
    # |output| of the last layer is at most |w| sqrt(units) + |b| after LayerNorm, however far the input is.
    normed, free = (EnsembleMlp(2, (4, 64, 1), generator(), layer_norm=norm) for norm in (True, False))
    far = 1e6 * torch.randn(50, 4, generator=generator(1))
    weight, bias = normed.weights[-1], normed.biases[-1]
    bound = weight.norm(dim=1).max() * 64**0.5 + bias.abs().max()
    assert normed(far).abs().max() <= bound
    assert free(far).abs().max() > 100 * bound


def test_the_squashed_density_integrates_to_one_and_to_the_mean() -> None:
    actions = torch.linspace(-1 + 1e-5, 1 - 1e-5, 200_001, dtype=torch.float64)[:, None]
    for mean, log_std in ((0.0, -1.0), (0.7, 0.0), (-1.5, -0.5)):
        policy = TanhGaussian(torch.tensor([[mean, log_std]], dtype=torch.float64).expand(len(actions), 2))
        density = policy.log_prob(actions).exp()
        assert torch.trapezoid(density, actions[:, 0]).item() == pytest.approx(1, abs=2e-3)
        drawn = policy.sample(generator()).action
        expected = torch.trapezoid(density * actions[:, 0], actions[:, 0]).item()
        assert drawn.mean().item() == pytest.approx(expected, abs=5e-3)


def test_a_sample_knows_its_density() -> None:
    policy = TanhGaussian(torch.randn(100, 6, generator=generator()), (-1.0, 0.5))
    sample = policy.sample(generator(1))
    action, log_prob = sample.action, sample.log_prob
    torch.testing.assert_close(policy.log_prob(action), log_prob, rtol=1e-3, atol=1e-3)


def test_densities_stay_finite_at_the_edge() -> None:
    policy = TanhGaussian(torch.tensor([[30.0, 2.0]]))
    sample = policy.sample(generator())
    action, log_prob = sample.action, sample.log_prob
    assert action.item() == 1.0
    assert torch.isfinite(log_prob).all()
    assert torch.isfinite(policy.log_prob(torch.tensor([[1.0]]))).all()


def test_targets_move_by_tau_of_the_way() -> None:
    target, network = (EnsembleMlp(1, (2, 2), generator(seed)) for seed in (0, 1))
    before = target.weights[0].detach().clone()
    make_polyak({target: network}, 0.25)()
    torch.testing.assert_close(
        target.weights[0].detach(), (0.75 * before + 0.25 * network.weights[0]).detach()
    )


@pytest.mark.parametrize("shared", [True, False])
@pytest.mark.parametrize("layer_norm", [True, False])
@pytest.mark.parametrize("activation", ["relu", "tanh"])
def test_gradients_are_those_of_torch(activation: Activation, layer_norm: bool, shared: bool) -> None:
    ensemble = EnsembleMlp(
        3, (4, 8, 8, 2), generator(), activation=activation, layer_norm=layer_norm
    ).double()
    shape = (5, 4) if shared else (3, 5, 4)
    inputs = torch.randn(shape, generator=generator(1), dtype=torch.float64, requires_grad=True)
    wanted = [inputs, *ensemble.parameters()]
    x = inputs.expand(3, 5, 4)
    for layer, (weight, bias) in enumerate(zip(ensemble.weights, ensemble.biases, strict=True)):
        if layer:
            if layer_norm:
                x = functional.layer_norm(x, (8,)) * ensemble.gains[layer - 1] + ensemble.shifts[layer - 1]
            x = torch.relu(x) if activation == "relu" else torch.tanh(x)
        x = x @ weight + bias
    torch.testing.assert_close(ensemble(inputs), x)
    given = torch.autograd.grad(ensemble(inputs).sin().sum(), wanted)
    torch.testing.assert_close(given, torch.autograd.grad(x.sin().sum(), wanted))


def test_gradients_of_chosen_members_leave_the_others_alone() -> None:
    ensemble = EnsembleMlp(3, (4, 8, 2), generator())
    ensemble(torch.ones(5, 4), members=[2]).sum().backward()
    gradient = ensemble.weights[0].grad
    assert gradient is not None
    assert gradient[:2].abs().sum() == 0
    assert gradient[2].abs().sum() > 0


def test_going_back_from_a_sample_is_what_torch_does() -> None:
    statistics = 3 * torch.randn(50, 6, generator=generator(), dtype=torch.float64)  # some beyond the range
    statistics.requires_grad_()
    of_action = torch.randn(50, 3, generator=generator(1), dtype=torch.float64)
    sample = TanhGaussian(statistics, (-2.0, 1.0)).sample(generator(2))
    total = (sample.action * of_action).sum() + 0.3 * sample.log_prob.sum()
    (by_torch,) = torch.autograd.grad(total, statistics)
    torch.testing.assert_close(sample.back(of_action, 0.3).detach(), by_torch)


def test_a_copy_of_a_network_learns_by_itself() -> None:
    network = EnsembleMlp(2, (3, 4, 1), generator())
    inputs = torch.ones(1, 3)
    before = network(inputs).detach()
    twin = copy.deepcopy(network)
    with torch.no_grad():
        twin.biases[-1].add_(1.0)
    torch.testing.assert_close(twin(inputs).detach(), before + 1)
    torch.testing.assert_close(network(inputs).detach(), before)
