"""What all fits to comparisons rest on: the chances of answers, the rows looked at, what is held out."""

from __future__ import annotations

import math
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from sinew_data.feedback.types import Clip, Comparison
from sinew_rewards.learned.trajectory import Episodes
from sinew_rewards.learners.preference_fit import FitConfig, held_out
from sinew_rewards.learners.preference_loss import log_chances, losses
from sinew_rewards.learners.preference_pairs import pairs_of, spread_looks

sys.path.insert(0, str(Path(__file__).parent))
from wandering import clip, told, wandering

FIT = FitConfig(hidden=(16,), epochs=25, rows=8)
SHOWN = wandering(30, 0)


@pytest.mark.parametrize("ties", ["davidson", "rao_kupper"])
def test_chances_of_win_loss_and_tie_sum_to_1_and_ties_go_to_the_nearly_equal(ties: str) -> None:
    difference, tie = torch.tensor([[-3.0, 0.0, 0.5, 4.0]]), torch.tensor([[0.3]])
    win, lose, even = (chance.exp() for chance in log_chances(difference, tie, ties))  # type: ignore[arg-type]
    torch.testing.assert_close(win + lose + even, torch.ones_like(win))
    assert even.argmax() == 1
    torch.testing.assert_close(win[0, 1], lose[0, 1])


def test_equal_clips_are_a_toss_up() -> None:
    win, _, _ = log_chances(torch.zeros((1, 1)), torch.zeros((1, 1)), "half")
    assert win.exp().item() == pytest.approx(0.5)


def test_a_soft_label_is_a_cross_entropy() -> None:
    difference, labels = torch.tensor([[1.5]]), torch.tensor([0.7])
    found = losses(difference, labels, torch.zeros((1, 1)), "half", 0.0)
    p = 1 / (1 + math.exp(-1.5))
    assert found.item() == pytest.approx(-0.7 * math.log(p) - 0.3 * math.log(1 - p), rel=1e-5)


def test_with_flips_a_sure_mistake_costs_no_more_than_its_rarity() -> None:
    sure = torch.tensor([[-50.0]])
    found = losses(sure, torch.ones(1), torch.zeros((1, 1)), "half", 0.1)
    assert found.item() == pytest.approx(-math.log(0.1), rel=1e-4)


def test_looks_at_a_long_clip_count_up_to_its_length_and_stay_within_it() -> None:
    rng = np.random.default_rng(0)
    said = [Comparison(clip(SHOWN, rng, (1, 24)), clip(SHOWN, rng, (1, 24)), 1.0) for _ in range(40)]
    pairs = pairs_of(SHOWN, said)
    for generator in (None, torch.Generator().manual_seed(0)):
        looks = spread_looks(pairs, torch.arange(len(pairs)), 5, generator)
        torch.testing.assert_close(looks.counts.sum(-1), pairs.lengths.float())
        offsets = looks.at - pairs.starts[..., None]
        assert bool(((offsets >= 0) & (offsets < pairs.lengths[..., None])).all())


def test_sums_over_a_few_rows_are_right_on_average() -> None:
    pairs = pairs_of(SHOWN, [Comparison(Clip("e0"), Clip("e1"), 1.0)])
    generator = torch.Generator().manual_seed(0)
    sums = []
    for _ in range(400):
        looks = spread_looks(pairs, torch.arange(1), 6, generator)
        sums.append((pairs.rows[looks.at] * looks.counts[..., None]).sum(2))
    expected = torch.from_numpy(SHOWN.trajectories[0].features).sum(0)
    torch.testing.assert_close(torch.stack(sums).mean(0)[0, 0], expected, atol=0.2, rtol=0.05)


def test_no_family_is_both_learnt_from_and_held_out() -> None:
    trees = Episodes([replace(item, tree=f"t{i // 3}") for i, item in enumerate(SHOWN.trajectories)])
    pairs = pairs_of(trees, told(trees, 200, 18))
    held = held_out(pairs, replace(FIT, held_out=0.2), torch.Generator().manual_seed(0))
    assert bool(held.any(1).all())
    for member in held:
        learning = set(pairs.families[~member].ravel().tolist())
        aside = set(pairs.families.ravel().tolist()) - learning
        assert len(aside) == 2
        assert bool(
            ((pairs.families[..., None] == torch.tensor(sorted(aside))).any(-1).any(-1) == member).all()
        )


def test_with_too_few_families_none_is_held_out() -> None:
    pairs = pairs_of(SHOWN, [Comparison(Clip("e0"), Clip("e1"), 1.0)] * 20)
    assert not held_out(pairs, FIT, torch.Generator().manual_seed(0)).any()


@pytest.mark.parametrize(
    "wrong", [{"members": 0}, {"flips": 0.5}, {"held_out": 1.0}, {"learning_rate": 0.0}, {"hidden": (0,)}]
)
def test_a_configuration_out_of_range_is_refused(wrong: dict) -> None:
    with pytest.raises(ValueError, match="expected"):
        FitConfig(**wrong)
