"""What the bench says of learners about people, on synthetic episodes; the robot's are the bench's."""

from __future__ import annotations

import numpy as np
import pytest
from sinew_data.feedback.types import Clip, Comparison
from sinew_eval.benches.operator_claims import (
    World,
    operator_claims,
    similarity_claims,
    speaking_for,
    synthetic_world,
)
from sinew_rewards.learners.bradley_terry import BradleyTerry, Config
from sinew_rewards.raters.scripted import as_feedback


def small(seed: int) -> World:
    return synthetic_world(seed, periods=8)


def test_two_opposed_raters_are_both_served_where_one_reward_serves_neither() -> None:
    figures = operator_claims(0, {"small": small})["small"]
    for name in ("variational", "ideal_points"):
        assert figures[name]["accuracy_least"] >= 0.85
        assert figures[name]["accuracy_disputed"] >= 0.85
        assert figures[name]["accuracy_new"] >= 0.8
    assert figures["bradley_terry"]["accuracy_least"] < 0.75
    assert figures["bradley_terry"]["accuracy_disputed"] == pytest.approx(0.5, abs=0.1)


def test_fifty_triplets_before_twenty_comparisons_help_on_unseen_scenes() -> None:
    found = [similarity_claims(seed, {"small": small})["small"]["accuracy"] for seed in range(5)]
    median = {name: np.median([each[name] for each in found]) for name in found[0]}
    assert median["similarity"] >= 0.85
    assert median["similarity"] >= max(median["from_scratch"], median["bradley_terry"]) + 0.03


def test_what_does_not_tell_operators_apart_speaks_for_all() -> None:
    world = small(0)
    a, b = (Clip(item.name) for item in world.learnt_from.trajectories[:2])
    scorer = BradleyTerry(Config()).fit(world.learnt_from, [as_feedback(Comparison(a, b, 1.0), "anna", 0)], 0)
    assert speaking_for(scorer, "anna") is scorer
