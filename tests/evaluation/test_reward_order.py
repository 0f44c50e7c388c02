"""The ranking of scripted behaviours: what counts as out of order, and one scene for real."""

from __future__ import annotations

from itertools import combinations

import numpy as np
import pytest
from sinew_core.types import JointState, Observation, RewardEstimate, Task
from sinew_eval.benches.reward_order.behaviours import ORDER, shown
from sinew_eval.benches.reward_order.command import (
    DEFAULT,
    FORMS,
    KNOWN,
    Plan,
    Trial,
    out_of_order,
    run_trial,
    summarise,
)
from sinew_eval.benches.reward_order.rollouts import Rollout, discounted_return

RIGHT = dict(zip(ORDER, (0.0, -1.0, -2.0, -3.0, -4.0), strict=True))
PLAN = Plan("sim_mujoco", 400, 0.99)


def observations(count: int) -> list[Observation]:
    home = np.zeros(6)
    return [
        Observation(50 * i, JointState(50 * i, home, home), {}, {}, None, {}, Task("t", ""))
        for i in range(count)
    ]


class Grader:
    """Pays 1 up to a stamp and 2 from there on."""

    def __init__(self, since: int) -> None:
        self._since = since

    def reset(self, task: Task) -> None: ...

    def estimate(self, observation: Observation) -> RewardEstimate:
        return RewardEstimate(observation.stamp, 1.0 if observation.stamp < self._since else 2.0)


def test_the_right_order_has_no_pair_out_of_order() -> None:
    assert out_of_order(RIGHT) == []


def test_every_pair_out_of_order_counts_and_so_does_a_tie() -> None:
    assert out_of_order({**RIGHT, "loitering": -3.0}) == [("idle", "loitering")]
    assert len(out_of_order({name: -value for name, value in RIGHT.items()})) == len(
        list(combinations(ORDER, 2))
    )


def test_after_success_nothing_is_paid() -> None:
    rollout = Rollout(observations(3), success=True)
    assert discounted_return(rollout, Grader(10_000), 50, 400, 0.5) == pytest.approx(1.75)


def test_a_behaviour_at_rest_goes_on_being_graded_at_later_stamps() -> None:
    rollout = Rollout(observations(2), success=False)
    expected = 1 + 0.5 + 0.25 + sum(2 * 0.5**t for t in range(3, 12))
    assert discounted_return(rollout, Grader(150), 50, 12, 0.5) == pytest.approx(expected)


def test_the_summary_counts_violations_of_the_default_form_and_of_each() -> None:
    wrong = {**RIGHT, "idle": -1.5}
    returns = dict.fromkeys(FORMS, RIGHT)
    trials = [Trial("push", 1, returns), Trial("push", 2, {**returns, DEFAULT: wrong, "gaussian": wrong})]
    figures = summarise(trials, ["push"], 2, PLAN, {"no other object to act on": 3})
    assert (figures["tasks"], figures["seeds"], figures["violations"]) == (["push"], 2, 1)
    assert figures["comparisons"] == 20
    assert figures["forms"]["gaussian"]["pairs"] == {"wrong_object > idle": 1}
    assert figures["forms"]["goal_distance"]["violations"] == 0
    assert figures["left_out"] == {"no other object to act on": 3}


def test_every_form_but_the_default_says_what_it_cannot_keep() -> None:
    assert set(KNOWN) == set(FORMS) - {DEFAULT}


@pytest.mark.parametrize(("task", "seed"), [("reach", 20_000), ("push", 20_001)])
def test_one_scene_is_ranked_rightly_through_the_simulator(task: str, seed: int) -> None:
    trial = run_trial(PLAN, (task, seed))
    assert trial.unfit == ""
    assert set(trial.returns[DEFAULT]) == set(shown(task))
    assert out_of_order(trial.returns[DEFAULT]) == []
    assert out_of_order(trial.returns["affordance_path, plain"])  # waiting pays, and the bench finds it


def test_a_scene_without_another_object_is_left_out_by_name() -> None:
    assert "no other object" in run_trial(PLAN, ("stack", 20_004)).unfit
