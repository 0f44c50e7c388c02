"""`sinew reward fit` and `report`: from a log to weights, to a card that lets them in, or does not."""

from __future__ import annotations

import json
import re
from pathlib import Path

import numpy as np
import pytest
from made_up import trajectories, write
from sinew_core import cli
from sinew_core.errors import ConfigError
from sinew_core.hardware import load_hardware
from sinew_core.models import make_reward
from sinew_data.feedback import log
from sinew_data.feedback.entries import make_entry
from sinew_data.feedback.types import Clip, Comparison
from sinew_rewards.learned.saved import load_learned
from sinew_rewards.report import command
from sinew_rewards.report.card import load_card
from sinew_rewards.report.episode_file import save_episodes

LEARNER = "tests.rewards.tiny_learned:TinyLearner"


def sinew(*arguments: object) -> int:
    return cli.main(["reward", *map(str, arguments)])


@pytest.fixture
def made(tmp_path: Path) -> tuple[Path, Path, Path]:
    """Episodes, a log, and weights that were fitted to both."""
    episodes, entries = write(tmp_path)
    weights = tmp_path / "tiny.safetensors"
    assert sinew("fit", LEARNER, "--episodes", episodes, "--feedback", entries, "--out", weights) == 0
    return episodes, entries, weights


def report(made: tuple[Path, Path, Path], *more: object) -> int:
    episodes, entries, weights = made
    return sinew("report", weights, "--episodes", episodes, "--feedback", entries, *more)


def test_what_was_fitted_says_what_it_was_made_of(made: tuple[Path, Path, Path]) -> None:
    episodes, _, weights = made
    _, facts = load_learned(weights)
    p = facts.provenance
    assert p["learner"] == LEARNER
    assert p["config"] == {"rate": 1.0}
    assert len(p["episodes"]["train"]) == 12
    assert len(p["episodes"]["held_out"]) == 4
    assert not set(p["episodes"]["train"]) & set(p["episodes"]["held_out"])
    assert 0 < p["feedback"]["entries"] < 200
    assert p["feedback"]["entries"] + p["feedback"]["about_held_out"] == 200
    assert str(episodes.parent) not in json.dumps(p)
    assert facts.spreads[0].highest == pytest.approx(1.0)
    assert facts.robot == "so101"


def test_the_same_fit_gives_the_same_weights_and_digest(
    made: tuple[Path, Path, Path], tmp_path: Path
) -> None:
    episodes, entries, weights = made
    again = tmp_path / "again.safetensors"
    sinew("fit", LEARNER, "--episodes", episodes, "--feedback", entries, "--out", again)
    (_, one), (_, other) = load_learned(weights), load_learned(again)
    assert one.weights_sha256 == other.weights_sha256
    assert one.provenance["feedback"] == other.provenance["feedback"]


def test_the_learners_configuration_is_read_strictly(
    made: tuple[Path, Path, Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    episodes, entries, _ = made
    config = tmp_path / "config.yaml"
    arguments = ["--episodes", episodes, "--feedback", entries, "--config", config]
    config.write_text("rate: 2.0\n")
    assert sinew("fit", LEARNER, *arguments, "--out", tmp_path / "two.safetensors") == 0
    assert load_learned(tmp_path / "two.safetensors")[1].provenance["config"] == {"rate": 2.0}
    config.write_text("raet: 2.0\n")
    assert sinew("fit", LEARNER, *arguments, "--out", tmp_path / "no.safetensors") == 2
    assert "unknown key 'raet'. Did you mean 'rate'" in capsys.readouterr().err
    assert not (tmp_path / "no.safetensors").exists()


@pytest.mark.parametrize(
    ("learner", "sentence"),
    [
        ("bradley_terri", "Did you mean 'bradley_terry'"),
        ("tests.rewards.tiny_learned:Gone", "has no class 'Gone'"),
        ("tests.rewards.tiny_learned:TinyScorer", "is no Learner: it lacks fit"),
        ("tests.rewards.tiny_learned:NoScorer", "returned a str, no Scorer"),
    ],
)
def test_a_learner_that_is_none_is_named(
    made: tuple[Path, Path, Path], capsys: pytest.CaptureFixture[str], learner: str, sentence: str
) -> None:
    episodes, entries, weights = made
    out = weights.with_name("no.safetensors")
    assert sinew("fit", learner, "--episodes", episodes, "--feedback", entries, "--out", out) == 2
    assert sentence in capsys.readouterr().err
    assert not out.exists()


def test_feedback_on_a_lost_episode_is_told_and_left_out(
    made: tuple[Path, Path, Path], capsys: pytest.CaptureFixture[str]
) -> None:
    episodes, entries, weights = made
    lost = Comparison(Clip("gone"), Clip("episode-00"), 1.0)
    log.append(entries, [make_entry(lost, "anna", 2, "person")])
    assert sinew("fit", LEARNER, "--episodes", episodes, "--feedback", entries, "--out", weights) == 0
    assert "1 of 201 entries speak of episodes that are not there: gone" in capsys.readouterr().err


def test_a_log_about_other_episodes_is_an_error(
    made: tuple[Path, Path, Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    episodes, _, weights = made
    other = tmp_path / "other.jsonl"
    log.append(other, [make_entry(Comparison(Clip("x"), Clip("y"), 1.0), "anna", 2, "person")])
    assert sinew("fit", LEARNER, "--episodes", episodes, "--feedback", other, "--out", weights) == 2
    assert "nothing in it is about these episodes" in capsys.readouterr().err


def test_all_ties_cannot_be_learnt_from(
    made: tuple[Path, Path, Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    episodes, _, weights = made
    ties, names = tmp_path / "ties.jsonl", [item.name for item in trajectories()]
    said = [Comparison(Clip(a), Clip(b), 0.5) for a in names for b in names if a < b]
    log.append(ties, [make_entry(each, "anna", 1, "person") for each in said])
    assert sinew("fit", LEARNER, "--episodes", episodes, "--feedback", ties, "--out", weights) == 2
    assert "the feedback cannot be learnt from: nothing says" in capsys.readouterr().err


def test_a_good_reward_passes_and_is_let_in(
    made: tuple[Path, Path, Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    gates = tmp_path / "gates.yaml"
    gates.write_text("rank_correlation: {least: 0.6}\ncomparison_accuracy: {least: 0.9}\n")
    hardware = load_hardware("sim_mujoco")
    with pytest.raises(ConfigError, match="no report card"):
        make_reward(str(made[2]), hardware, "push")
    assert report(made, "--gates", gates) == 0
    assert "it passes its gates" in capsys.readouterr().out
    card = load_card(made[2].with_suffix(".card.json"))
    assert card.figures["rank_correlation"] > 0.9
    assert card.figures["pair_accuracy"] == 1.0
    assert 0.0 <= card.figures["starc_distance"] <= 1.0
    assert card.figures["latency_ms"] > 0
    assert card.details["ablations"][0]["what"] == "tip_object_x"
    assert make_reward(str(made[2]), hardware, "push")


def test_a_reward_that_fails_its_gates_is_kept_out(made: tuple[Path, Path, Path], tmp_path: Path) -> None:
    gates = tmp_path / "gates.yaml"
    gates.write_text("episodes: {least: 100}\n")
    assert report(made, "--gates", gates) == 1
    with pytest.raises(ConfigError, match=r"episodes 4 \(at least 100\)"):
        make_reward(str(made[2]), load_hardware("sim_mujoco"), "push")


def test_too_few_episodes_do_not_pass_the_usual_gates(made: tuple[Path, Path, Path]) -> None:
    assert report(made) == 1  # four held-out episodes


def test_the_card_is_about_episodes_that_were_held_out(made: tuple[Path, Path, Path]) -> None:
    report(made)
    card = load_card(made[2].with_suffix(".card.json"))
    held_out = load_learned(made[2])[1].provenance["episodes"]["held_out"]
    assert sorted(card.held_out) == sorted(held_out)


def test_other_episodes_can_be_tested_on(made: tuple[Path, Path, Path], tmp_path: Path) -> None:
    others = tmp_path / "others.safetensors"
    save_episodes(others, trajectories(40)[20:], task="push", robot="so101")
    sinew("report", made[2], "--episodes", others)
    card = load_card(made[2].with_suffix(".card.json"))
    assert len(card.held_out) == 20
    assert card.details["asked"] == "truth"
    assert card.figures["comparison_accuracy"] > 0.9


def test_there_must_be_something_to_test_on(
    made: tuple[Path, Path, Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    names = load_learned(made[2])[1].provenance["episodes"]["train"]
    seen = tmp_path / "seen.safetensors"
    save_episodes(seen, [t for t in trajectories() if t.name in names], task="push", robot="so101")
    assert sinew("report", made[2], "--episodes", seen) == 2
    assert "learnt from all 12 episodes" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ({"robot": "fr3"}, "learnt on the robot 'so101', the episodes are of 'fr3'"),
        ({"tag": "keypoints_0"}, "learnt on other features"),
    ],
)
def test_episodes_that_do_not_fit_are_refused(
    made: tuple[Path, Path, Path],
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    options: dict[str, str],
    sentence: str,
) -> None:
    other = tmp_path / "other.safetensors"
    save_episodes(other, trajectories(4), **{"task": "push", "robot": "so101", **options})
    assert sinew("report", made[2], "--episodes", other) == 2
    assert sentence in capsys.readouterr().err


def test_the_page_is_whole_in_itself_and_says_what_failed(made: tuple[Path, Path, Path]) -> None:
    report(made)
    page = made[2].with_suffix(".card.html").read_text()
    assert "It fails, and may neither train nor end episodes" in page
    assert "episodes 4 (at least 5)" in page
    assert "default-src 'none'" in page
    assert not re.search(r"<script|https?://(?!www\.w3\.org)|src='(?!data:)|<link(?! rel=\"icon\")", page)
    for title in ("How it sees the episodes", "What it looks at", "Lint", "What was asked of it"):
        assert title in page


def test_pictures_of_the_worst_errors_are_in_the_page(tmp_path: Path) -> None:
    import dataclasses

    items = trajectories(16)
    items = [dataclasses.replace(i, pictures=np.full((30, 8, 8, 3), 90, np.uint8)) for i in items]
    episodes, weights = tmp_path / "episodes.safetensors", tmp_path / "tiny.safetensors"
    _, entries = write(tmp_path)
    save_episodes(episodes, items, task="push", robot="so101")
    sinew("fit", LEARNER, "--episodes", episodes, "--feedback", entries, "--out", weights, "--seed", 1)
    sinew("report", weights, "--episodes", episodes, "--feedback", entries)
    assert "data:image/png;base64," in weights.with_suffix(".card.html").read_text()


def test_one_json_object_is_printed(
    made: tuple[Path, Path, Path], capsys: pytest.CaptureFixture[str]
) -> None:
    capsys.readouterr()
    report(made, "--json")
    said = json.loads(capsys.readouterr().out)
    assert said["passed"] is False
    assert said["failures"] == ["episodes 4 (at least 5)"]
    assert said["figures"]["episodes"] == 4.0


def test_a_reward_that_is_not_learned_wants_observations(
    made: tuple[Path, Path, Path], capsys: pytest.CaptureFixture[str]
) -> None:
    assert sinew("report", "goal_distance", "--episodes", made[0]) == 2
    assert "wants observations" in capsys.readouterr().err


def test_a_reward_compared_with_a_rescaled_copy_is_alike(
    made: tuple[Path, Path, Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    episodes, entries, weights = made
    config, copy = tmp_path / "config.yaml", tmp_path / "copy.safetensors"
    config.write_text("rate: 7.0\n")
    arguments = ["--episodes", episodes, "--feedback", entries, "--config", config, "--out", copy]
    sinew("fit", LEARNER, *arguments)
    capsys.readouterr()
    assert sinew("compare", weights, copy, "truth", "--episodes", episodes, "--json") == 0
    rows = {(Path(r["first"]).stem, Path(r["second"]).stem): r for r in json.loads(capsys.readouterr().out)}
    assert rows["tiny", "copy"]["starc_distance"] < 1e-3
    assert rows["tiny", "copy"]["return_correlation"] == pytest.approx(1.0)
    assert rows["tiny", "truth"]["starc_distance"] > 1e-2


def test_lint_of_a_reward_that_never_changes_fails(
    made: tuple[Path, Path, Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    episodes, entries, _ = made
    config, nothing = tmp_path / "config.yaml", tmp_path / "nothing.safetensors"
    config.write_text("rate: 0.0\n")
    arguments = ["--episodes", episodes, "--feedback", entries, "--config", config, "--out", nothing]
    sinew("fit", LEARNER, *arguments)
    assert sinew("lint", nothing, "--episodes", episodes) == 1
    assert "there is nothing to learn from" in capsys.readouterr().out
    assert sinew("lint", made[2], "--episodes", episodes) == 0


def test_the_verbs_are_listed_and_a_wrong_one_is_named(capsys: pytest.CaptureFixture[str]) -> None:
    assert command.main([]) == 2
    listed = capsys.readouterr().out
    assert all(verb in listed for verb in ("fit", "report", "lint", "relabel", "labels", "compare"))
    with pytest.raises(ConfigError, match="unknown verb 'reprt'. Did you mean 'report'"):
        command.main(["reprt"])
