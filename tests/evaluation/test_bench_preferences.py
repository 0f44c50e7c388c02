"""The bench of learners from comparisons: what it asks, what it hands to a peer, and what it concludes."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from sinew_core.errors import ConfigError
from sinew_core.hardware import load_hardware
from sinew_eval.benches.preferences import asking
from sinew_eval.benches.preferences.asking import Questions, ask, noisy
from sinew_eval.benches.preferences.command import main
from sinew_eval.benches.preferences.factors import rescaling
from sinew_eval.benches.preferences.gridworld import WorldConfig, best, make_world, true_regret
from sinew_eval.benches.preferences.measuring import ENTRANTS, Asked, asked, measure, measure_noise
from sinew_eval.benches.preferences.peer_run import beside_peer, clips_of
from sinew_eval.benches.preferences.policies import success_ratios
from sinew_eval.benches.preferences.summary import failures, medians
from sinew_rewards.learned.features import KeypointFeatures
from sinew_rewards.learned.reward import Config as RewardConfig
from sinew_rewards.learned.reward import LearnedReward
from sinew_rewards.learned.trajectory import Episodes, Trajectory
from sinew_rewards.learners.bradley_terry import BradleyTerry, Config
from sinew_rewards.learners.preference_fit import FitConfig

NAMES = KeypointFeatures.names
SMALL = ["--episodes", "8", "--unseen", "4", "--comparisons", "40", "--threads", "1", "--json"]
QUESTIONS = Questions(episodes=8, rows=10)


def drifting(task: str, count: int, seed: int) -> tuple[Trajectory, ...]:
    """Return episodes in which the object comes nearer to its target, more or less."""
    found = []
    for number in range(seed, seed + count):
        rng = np.random.default_rng(number)
        features = rng.normal(size=(30, len(NAMES))).astype(np.float32)
        features[:, NAMES.index("object_target")] += np.linspace(2, -3 * rng.random(), 30)
        truth = -features[:, NAMES.index("object_target")].astype(np.float64)
        stamps = np.arange(30, dtype=np.int64) * 50_000_000
        found.append(Trajectory(f"{task}-{number}", stamps, features, truth=truth))
    return tuple(found)


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(asking, "simulated_trajectories", drifting)
    monkeypatch.setattr(torch, "set_num_threads", lambda count: None)


@pytest.fixture(scope="module")
def data() -> Asked:
    shown, unseen = Episodes(drifting("push", 8, 0)), Episodes(drifting("push", 4, 100))
    return asked(shown, unseen, QUESTIONS, 60, 0.0, 0)


def learnt(fit: FitConfig) -> BradleyTerry:
    return BradleyTerry(Config(fit))


def test_a_run_prints_the_figures_of_each_learner(capsys: pytest.CaptureFixture[str]) -> None:
    names = ("bradley_terry", "regret", "factor_ranking")
    wanted = [part for name in names for part in ("--learner", name)]
    assert main([*SMALL, "--seeds", "2", "--only", "learners", *wanted]) == 0
    result = json.loads(capsys.readouterr().out)
    assert list(result["learners"]) == list(names)
    for figures in result["learners"].values():
        assert set(figures) == {"accuracy_heldout", "rank_corr", "success_ratio_to_true", "fit_s"}
        assert figures["accuracy_heldout"] > 0.6
    assert result["peer_accuracy"] is None and result["failed"] == []


def test_an_unknown_learner_is_named() -> None:
    with pytest.raises(ConfigError, match="bradley_tery.*bradley_terry"):
        main([*SMALL, "--seeds", "1", "--only", "learners", "--learner", "bradley_tery"])


def test_every_entrant_can_be_made() -> None:
    for entrant in ENTRANTS.values():
        assert callable(entrant.make().fit)


def test_a_reward_is_made_that_serves(tmp_path: Path) -> None:
    path = tmp_path / "bt.safetensors"
    assert main([*SMALL, "--make-reward", str(path), "--seed", "3"]) == 0
    about = json.loads(path.with_suffix(".json").read_text())
    assert about["provenance"]["seed"] == 3
    assert about["provenance"]["feedback"]["comparisons"] == 40
    assert about["feature_names"] == list(NAMES)
    assert about["provenance"]["episodes"]["train"]  # which a report card leaves out
    served = LearnedReward(RewardConfig(path, use="watch"), load_hardware("sim_mujoco"))
    assert served.facts.task == "push"


def test_flaws_are_the_raters_and_the_questions_stay() -> None:
    shown = Episodes(drifting("push", 8, 0))
    right, wrong = (ask(shown, noisy(share, 0), 200, 10, np.random.default_rng(0)) for share in (0.0, 0.25))
    turned = [a.said != b.said for a, b in zip(right, wrong, strict=True)]
    assert [a.clips() for a in right] == [b.clips() for b in wrong]
    assert 0.15 < np.mean(turned) < 0.35


def test_tests_are_of_episodes_that_were_not_shown(data: Asked) -> None:
    shown = {clip.episode for entry in data.comparisons for clip in entry.clips()}
    assert not shown & {clip.episode for entry in data.tests for clip in entry.clips()}


def test_with_wrong_answers_the_ensemble_is_measured_beside_a_single_head(data: Asked) -> None:
    figures = measure_noise(data)
    assert set(figures) == {"ensemble", "single_head"}
    assert figures["ensemble"]["accuracy_heldout"] > 0.7


def test_a_tenfold_factor_changes_a_weighted_sum_and_not_a_ranking(data: Asked) -> None:
    figures = rescaling(data)
    assert figures["labels_changed"] == 0.0
    assert figures["order_changed"] < 0.02 < figures["order_changed_weighted_sum"]


def test_the_peer_gets_the_same_clips_and_its_figures_come_back(data: Asked, tmp_path: Path) -> None:
    stub = tmp_path / "stub.py"
    stub.write_text(
        "import json, sys, numpy as np\n"
        "d = np.load(sys.argv[1])\n"
        "assert d['train_first'].shape == (60, 10, 19) and d['test_second'].shape == (500, 10, 19)\n"
        "assert (int(d['members']), int(d['epochs']), int(d['batch'])) == (3, 2, 32)\n"
        "print(json.dumps({'accuracy': float(d['train_labels'].mean()), 'fit_s': 50.0}))\n"
    )
    python = tmp_path / "python"
    python.write_text(f'#!/bin/sh\nexec {sys.executable} {stub} "$2"\n')
    python.chmod(0o755)
    figures = beside_peer(python, data, 2)
    told = np.mean([entry.said.preferred for entry in data.comparisons])
    assert figures["peer_accuracy"] == pytest.approx(told)
    assert figures["times_faster"] == pytest.approx(50.0 / figures["fit_s_on_budget"])


def test_an_interpreter_without_the_peer_is_told_how_to_get_it(data: Asked) -> None:
    with pytest.raises(ConfigError, match=r"No module named 'imitation'.*pip install imitation==1\.0\.1"):
        beside_peer(Path(sys.executable), data, 1)


def test_an_interpreter_that_is_not_there_is_named(data: Asked) -> None:
    with pytest.raises(ConfigError, match="--peer /nowhere/python"):
        beside_peer(Path("/nowhere/python"), data, 1)


def test_clips_of_unequal_length_are_not_for_the_peer() -> None:
    rng = np.random.default_rng(0)
    episodes = Episodes(drifting("push", 2, 0))
    told = [*ask(episodes, noisy(0, 0), 2, 10, rng), *ask(episodes, noisy(0, 0), 2, 12, rng)]
    with pytest.raises(ConfigError, match="10 to 12 rows"):
        clips_of(episodes, told, "train")


def test_success_ratios_are_of_medians(tmp_path: Path) -> None:
    path = tmp_path / "policies.json"
    path.write_text(json.dumps({"true": [0.8, 1.0, 0.9], "learned": {"bradley_terry": [0.81, 0.9, 0.1]}}))
    assert success_ratios(path) == {"bradley_terry": pytest.approx(0.9)}
    assert success_ratios(None) == {}


@pytest.mark.parametrize(
    "text",
    ["no JSON", "[]", '{"true": [0.9]}', '{"true": [], "learned": {}}', '{"true": [2], "learned": {}}'],
)
def test_a_file_of_policies_that_says_something_else_is_named(text: str, tmp_path: Path) -> None:
    path = tmp_path / "policies.json"
    path.write_text(text)
    with pytest.raises(ConfigError, match="policies.json: expected"):
        success_ratios(path)


def test_policies_that_never_succeed_under_the_true_reward_give_no_ratio(tmp_path: Path) -> None:
    path = tmp_path / "policies.json"
    path.write_text('{"true": [0.0], "learned": {"regret": [0.5]}}')
    with pytest.raises(ConfigError, match="no success"):
        success_ratios(path)


def test_medians_go_as_deep_as_the_figures() -> None:
    assert medians([{"a": 1, "b": {"c": x}} for x in (3.0, 1.0, 2.0)]) == {"a": 1.0, "b": {"c": 2.0}}


def test_each_claim_that_does_not_hold_is_said() -> None:
    learner = {"fit_s": 21.0, "success_ratio_to_true": 0.85}
    failed = failures(
        {
            "learners": {"bradley_terry": learner},
            "peer_accuracy": 0.9,
            "accuracy_on_budget": 0.89,
            "times_faster": 2.9,
            "regret_world": {"log_likelihood_regret": -0.6, "log_likelihood_partial_return": -0.5},
            "noise": {"ensemble": {"accuracy_heldout": 0.6}, "single_head": {"accuracy_heldout": 0.7}},
            "factors": {"labels_changed": 0.0, "order_changed": 0.1},
        }
    )
    assert len(failed) == 7


def test_what_was_not_measured_is_not_held_against_anybody() -> None:
    learner = {"fit_s": 2.0, "success_ratio_to_true": None}
    assert failures({"learners": {"regret": learner}, "peer_accuracy": None}) == []


def test_a_plan_by_what_is_wanted_is_the_best_there_is() -> None:
    world = make_world(WorldConfig(side=4, features=3), np.random.default_rng(0))
    value, plan = best(world.transitions, world.features @ world.wanted, 0.95)
    states = np.arange(len(value))
    moves = world.transitions[states, plan]
    collected = np.linalg.solve(np.eye(len(value)) - 0.95 * moves, world.features @ world.wanted)
    np.testing.assert_allclose(collected, value, atol=1e-6)


def test_sensible_steps_have_no_regret_and_any_others_have_some() -> None:
    world = make_world(WorldConfig(side=4, features=3), np.random.default_rng(0))
    _, plan = best(world.transitions, world.features @ world.wanted, 0.95)
    starts = np.arange(16)
    sensible = world.transitions[starts, plan[:16]].argmax(-1)
    aimless = world.transitions[starts, (plan[:16] + 1) % 4].argmax(-1)
    states = np.stack([np.stack([starts, sensible], 1), np.stack([starts, aimless], 1)], 1)
    regret = true_regret(world, states, np.ones((16, 2), np.int64), 0.95)
    np.testing.assert_allclose(regret[:, 0], 0, atol=1e-5)
    assert (regret[:, 1] > -1e-5).all() and regret[:, 1].max() > 0.1


def test_a_learner_is_measured_on_what_it_has_not_seen(data: Asked) -> None:
    figures = measure(data, learnt(FitConfig(epochs=3)), data.comparisons)
    assert 0.5 < figures["accuracy_heldout"] <= 1 and 0 < figures["rank_corr"] <= 1
