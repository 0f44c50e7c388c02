"""Histograms of values say the value that they were made of."""

from __future__ import annotations

import pytest
import torch
from sinew_policies.agents.hl_gauss import HlGauss, HlGaussHead, ScalarHead, ValueHead

RANGE = HlGauss(v_min=-2.0, v_max=3.0, bins=101)


def test_the_histogram_of_a_target_has_the_target_as_its_mean() -> None:
    head = HlGaussHead(RANGE)
    inside = torch.linspace(-1.8, 2.8, 997)
    histogram = head.histogram(inside)
    torch.testing.assert_close(histogram.sum(-1), torch.ones(997))
    assert (head.mean(histogram.log()) - inside).abs().max() < 1e-3


def test_without_width_the_histogram_is_one_hot() -> None:
    head = HlGaussHead(HlGauss(v_min=0.0, v_max=1.0, bins=10, sigma=1e-3))
    histogram = head.histogram(torch.tensor([0.05, 0.62]))
    expected = torch.zeros(2, 10)
    expected[0, 0] = expected[1, 6] = 1
    torch.testing.assert_close(histogram, expected)


def test_values_outside_are_learnt_as_the_ends() -> None:
    head = HlGaussHead(RANGE)
    beyond, ends = head.histogram(torch.tensor([-50.0, 50.0])), head.histogram(torch.tensor([-2.0, 3.0]))
    torch.testing.assert_close(beyond, ends)
    assert beyond.argmax(-1).tolist() == [0, 100]
    assert torch.isfinite(beyond).all()


@pytest.mark.parametrize("head", [HlGaussHead(RANGE), ScalarHead()])
def test_gradients_are_those_of_torch(head: ValueHead) -> None:
    raw = torch.randn(3, 4, head.outputs, generator=torch.Generator().manual_seed(0), requires_grad=True)
    loss, given = head.loss(raw, torch.tensor([0.3, -1.0, 2.0, 1.1]))
    torch.testing.assert_close(given.detach(), torch.autograd.grad(loss, raw)[0])
    of_mean = torch.randn(3, 4, generator=torch.Generator().manual_seed(1))
    (by_torch,) = torch.autograd.grad((head.mean(raw) * of_mean).sum(), raw)
    torch.testing.assert_close(head.mean_back(raw, of_mean).detach(), by_torch)


def test_the_loss_is_least_at_the_target() -> None:
    head = HlGaussHead(RANGE)
    target = torch.tensor([0.3, 1.1])
    logits = torch.zeros(2, 2, 101)
    for _ in range(2000):
        logits -= 2 * head.loss(logits, target)[1]
    torch.testing.assert_close(head.mean(logits), target.expand(2, 2), atol=1e-2, rtol=0)


def test_however_wrong_the_target_the_gradient_is_bounded() -> None:
    _, gradient = HlGaussHead(RANGE).loss(torch.zeros(1, 1, 101), torch.tensor([1e6]))
    assert gradient.abs().sum() <= 2


def test_the_scalar_loss_is_the_squared_error_of_every_member() -> None:
    raw = torch.tensor([[[1.0], [2.0]], [[3.0], [2.0]]])
    loss, _ = ScalarHead().loss(raw, torch.tensor([1.0, 0.0]))
    assert loss.item() == pytest.approx((0 + 4 + 4 + 4) / 2)


def test_an_empty_range_is_refused() -> None:
    with pytest.raises(ValueError, match="v_min < v_max"):
        HlGauss(v_min=1.0, v_max=1.0)
