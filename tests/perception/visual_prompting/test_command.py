"""`sinew affordance`: from a file or a scene to an answer and its picture."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from chat_server import ChatServer
from sinew_core.cli import main
from sinew_core.types import Observation

SCENE = ["--task", "pick_place", "--seed", "3"]


@pytest.fixture
def files(observe: Any, tmp_path: Path) -> dict[str, Path]:
    observation: Observation = observe()
    paths = {name: tmp_path / f"{name}.png" for name in ("top", "side", "depth")}
    for name in ("top", "side"):
        cv2.imwrite(str(paths[name]), observation.frames[name].rgb[:, :, ::-1])
    depth = observation.frames["top"].depth
    assert depth is not None
    cv2.imwrite(str(paths["depth"]), np.rint(1000 * depth).astype(np.uint16))
    return paths


def ask(*arguments: object, out: Path) -> int:
    return main(["affordance", "ask", *map(str, arguments), "--out", str(out)])


def test_a_scene_is_asked_its_own_sentence(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "answer.png"
    assert ask(*SCENE, "--json", out=out) == 0
    answer = json.loads(capsys.readouterr().out)
    assert (answer["grasp"], answer["target"]) == ("blue_cylinder", "red_bowl")
    assert answer["picture"] == str(out)
    assert cv2.imread(str(out)).shape == (536, 1280, 3)


def test_files_with_depth_give_what_the_scene_gives(
    files: dict[str, Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    sentence = "put the blue cylinder in the red bowl"
    options = ["--depth", files["depth"], "--side", files["side"]]
    assert ask(files["top"], sentence, *options, "--json", out=tmp_path / "a.png") == 0
    answer = json.loads(capsys.readouterr().out)
    assert (answer["grasp"], answer["target"]) == ("blue_cylinder", "red_bowl")


def test_without_depth_objects_have_a_colour_and_no_shape(
    files: dict[str, Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert ask(files["top"], "reach for the red object", "--json", out=tmp_path / "a.png") == 0
    assert json.loads(capsys.readouterr().out)["target"] == "red_object"
    assert ask(files["top"], "reach for the red bowl", out=tmp_path / "a.png") == 1


def test_a_live_answer_is_replayed_and_drawn_alike(
    server: ChatServer, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    keep = ["--model", "tiny", "--answers", tmp_path / "answers", "--json"]
    chat = ["--provider", "chat", "--base-url", server.base_url, "--key-env", ""]
    assert ask(*SCENE, *chat, *keep, out=tmp_path / "live.png") == 0
    server.__exit__()
    assert ask(*SCENE, "--provider", "recorded", *keep, out=tmp_path / "again.png") == 0
    live, again = (json.loads(line) for line in capsys.readouterr().out.splitlines())
    assert live | {"picture": ""} == again | {"picture": ""}
    assert (tmp_path / "live.png").read_bytes() == (tmp_path / "again.png").read_bytes()


def test_an_unanswered_question_is_said_and_drawn(
    server: ChatServer, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "refused.png"
    assert ask(*SCENE, "--provider", "recorded", "--answers", tmp_path, out=out) == 1
    said = capsys.readouterr().out
    assert f"refused: not recorded: {tmp_path} holds no answer" in said
    assert out.is_file()


def test_any_affordance_model_can_be_asked(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    spec = tmp_path / "rules.yaml"
    spec.write_text('plugin: "sinew_perception.rule_grounding:RuleGrounding"\n')
    for provider in ("rules", "rule_grounding", "sinew_perception.rule_grounding:RuleGrounding", spec):
        assert ask(*SCENE, "--provider", provider, out=tmp_path / "a.png") == 0


def test_marks_are_drawn_without_asking(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "marks.png"
    assert main(["affordance", "marks", *SCENE, "--out", str(out)]) == 0
    assert "blue_cylinder: P4 (" in capsys.readouterr().out
    assert cv2.imread(str(out)).shape == (480, 1280, 3)


@pytest.mark.parametrize(
    "arguments, said",
    [
        (["nowhere.png", "go"], "nowhere.png: there is no such image."),
        (["go"], 'expected an IMAGE and a "sentence", or --task'),
        ([*SCENE, "a.png", "go"], "cannot go with --task"),
        ([*SCENE, "--depth", "d.png"], "cannot go with --task"),
        ([*SCENE, ""], "the sentence is empty"),
        ([*SCENE, "--provider", "chatt"], "unknown affordance 'chatt'"),
        ([*SCENE, "--provider", "chat", "--base-url", "nonsense"], "base_url: expected http(s)://host"),
        ([*SCENE, "--samples", "0", "--provider", "recorded"], "expected samples >= 1"),
        (["--task", "pick_plaice"], "Did you mean 'pick_place'?"),
        (["--hardware", "sim_mojoco", *SCENE], "Did you mean 'sim_mujoco'?"),
    ],
)
def test_a_wrong_input_gets_a_sentence(
    arguments: list[str], said: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert ask(*arguments, out=tmp_path / "a.png") == 2
    assert said in capsys.readouterr().err


@pytest.mark.parametrize(
    "kind, said",
    [
        ("size", "got 640x480 px, but the camera 'top' delivers 320x240"),
        ("text", "cannot be read as an image"),
        ("empty", "cannot be read as an image"),
    ],
)
def test_a_wrong_image_gets_a_sentence(
    kind: str, said: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "image.png"
    path.write_bytes({"text": b"hello", "empty": b""}.get(kind, b""))
    if kind == "size":
        cv2.imwrite(str(path), np.zeros((480, 640, 3), np.uint8))
    assert ask(path, "reach for the cube", out=tmp_path / "a.png") == 2
    assert said in capsys.readouterr().err


def test_wrong_depth_and_wrong_out_get_sentences(
    files: dict[str, Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert ask(files["top"], "go", "--depth", files["side"], out=tmp_path / "a.png") == 2
    assert "expected depth as a 16-bit grey PNG in mm" in capsys.readouterr().err
    assert ask(*SCENE, out=tmp_path / "a.gif") == 2
    assert "expected a name that ends in .png or .jpg" in capsys.readouterr().err


def test_an_image_without_objects_is_refused_and_shown(tmp_path: Path) -> None:
    path = tmp_path / "grey.png"
    cv2.imwrite(str(path), np.full((240, 320, 3), 190, np.uint8))
    out = tmp_path / "a.png"
    assert ask(path, "reach for the red cube", "--provider", "recorded", out=out) == 1
    assert out.is_file()
