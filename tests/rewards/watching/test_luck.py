"""The tests of the watch against what is known of them."""

import numpy as np
import pytest
from scipy import stats
from sinew_rewards.watching.correlation import correlations
from sinew_rewards.watching.luck import binomial_tail, bootstrap_means, chance_of_rise, kolmogorov_smirnov


def test_correlations_of_sums_are_those_of_the_numbers():
    rng = np.random.default_rng(0)
    v = rng.normal(size=50)
    t = v + rng.normal(size=50)
    sums = np.array([50, v.sum(), t.sum(), v @ v, t @ t, v @ t])
    assert correlations(sums) == pytest.approx(np.corrcoef(v, t)[0, 1])


def test_nothing_goes_with_what_is_constant():
    assert np.isnan(correlations(np.array([4.0, 4.0, 6.0, 4.0, 14.0, 6.0])))


def test_the_binomial_tail_is_the_exact_one():
    assert binomial_tail(7, 40, 0.05) == pytest.approx(stats.binom.sf(6, 40, 0.05))
    assert binomial_tail(0, 40, 0.05) == pytest.approx(1.0)


def test_two_samples_are_compared_as_by_kolmogorov_and_smirnov():
    rng = np.random.default_rng(0)
    a, b = rng.normal(size=60), rng.normal(0.6, 1, size=50)
    known = stats.ks_2samp(a, b)
    distance, chance = kolmogorov_smirnov(a, b)
    assert distance == pytest.approx(known.statistic)
    assert chance == pytest.approx(known.pvalue, rel=0.35)
    assert kolmogorov_smirnov(a, a) == (0.0, 1.0)


def test_a_rise_by_luck_is_as_likely_as_its_chance_says():
    rng = np.random.default_rng(0)
    chances = np.array([chance_of_rise(rng.normal(size=20), rng.normal(size=20), rng) for _ in range(100)])
    assert np.mean(chances < 0.2) == pytest.approx(0.2, abs=0.12)
    assert chance_of_rise(rng.normal(size=20), rng.normal(3, 1, size=20), rng) < 0.001


def test_drawn_means_spread_as_means_do():
    rows = np.random.default_rng(0).normal(size=(100, 1))
    drawn = bootstrap_means(rows, np.random.default_rng(1))
    assert drawn.mean() == pytest.approx(rows.mean(), abs=0.02)
    assert drawn.std() == pytest.approx(rows.std() / 10, rel=0.1)
