"""Variational preference learning: everybody's taste from their own comparisons, in whatever order."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from sinew_core.errors import ConfigError
from sinew_data.feedback.types import Clip, Comparison, Mark
from sinew_eval.benches.operator_claims import (
    World,
    compared,
    entries_of,
    right,
    synthetic_world,
)
from sinew_rewards.learned.features import FeatureConfig
from sinew_rewards.learned.network import Ensemble
from sinew_rewards.learned.saved import LearnedFacts, load_learned, save_learned
from sinew_rewards.learners.variational import Config, Variational
from sinew_rewards.learners.variational_latent import kl_to_prior, posterior
from sinew_rewards.raters.scripted import as_feedback
from sinew_rewards.scorers.variational import VariationalScorer

CONFIG = Config(members=1, updates=200)
TASTES = {"anna": {"a": 1.0, "b": 1.5}, "ben": {"a": 1.0, "b": -1.5}}


@pytest.fixture(scope="module")
def world() -> World:
    return synthetic_world(0, periods=8)


@pytest.fixture(scope="module")
def scorer(world: World) -> VariationalScorer:
    return Variational(CONFIG).fit(world.learnt_from, told(world), 0)


def told(world: World, anna: int = 150, ben: int = 150) -> list:
    said = {"anna": anna, "ben": ben}
    return [
        entry
        for number, (who, count) in enumerate(said.items())
        for entry in entries_of(compared(world, world.learnt_from, TASTES[who], who, count, number), who)
    ]


def share(scorer: object, world: World, who: str) -> float:
    return float(right(scorer, world.held_out, asked(world, who)).mean())


def asked(world: World, who: str) -> list[Comparison]:
    return compared(world, world.held_out, TASTES[who], who, 300, 7)


def test_everybody_is_served_by_their_own_taste(world: World, scorer: VariationalScorer) -> None:
    for who in TASTES:
        assert share(scorer.for_operator(who), world, who) >= 0.85


def test_somebody_new_is_known_from_ten_comparisons_and_nobody_else_changes(
    world: World, scorer: VariationalScorer
) -> None:
    said = compared(world, world.learnt_from, TASTES["ben"], "cleo", 10, 5)
    before = scorer.arrays()
    known = scorer.infer(said, world.learnt_from, "cleo")
    assert known.operators == ("anna", "ben", "cleo")
    assert share(known, world, "ben") >= 0.85
    for name, value in known.arrays().items():
        kept = value[:2] if name in {"means", "spreads"} else value
        np.testing.assert_array_equal(kept, before[name])
    row = world.held_out.trajectories[0].features[0]
    assert known.for_operator("anna").score(row).value == scorer.for_operator("anna").score(row).value


def test_a_flood_by_one_rater_does_not_drown_the_other(world: World) -> None:
    flooded = Variational(replace(CONFIG, updates=150)).fit(world.learnt_from, told(world, 600, 80), 0)
    assert share(flooded.for_operator("ben"), world, "ben") >= 0.8


def encoded(seed: int = 0) -> tuple[Ensemble, torch.Tensor, torch.Tensor]:
    generator = torch.Generator().manual_seed(seed)
    return (
        Ensemble(6, (8,), 1, 4, seed=seed),
        torch.randn((5, 2, 3), generator=generator),
        torch.tensor([1.0, 0.0, 0.5, 1.0, 0.2]),
    )


def test_the_order_of_comparisons_and_of_their_clips_does_not_matter() -> None:
    encoder, means, labels = encoded()
    expected = posterior(encoder, means, labels, torch.ones(5))
    order = torch.tensor([3, 1, 4, 0, 2])
    for other in (
        posterior(encoder, means[order], labels[order], torch.ones(5)),
        posterior(encoder, means.flip(1), 1 - labels, torch.ones(5)),
    ):
        for a, b in zip(expected, other, strict=True):
            torch.testing.assert_close(a, b)


def test_each_comparison_narrows_the_posterior_which_begins_at_the_prior() -> None:
    encoder, means, labels = encoded()
    widths = []
    for count in range(6):
        mean, log_variance = posterior(encoder, means, labels, (torch.arange(5) < count).float())
        widths.append(float(log_variance.detach().sum()))
        if count == 0:
            assert float(mean.detach().abs().max()) == 0.0 == widths[0]
    assert widths == sorted(widths, reverse=True) and len(set(widths)) == 6


def test_the_kl_divergence_is_the_analytic_one() -> None:
    mean, log_variance = torch.tensor([[0.0, 0.0], [1.0, -2.0]]), torch.tensor([[0.0, 0.0], [0.5, -1.0]])
    given = torch.distributions.Normal(mean, torch.exp(log_variance / 2))
    prior = torch.distributions.Normal(torch.zeros(2), torch.ones(2))
    expected = torch.distributions.kl_divergence(given, prior).sum(-1)
    torch.testing.assert_close(kl_to_prior(mean, log_variance), expected)
    assert float(kl_to_prior(torch.tensor([2.0]), torch.tensor([0.0]))) == pytest.approx(2.0)  # 1/2 of 2²


def test_rewards_are_bounded_and_everybody_is_the_mean_of_all(
    world: World, scorer: VariationalScorer
) -> None:
    score = scorer.score(np.full(8, 1e6))
    assert abs(score.value) < 1
    assert score.value == pytest.approx(np.mean(list(score.terms.values())))
    assert score.uncertainty == pytest.approx(np.std(list(score.terms.values())))


def test_who_is_known_better_is_scored_more_surely(world: World, scorer: VariationalScorer) -> None:
    said = compared(world, world.learnt_from, TASTES["ben"], "cleo", 60, 5)
    rows = world.held_out.trajectories[0].features
    unsure = [
        np.mean([known.score(row).uncertainty for row in rows])
        for known in (scorer.infer(said[:count], world.learnt_from) for count in (1, 60))
    ]
    assert unsure[1] < unsure[0]


def test_it_comes_back_from_disk_with_all_that_it_knows(
    world: World, scorer: VariationalScorer, tmp_path: Path
) -> None:
    names = tuple("abcdefgh")
    facts = LearnedFacts(FeatureConfig(), names, "test", (), "arm")
    save_learned(tmp_path / "w.safetensors", scorer.for_operator("ben"), facts)
    back, _ = load_learned(tmp_path / "w.safetensors")
    assert isinstance(back, VariationalScorer)
    row = world.held_out.trajectories[0].features[0]
    assert back.score(row) == scorer.for_operator("ben").score(row)
    said = compared(world, world.learnt_from, TASTES["anna"], "cleo", 10, 5)
    again, first = (each.infer(said, world.learnt_from).score(row) for each in (back, scorer))
    assert again == first


def test_the_seed_decides_everything(world: World) -> None:
    quick = Variational(Config(members=1, updates=5, refinements=2))
    one, two, other = (quick.fit(world.learnt_from, told(world, 9, 9), seed).arrays() for seed in (1, 1, 2))
    for name, value in one.items():
        np.testing.assert_array_equal(value, two[name])
    assert any((value != other[name]).any() for name, value in one.items())


def test_weights_of_other_operators_are_refused(scorer: VariationalScorer) -> None:
    settings = {**scorer.settings(), "operators": ["anna"]}
    with pytest.raises(ValueError, match="not those of 1 operators"):
        VariationalScorer.restore(settings, scorer.arrays())


def test_an_unknown_operator_is_named_with_the_nearest(scorer: VariationalScorer) -> None:
    with pytest.raises(ConfigError, match=r"operator 'bne'.*Did you mean 'ben'\?.*anna, ben"):
        scorer.for_operator("bne")


def test_somebody_new_who_said_nothing_is_refused(world: World, scorer: VariationalScorer) -> None:
    with pytest.raises(ConfigError, match="operator 'cleo': there is no comparison"):
        scorer.infer([], world.learnt_from, "cleo")
    tie = Comparison(Clip("e0"), Clip("e1"), 0.5)
    with pytest.raises(ConfigError, match="operator 'cleo': none of the 2 comparisons.*2 are ties"):
        scorer.infer([tie, tie], world.learnt_from, "cleo")


def test_an_operator_of_ties_alone_is_named(world: World) -> None:
    a, b = (Clip(item.name) for item in world.learnt_from.trajectories[:2])
    ties = [as_feedback(Comparison(a, b, 0.5), "cleo", when, index=when) for when in range(3)]
    with pytest.raises(ConfigError, match="operator 'cleo': none of the 3 comparisons"):
        Variational(CONFIG).fit(world.learnt_from, told(world, 5, 5) + ties, 0)


def test_feedback_of_another_kind_is_told_by_its_kind(world: World) -> None:
    mark = as_feedback(Mark(Clip(world.learnt_from.trajectories[0].name), True), "anna", 0)
    with pytest.raises(ConfigError, match="no comparison of two different clips.*1 of kind 'mark'"):
        Variational(CONFIG).fit(world.learnt_from, [mark], 0)
    with pytest.raises(ConfigError, match="only an empty log"):
        Variational(CONFIG).fit(world.learnt_from, [], 0)


def test_a_comparison_of_a_lost_episode_is_told(world: World) -> None:
    lost = as_feedback(Comparison(Clip("gone"), Clip(world.learnt_from.trajectories[0].name), 1.0), "anna", 0)
    with pytest.raises(ConfigError, match="episode 'gone', which is not among the"):
        Variational(CONFIG).fit(world.learnt_from, [lost], 0)


@pytest.mark.parametrize("wrong", [{"latent": 0}, {"sharpness": 0.0}, {"kl": -1.0}, {"anneal": 2.0}])
def test_impossible_configurations_are_refused(wrong: dict[str, float]) -> None:
    with pytest.raises(ValueError, match=next(iter(wrong))):
        Config(**wrong)
