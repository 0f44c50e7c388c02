"""Splits, ablations, worst errors, gates and the chain to success."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from made_up import ROWS, clip, said, trajectories, trajectory
from sinew_core.errors import ConfigError
from sinew_data.feedback.types import Comparison
from sinew_rewards.learned.saved import spreads_of
from sinew_rewards.learned.trajectory import Episodes
from sinew_rewards.report.ablation import Part, ablations, feature_parts
from sinew_rewards.report.card import GATES
from sinew_rewards.report.chain import read_chain, weak_link
from sinew_rewards.report.gates import FIGURES, load_gates
from sinew_rewards.report.mistakes import Describer, worst
from sinew_rewards.report.ordering import ordering_figures
from sinew_rewards.report.preferences import predict
from sinew_rewards.report.splits import split, unseen

from tests.rewards.tiny_learned import SIZE

NAMES = [f"f{i}" for i in range(SIZE)]
GOOD = {"pair_accuracy": 0.9, "rank_correlation": 0.9}


def test_both_parts_have_successes_and_failures_and_nothing_twice() -> None:
    parts = split(Episodes(trajectories(16)), 0.25, 0)
    names = [{item.name for item in part.trajectories} for part in (parts.train, parts.held_out)]
    assert len(names[0]) == 12
    assert len(names[1]) == 4
    assert not names[0] & names[1]
    for part in (parts.train, parts.held_out):
        assert {item.success for item in part.trajectories} == {True, False}


def test_what_branched_from_one_episode_stays_together() -> None:
    items = [trajectory(i, tree=f"tree-{i // 4}") for i in range(16)]
    parts = split(Episodes(items), 0.5, 3)
    trees = [{item.tree for item in part.trajectories} for part in (parts.train, parts.held_out)]
    assert not trees[0] & trees[1]
    left = unseen(Episodes(items), set(), {"tree-0"})
    assert {item.tree for item in left} == {"tree-1", "tree-2", "tree-3"}


def test_the_seed_decides_the_split() -> None:
    names = [
        [item.name for item in split(Episodes(trajectories(16)), 0.25, seed).held_out.trajectories]
        for seed in (0, 0, 1)
    ]
    assert names[0] == names[1] != names[2]


def test_an_episode_alone_cannot_be_held_out() -> None:
    with pytest.raises(ConfigError, match="none can be held out"):
        split(Episodes([trajectory(0)]), 0.25, 0)
    with pytest.raises(ConfigError, match="expected a share"):
        split(Episodes(trajectories(4)), 1.0, 0)


def test_only_the_feature_that_is_looked_at_costs_something() -> None:
    items = trajectories(8)
    rows = np.concatenate([item.features for item in items])

    def measure(changed):
        return ordering_figures([said(item, item.features[:, 0]) for item in changed], "value")

    found = ablations(feature_parts(NAMES, spreads_of(rows)), items, measure)
    assert found[0].what == "f0"
    assert found[0].cost > 0.9
    assert all(item.cost == 0.0 for item in found[1:])
    assert items[0].features[0, 0] == 0.0  # the episodes themselves are as they were


def test_a_part_of_several_columns_goes_as_one() -> None:
    items = trajectories(4)
    part = Part("camera", slice(0, 3), np.array([7.0, 8.0, 9.0]))
    seen = []

    def measure(changed):
        seen.append(changed[0].features)
        return {"pair_accuracy": 1.0}

    ablations([part], items, measure)
    assert (seen[1][:, :3] == [7.0, 8.0, 9.0]).all()
    np.testing.assert_array_equal(seen[1][:, 3:], items[0].features[:, 3:])


def describer() -> Describer:
    rows = np.concatenate([item.features for item in trajectories(8)])
    return Describer(NAMES, spreads_of(rows))


def test_the_worst_comparison_is_the_one_it_is_surest_of() -> None:
    items = trajectories(4)
    episodes = Episodes(items)
    values = {item.name: said(item, item.features[:, 0]).estimates for item in items}
    near = Comparison(clip(items[0], 0, 4), clip(items[0], 10, 14), 1.0)
    far = Comparison(clip(items[1], 0, 4), clip(items[2], 25, 29), 1.0)
    right = Comparison(clip(items[0], 25, 29), clip(items[1], 0, 4), 1.0)
    found = worst([], "value", predict([near, right, far], episodes, values), episodes, describer())
    assert [len(item.moments) for item in found] == [2, 2]
    preferred, choice = found[0].moments
    assert (preferred.episode, choice.episode) == ("episode-01", "episode-02")
    assert preferred.role == "preferred"
    assert preferred.features[0][0] == "f0"  # in which they differ most


def test_a_failure_that_ends_as_high_as_a_success_is_shown() -> None:
    items = trajectories(6)
    cases = [said(item, item.features[:, 0]) for item in items[:5]]
    cases.append(said(items[5], np.ones(ROWS)))
    found = [x for x in worst(cases, "value", [], Episodes(items), describer()) if x.kind == "failure"]
    assert [item.moments[0].episode for item in found] == ["episode-05"]
    assert "no lower than 3 of 3 successes" in found[0].sentence


def test_a_step_out_of_order_is_shown_where_it_is() -> None:
    item = trajectory(0)
    value = item.features[:, 0].copy()
    value[3] = 9.0
    (found,) = worst([said(item, value)], "value", [], Episodes([item]), describer())
    assert found.moments[0].row == 3
    assert "too high" in found.sentence


def test_a_right_reward_has_no_worst_errors() -> None:
    items = trajectories(6)
    cases = [said(item, item.features[:, 0]) for item in items]
    assert worst(cases, "value", [], Episodes(items), describer()) == []


def gates(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "gates.yaml"
    path.write_text(text)
    return path


def test_the_gates_of_a_file_stand_in_for_the_usual_ones(tmp_path: Path) -> None:
    path = gates(tmp_path, "success_first: {least: 0.5}\nlatency_ms: {most: 1.0}\n")
    assert [(g.figure, g.least, g.most) for g in load_gates(path)] == [
        ("success_first", 0.5, None),
        ("latency_ms", None, 1.0),
    ]
    assert load_gates(None) == GATES
    assert {gate.figure for gate in GATES} <= set(FIGURES)


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("pair_acuracy: {least: 0.9}", "Did you mean 'pair_accuracy'"),
        ("pair_accuracy: {at_least: 0.9}", "unknown key 'at_least'"),
        ("pair_accuracy: {}", "expected `least`, `most` or both"),
        ("pair_accuracy: {least: 0.9, most: 0.1}", "nothing is at least"),
        ("pair_accuracy: {least: .nan}", "expected a finite number"),
        ("{}", "asks for nothing"),
        ("pair_accuracy: 0.9", "expected a mapping of"),
    ],
)
def test_a_mistake_in_the_gates_is_named(tmp_path: Path, text: str, sentence: str) -> None:
    with pytest.raises(ConfigError, match=sentence):
        load_gates(gates(tmp_path, text))


@pytest.mark.parametrize(
    ("accuracy", "gain", "success", "weak"),
    [
        (GOOD, 2.0, (0.1, 0.9), "none"),
        (GOOD, 2.0, (0.1, 0.1), "aim"),
        (GOOD, 0.0, (0.1, 0.1), "learner"),
        ({**GOOD, "pair_accuracy": 0.5}, 2.0, (0.1, 0.1), "reward"),
        ({**GOOD, "pair_accuracy": 0.5}, 0.0, (0.1, 0.1), "reward"),
    ],
)
def test_the_weak_link_is_named(
    accuracy: dict[str, float], gain: float, success: tuple[float, float], weak: str
) -> None:
    link, sentence = weak_link(accuracy, gain, *success)
    assert link == weak
    assert sentence


def run(folder: Path, returns: list[float], rates: list[float]) -> Path:
    folder.mkdir()
    lines = [
        {"kind": "episode", "steps": i, "return": value, "success": value > 5}
        for i, value in enumerate(returns)
    ]
    lines += [{"kind": "evaluation", "steps": 99, "success_rate": rate} for rate in rates]
    text = "\n".join(json.dumps(line) for line in lines)
    (folder / "progress.jsonl").write_text(text + '\n{"kind": "episode", "retu')  # killed while it wrote
    (folder / "config.yaml").write_text("task: push\nreward: mine.safetensors\n")
    return folder


def test_a_training_whose_return_rises_without_success_has_its_aim_wrong(tmp_path: Path) -> None:
    rising = [i / 10 + (i % 2) / 5 for i in range(40)]
    chain = read_chain(run(tmp_path / "run", rising, [0.1, 0.12]), GOOD)
    assert chain.weak == "aim"
    assert chain.reward == "mine.safetensors"
    assert chain.return_last > chain.return_first
    assert (chain.success_first, chain.success_last) == (0.1, 0.12)


def test_a_training_that_is_none_or_too_short_is_told(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="is no training"):
        read_chain(tmp_path, GOOD)
    with pytest.raises(ConfigError, match="has 3 episodes; at least 10"):
        read_chain(run(tmp_path / "run", [1.0, 2.0, 3.0], []), GOOD)
