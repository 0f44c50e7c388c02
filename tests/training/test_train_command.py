"""`sinew train` and `sinew eval` as they are typed, wrong input included."""

import json

import pytest
from sinew_core.cli import main
from sinew_core.config import load_yaml

TINY = """
agent: {plugin: "sinew_policies.agents.rlpd:Rlpd", hidden: [16, 16], critics: 2, updates: 1}
steps: 12
max_steps: 24
batch: 16
capacity: 500
demonstrations: 1
evaluate_every: 12
evaluation_episodes: 1
"""


@pytest.fixture
def tiny(tmp_path):
    path = tmp_path / "tiny.yaml"
    path.write_text(TINY)
    return path


def said(capsys):
    return " ".join(capsys.readouterr().err.split())


def test_a_folder_that_holds_something_is_not_written_into(tmp_path, tiny, capsys):
    (tmp_path / "there").mkdir()
    (tmp_path / "there/precious").write_text("x")
    assert main(["train", "--config", str(tiny), "--out", str(tmp_path / "there")]) == 2
    assert "is not empty" in said(capsys)
    assert [path.name for path in (tmp_path / "there").iterdir()] == ["precious"]


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["--algo", "sacc"], "Did you mean 'sac'"),
        (["--task", "pick_palce"], "pick_place"),
        (["--reward", "sprse"], "unknown reward 'sprse'"),
        (["--hardware", "sim_mujocco"], "sim_mujoco"),
        (["--dataset", "/no/such/folder"], "does not exist"),
        (["--offline", "--demos", "0"], "wants demonstrations"),
    ],
)
def test_a_wrong_name_is_answered_with_a_hint(tmp_path, arguments, sentence, capsys):
    assert main(["train", "--out", str(tmp_path / "run"), *arguments]) == 2
    assert sentence in said(capsys)


def test_an_unknown_field_of_the_configuration_is_named(tmp_path, tiny, capsys):
    tiny.write_text(TINY + "stpes: 3\n")
    assert main(["train", "--config", str(tiny), "--out", str(tmp_path / "run")]) == 2
    assert "unknown key 'stpes'" in said(capsys)


def test_resuming_what_is_no_training_is_an_error(tmp_path, capsys):
    assert main(["train", "--resume", "--out", str(tmp_path)]) == 2
    assert "is no training" in said(capsys)


def test_nothing_may_be_given_anew_with_resume(tmp_path, capsys):
    assert main(["train", "--resume", "--out", str(tmp_path), "--seed", "3"]) == 2
    assert "--resume goes on with what the run was begun with" in said(capsys)


def test_eval_of_a_folder_without_a_policy_says_what_is_missing(tmp_path, capsys):
    assert main(["eval", str(tmp_path)]) == 2
    assert "policy.safetensors: no such file" in said(capsys)


def test_a_training_from_the_command_line_leaves_a_run_that_eval_reads(tmp_path, tiny, capsys):
    run = tmp_path / "run"
    given = ["--config", str(tiny), "--task", "push", "--out", str(run), "--final-episodes", "0", "--json"]
    assert main(["train", *given]) == 0
    result = json.loads(capsys.readouterr().out.splitlines()[-1])
    assert {"steps", "wall_s", "success_rate", "wilson_95"} <= result.keys()
    assert main(["eval", str(run), "--task", "push", "--episodes", "1", "--max-steps", "20", "--json"]) == 0
    assert json.loads(capsys.readouterr().out.splitlines()[-1])["episodes"] == 1


def test_a_judge_that_is_named_keeps_the_other_settings_of_the_configuration(tmp_path, tiny):
    tiny.write_text(TINY + "judge: {success_frames: 3}\n")
    (tmp_path / "patient.yaml").write_text('plugin: "judges:Patient"\nlooks: 5\n')
    named = ["--config", str(tiny), "--judge", str(tmp_path / "patient.yaml"), "--final-episodes", "0"]
    assert main(["train", *named, "--out", str(tmp_path / "run")]) == 0
    judge = load_yaml(tmp_path / "run/config.yaml")["judge"]
    assert judge["success_frames"] == 3
    assert judge["success"]["plugin"] == "judges:Patient"
