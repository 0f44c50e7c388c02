"""`sinew run` as a user starts it, on a fake station."""

import csv
import json
import re
from pathlib import Path
from typing import Any

import pytest
from page import Page
from sinew_core import cli
from support import MODELS, last_json, run_fake


def read_page(folder: Path) -> Page:
    text = (folder / "out" / "report.html").read_text(encoding="utf-8")
    page = Page(text)
    for reference in page.references:
        assert reference.startswith(("#", "data:")), reference[:80]
    assert not re.search(r"url\(|@import", text)
    return page


def read_summary(folder: Path) -> Any:
    return json.loads((folder / "out" / "summary.json").read_text(encoding="utf-8"))


def read_rows(folder: Path) -> list[dict[str, str]]:
    with (folder / "out" / "episodes.csv").open(newline="") as file:
        return list(csv.DictReader(file))


def test_a_run_leaves_summary_table_and_report(tmp_path: Path) -> None:
    done = run_fake(tmp_path, "--episodes", "3", "--seed", "7", "--json")
    assert done.returncode == 0, done.stderr
    printed, summary = last_json(done.stdout), read_summary(tmp_path)
    assert printed["episodes"] == summary["episodes"] == 3
    assert printed["successes"] == 3
    assert printed["success_rate"] == 1.0
    assert printed["wilson_95"][1] == 1.0
    assert printed["seed"] == 7
    assert summary["complete"] is True
    assert summary["outcomes"] == {"success": 3}
    rows = read_rows(tmp_path)
    assert [row["seed"] for row in rows] == ["7", "8", "9"]
    assert {row["outcome"] for row in rows} == {"success"}
    assert {row["steps"] for row in rows} == {"12"}
    assert all(0 < int(row["limited_steps"]) <= 12 for row in rows)
    page = read_page(tmp_path)
    assert page.tags.count("video") == 3
    assert "velocity:shoulder_pan" in page.text
    assert "progress" in page.text


@pytest.mark.parametrize(("instruction", "outcome"), [("", "success"), ("find the unicorn", "refused")])
def test_the_report_shows_what_the_affordance_model_looked_at(
    tmp_path: Path, instruction: str, outcome: str
) -> None:
    drawn = ("--affordance", "stand_ins:DrawnAffordance", "--instruction", instruction)
    assert run_fake(tmp_path, "--episodes", "1", *drawn).returncode == 0
    assert read_summary(tmp_path)["outcomes"] == {outcome: 1}
    assert (tmp_path / "out" / "videos" / "episode_0000.jpg").is_file()
    assert "img" in read_page(tmp_path).tags


def test_a_picture_that_cannot_be_drawn_costs_no_episode(tmp_path: Path) -> None:
    done = run_fake(tmp_path, "--episodes", "1", "--affordance", "stand_ins:BrokenPencil")
    assert done.returncode == 0
    assert "the pencil is broken" in done.stderr
    assert read_summary(tmp_path)["outcomes"] == {"success": 1}


def test_without_video_there_is_none(tmp_path: Path) -> None:
    assert run_fake(tmp_path, "--episodes", "1", "--no-video").returncode == 0
    assert not (tmp_path / "out" / "videos").exists()
    assert "video" not in read_page(tmp_path).tags


def test_failing_to_do_the_task_is_no_error(tmp_path: Path) -> None:
    done = run_fake(tmp_path, "--episodes", "2", "--max-steps", "5")
    assert done.returncode == 0
    assert read_summary(tmp_path)["outcomes"] == {"timeout": 2}
    assert "report:" in done.stdout


def test_of_many_episodes_only_some_successes_keep_their_video(tmp_path: Path) -> None:
    assert run_fake(tmp_path, "--episodes", "21", success_after=2).returncode == 0
    assert read_page(tmp_path).tags.count("video") == 4
    assert len(list((tmp_path / "out" / "videos").iterdir())) == 4


def test_an_error_is_told_and_exits_with_1(tmp_path: Path) -> None:
    models = ("--policy", "stand_ins:NanPolicy", *MODELS[2:])
    done = run_fake(tmp_path, "--episodes", "2", "--json", models=models)
    assert done.returncode == 1
    assert "non-finite target" in done.stderr
    assert last_json(done.stdout)["outcomes"] == {"error": 2}
    assert any("non-finite target" in text for text in read_page(tmp_path).text)


def test_a_device_that_fails_ends_the_run_with_a_report(tmp_path: Path) -> None:
    done = run_fake(tmp_path, "--episodes", "3", station="stand_ins:Unplugged")
    assert done.returncode == 1
    assert "the plug was pulled" in done.stderr
    assert len(read_rows(tmp_path)) == 1
    assert any("OSError: the plug was pulled" in text for text in read_page(tmp_path).text)


def test_a_refusal_says_why(tmp_path: Path) -> None:
    done = run_fake(tmp_path, "--episodes", "1", "--instruction", "find the unicorn")
    assert done.returncode == 0
    assert "there is no unicorn" in done.stderr
    assert read_rows(tmp_path)[0]["message"] == "there is no unicorn"


def test_an_instruction_is_text_and_never_markup(tmp_path: Path) -> None:
    instruction = "<script>alert(1)</script> & \"quotes\" 'too'"
    assert run_fake(tmp_path, "--episodes", "1", "--instruction", instruction).returncode == 0
    page = read_page(tmp_path)
    assert "script" not in page.tags
    assert any(instruction in text for text in page.text)
    assert read_rows(tmp_path)[0]["instruction"] == instruction


def test_a_run_that_is_there_is_not_overwritten_unless_forced(tmp_path: Path) -> None:
    assert run_fake(tmp_path, "--episodes", "2").returncode == 0
    again = run_fake(tmp_path, "--episodes", "1")
    assert again.returncode == 2
    assert "--force" in again.stderr
    assert read_summary(tmp_path)["episodes"] == 2
    assert run_fake(tmp_path, "--episodes", "1", "--force").returncode == 0
    assert read_summary(tmp_path)["episodes"] == 1
    assert len(list((tmp_path / "out" / "videos").iterdir())) == 1


def test_what_was_in_the_folder_stays_there(tmp_path: Path) -> None:
    mine = tmp_path / "out" / "videos" / "holiday.mp4"
    mine.parent.mkdir(parents=True)
    mine.write_text("sun")
    assert run_fake(tmp_path, "--episodes", "1").returncode == 0
    assert run_fake(tmp_path, "--episodes", "1", "--force").returncode == 0
    assert mine.read_text() == "sun"


@pytest.mark.parametrize(
    ("option", "given", "meant"),
    [
        ("--hardware", "sim_mujocco", "sim_mujoco"),
        ("--task", "pick_plac", "pick_place"),
        ("--policy", "affordance_folower", "affordance_follower"),
        ("--reward", "goal_distanc", "goal_distance"),
        ("--affordance", "rule_groundin", "rule_grounding"),
        ("--graph", "proces", "process"),
    ],
)
def test_an_unknown_name_is_answered_with_the_nearest(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], option: str, given: str, meant: str
) -> None:
    assert cli.main(["run", "--out", str(tmp_path / "out"), option, given]) == 2
    assert f"'{given}'. Did you mean '{meant}'?" in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


def test_a_plugin_that_does_not_exist_leaves_no_folder(tmp_path: Path) -> None:
    done = run_fake(tmp_path, models=("--policy", "stand_ins:SwayPolici", *MODELS[2:]))
    assert done.returncode == 2
    assert "Did you mean 'SwayPolicy'?" in done.stderr
    assert not (tmp_path / "out").exists()


def test_the_process_graph_refuses_hardware_without_a_world(tmp_path: Path) -> None:
    done = run_fake(tmp_path, world=False)
    assert done.returncode == 2
    assert "--graph ros" in done.stderr


@pytest.mark.parametrize("option", ["--episodes", "--seed", "--max-steps"])
def test_a_count_that_is_none_is_refused(capsys: pytest.CaptureFixture[str], option: str) -> None:
    with pytest.raises(SystemExit, match="2"):
        cli.main(["run", option, "-1"])
    assert "expected a whole number" in capsys.readouterr().err
