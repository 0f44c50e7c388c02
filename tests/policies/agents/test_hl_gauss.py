"""Histograms of values say the value that they were made of."""

from __future__ import annotations

import pytest
import torch
from sinew_policies.agents.hl_gauss import HlGauss, HlGaussHead, ScalarHead

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


def test_the_loss_is_least_at_the_target() -> None:
    head = HlGaussHead(RANGE)
    target = torch.tensor([0.3, 1.1])
    logits = torch.zeros(2, 2, 101, requires_grad=True)
    optimizer = torch.optim.Adam([logits], lr=0.1)
    for _ in range(500):
        optimizer.zero_grad()
        head.loss(logits, target).backward()  # type: ignore[no-untyped-call]
        optimizer.step()
    torch.testing.assert_close(head.mean(logits.detach()), target.expand(2, 2), atol=1e-2, rtol=0)


def test_however_wrong_the_target_the_gradient_is_bounded() -> None:
    logits = torch.zeros(1, 1, 101, requires_grad=True)
    (gradient,) = torch.autograd.grad(HlGaussHead(RANGE).loss(logits, torch.tensor([1e6])), logits)
    assert gradient.abs().sum() <= 2


def test_the_scalar_loss_is_the_squared_error_of_every_member() -> None:
    raw = torch.tensor([[[1.0], [2.0]], [[3.0], [2.0]]])
    assert ScalarHead().loss(raw, torch.tensor([1.0, 0.0])).item() == pytest.approx((0 + 4 + 4 + 4) / 2)


def test_an_empty_range_is_refused() -> None:
    with pytest.raises(ValueError, match="v_min < v_max"):
        HlGauss(v_min=1.0, v_max=1.0)
