"""`sinew bench demo-rewards` in small, on episodes that are drawn, not simulated."""

import json
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sinew_core.errors import ConfigError
from sinew_eval.benches.demo_rewards import command, splitting
from sinew_eval.benches.demo_rewards.entrants import AT_MOST, Claim, Entrant, all_entrants, entrant
from sinew_eval.benches.demo_rewards.measuring import cut_errors, equal_cuts, measure
from sinew_eval.benches.demo_rewards.splitting import Sizes, split
from sinew_rewards.learned.trajectory import Trajectory
from sinew_rewards.learners.perceptual_steps import Config, PerceptualSteps

SIZES = Sizes(episodes=16, demonstrations=3, others=2)
SMALL = ("--episodes", "16", "--demonstrations", "3", "--others", "2", "--seeds", "2", "--json")


def drawn(task: str, count: int, seed: int, *, size: int = 0) -> tuple[Trajectory, ...]:
    """Return episodes that go through three places in turn; every second one stays at the first."""
    return tuple(_episode(task, seed + i, size) for i in range(count))


def _episode(task: str, seed: int, size: int) -> Trajectory:
    rng, success = np.random.default_rng(seed), seed % 2 == 0
    corners = np.array([[0, 0, 0], [4, 0, 1], [4, 4, 0], [0, 4, 3]], np.float64)
    parts = [np.linspace(a, b, 20, endpoint=False) for a, b in pairwise(corners)]
    way = np.concatenate(parts) if success else np.repeat(parts[0][:8], 8, axis=0)
    progress = np.arange(len(way)) / 60 if success else np.linspace(0, 0.15, len(way))
    return Trajectory(
        f"{task}-{seed}",
        50_000_000 * np.arange(len(way), dtype=np.int64),
        (way + 0.02 * rng.normal(size=way.shape)).astype(np.float32),
        success,
        progress=progress,
        stages=np.minimum(np.arange(len(way)) // 20, 2) if success else np.zeros(len(way), np.int64),
        pictures=rng.integers(0, 255, (len(way), size, size, 3), np.uint8) if size else None,
    )


@pytest.fixture(autouse=True)
def _drawn_episodes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(splitting, "simulated_trajectories", drawn)


def run(capsys: pytest.CaptureFixture[str], *options: str) -> tuple[int, dict[str, Any]]:
    code = command.main([*SMALL, *options])
    return code, json.loads(capsys.readouterr().out.splitlines()[-1])


def test_a_learner_that_understands_passes(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    code, result = run(capsys, "--learner", "perceptual_steps", "--out", str(tmp_path / "figures.json"))
    figures = result["learners"]["perceptual_steps"]
    assert code == 0 and result["failed"] == []
    assert figures["rank_corr"] > 0.8 and figures["pair_accuracy"] == 1.0
    assert set(figures["tasks"]) == {"pick_place", "push"}
    assert result == json.loads((tmp_path / "figures.json").read_text())


def test_sub_goals_are_where_the_stages_change(capsys: pytest.CaptureFixture[str]) -> None:
    code, result = run(capsys, "--learner", "subgoals", "--task", "push")
    assert code == 0
    assert result["learners"]["subgoals"]["cut_error_frames"] <= 2


def test_a_learner_that_looks_at_pictures_is_another_entrant(capsys: pytest.CaptureFixture[str]) -> None:
    options = ("--learner", "subgoals", "--task", "push", "--look", "pictures", "--look", "keypoints")
    learners = run(capsys, *options)[1]["learners"]
    assert {name: each["look"] for name, each in learners.items()} == {
        "subgoals:pictures": "pictures",
        "subgoals": "keypoints",
    }


def test_a_claim_that_does_not_hold_fails_the_bench(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    one = Entrant(entrant("perceptual_steps", "keypoints").spec, claims=(Claim("rank_corr", 1.01),))
    figures = measure(one.learner(), split(drawn("push", 16, 0), SIZES, 0), 0)
    summary = command.summarise({"push": {"one": figures}}, {"one": one})
    assert summary["failed"] == [f"one: rank_corr {figures['rank_corr']}, expected at least 1.01"]


def test_a_figure_is_that_of_the_worse_task() -> None:
    one = Entrant({}, claims=(Claim("cut_error_frames", 10.0, AT_MOST),))
    tasks = {
        task: {"one": {"rank_corr": rank, "cut_error_frames": cut}}
        for task, rank, cut in (("a", 0.9, 12.0), ("b", 0.8, 3.0))
    }
    summary = command.summarise(tasks, {"one": one})
    assert summary["learners"]["one"]["rank_corr"] == 0.8
    assert summary["learners"]["one"]["cut_error_frames"] == 12.0
    assert len(summary["failed"]) == 1


def test_a_figure_that_is_not_there_holds_no_claim() -> None:
    assert not Claim("rank_corr", 0.0).holds(None)


def test_nothing_that_was_shown_is_tested_on() -> None:
    for seed in range(5):
        found = split(drawn("push", 16, 0), SIZES, seed)
        shown = {item.name for item in found.shown.trajectories}
        assert len(shown) == 5 and not shown & {item.name for item in found.unseen}
        assert len(found.unseen) == 11
        assert sum(item.success is True for item in found.shown.trajectories) == 3


def test_other_seeds_show_other_demonstrations() -> None:
    first, other = (split(drawn("push", 16, 0), SIZES, seed).shown.trajectories for seed in (0, 1))
    assert {item.name for item in first} != {item.name for item in other}


def test_too_few_successes_are_counted_out() -> None:
    with pytest.raises(ConfigError, match="of 16 episodes 8 succeed and 8 fail; expected more than 8"):
        split(drawn("push", 16, 0), Sizes(16, 8, 2), 0)


def test_sizes_that_leave_nothing_to_test_on_are_refused() -> None:
    with pytest.raises(ConfigError, match=r"more than 5 \+ 15 episodes, got 20"):
        Sizes(20)


def test_cuts_are_held_against_changes_both_ways() -> None:
    assert cut_errors([10, 30, 59], [12, 57], 59) == [2, 18, 2, 2]
    assert cut_errors([59], [12], 59) == [47]
    assert cut_errors([10, 59], [], 59) == []


def test_equal_parts_end_with_the_episode() -> None:
    assert equal_cuts(60, 3) == [19, 39, 59]


def test_a_scorer_without_cuts_has_no_error_of_them() -> None:
    given = split(drawn("push", 16, 0), SIZES, 0)
    quick = Entrant({**entrant("maximum_entropy", "keypoints").spec, "steps": 3, "hidden": (8,)})
    figures = measure(quick.learner(), given, 0)
    assert figures["cut_error_frames"] is None and figures["pair_accuracy"] is not None


def test_any_learner_can_take_part_by_its_class() -> None:
    spelled = entrant("sinew_rewards.learners.perceptual_steps:PerceptualSteps", "keypoints")
    assert isinstance(spelled.learner(), PerceptualSteps) and spelled.claims == ()


def test_any_learner_can_take_part_by_a_file(tmp_path: Path) -> None:
    file = tmp_path / "mine.yaml"
    file.write_text("{plugin: 'sinew_rewards.learners.perceptual_steps:PerceptualSteps', steps: 3}")
    built = entrant(str(file), "pictures").learner()
    assert isinstance(built, PerceptualSteps) and built._config == Config(steps=3)


def test_all_entrants_can_be_built() -> None:
    assert {"adversarial_irl", "maximum_entropy", "goal_embedding:pictures"} <= set(all_entrants())
    for each in all_entrants().values():
        each.learner()


@pytest.mark.parametrize(
    "options, sentence",
    [
        (("--learner", "subgoal"), "unknown learner 'subgoal'.*subgoals"),
        (("--learner", "maximum_entropy", "--look", "pictures"), "does not look at pictures here"),
        (("--look", "pictures", "--encoder", "gone.safetensors"), r"gone\.safetensors"),
    ],
)
def test_what_cannot_be_measured_is_refused_with_a_sentence(options: tuple[str, ...], sentence: str) -> None:
    with pytest.raises(ConfigError, match=sentence):
        command.main([*SMALL, *options])
