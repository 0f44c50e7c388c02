"""What an episode was like, as a table, as JSON and as a picture that can be read."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from made_episodes import START, make_hardware, record_steps, without_frames
from PIL import Image
from sinew_core import cli
from sinew_core.hardware import Hardware
from sinew_core.runtime import Step
from sinew_data.contact_sheet import contact_sheet, sampled_frames
from sinew_data.overview import read_overview
from sinew_data.reader import open_episode
from sinew_data.sheet_canvas import OWNERS, fitted, text_width


@pytest.fixture
def hardware(tmp_path: Path) -> Hardware:
    return make_hardware(tmp_path)


def driven(step: Step) -> Step:
    """Steps 5 to 8 and 15 by a person, 18 and 19 stopped, a limit in every fourth step."""
    source = "human" if 5 <= step.index <= 8 or step.index == 15 else "policy"
    source = "stopped" if step.index >= 18 else source
    reasons = ("velocity:gripper", "stale:human: 0.3 s") if step.index % 4 == 0 else ()
    return replace(step, executed=replace(step.executed, source=source, reasons=reasons))


def show(*arguments: str | Path) -> int:
    return cli.main(["data", "show", *map(str, arguments)])


def shown_json(capsys: pytest.CaptureFixture[str], *arguments: str | Path) -> dict[str, Any]:
    capsys.readouterr()
    show(*arguments, "--json")
    found: dict[str, Any] = json.loads(capsys.readouterr().out)
    return found


def test_takeovers_are_ranges_of_steps_and_seconds(tmp_path: Path, hardware: Hardware) -> None:
    path = record_steps(tmp_path / "set", hardware, 20, change=driven)
    timeline = read_overview(path).timeline
    assert [(run.first, run.last) for run in timeline.interventions] == [(5, 8), (15, 15)]
    assert [(run.begin, run.end) for run in timeline.interventions] == [(0.25, 0.45), (0.75, 0.8)]
    assert timeline.seconds == pytest.approx(1.0)
    counts = {name: timeline.steps_of(name) for name in OWNERS}
    assert counts == {"policy": 13, "human": 5, "hold": 0, "stopped": 2}


def test_the_table_tells_everything(
    tmp_path: Path, hardware: Hardware, capsys: pytest.CaptureFixture[str]
) -> None:
    path = record_steps(tmp_path / "set", hardware, 20, change=driven, seed=42, policy="some_policy")
    assert show(path) == 0
    text = capsys.readouterr().out
    for part in (
        path.stem,
        "success",
        "put the red cube on the blue cube  (task test)",
        "1.0 s, 20 steps at 20 Hz",
        "so101 on fake, seed 42",
        "policy some_policy",
        "steps 5 to 8 (0.25 s to 0.45 s); step 15 (0.75 s to 0.80 s)",
        "velocity:gripper 5, stale:human 5",
        "sum -1, mean -0.05, first -1, last 0.9",
        "near -3.17, held 1 (means)",
        "numpy",
        "/camera/top/color/image_raw",
        "64x48",
        f"{hardware.cameras['top'].fx:.1f}",
    ):
        assert part in text, part


def test_the_json_tells_the_same(
    tmp_path: Path, hardware: Hardware, capsys: pytest.CaptureFixture[str]
) -> None:
    path = record_steps(tmp_path / "set", hardware, 20, change=driven)
    found = shown_json(capsys, path.parents[1], path.stem[-6:])
    assert (found["name"], found["steps"], found["outcome"]) == (path.stem, 20, "success")
    assert [(run["first"], run["last"]) for run in found["takeovers"]] == [(5, 8), (15, 15)]
    assert found["safety_reasons"] == {"velocity:gripper": 5, "stale:human": 5}
    assert found["reward_summary"]["last"] == pytest.approx(0.9)
    assert found["cameras"]["top"]["intrinsics"]["fx"] == hardware.cameras["top"].fx
    assert found["cameras"]["side"]["depth"] is False
    assert found["topics"]["/joint_states"]["rate_hz"] == pytest.approx(20)
    assert found["problems"] == []


def test_frames_are_taken_evenly_from_the_first_step_to_the_last(tmp_path: Path, hardware: Hardware) -> None:
    path = record_steps(
        tmp_path / "set", hardware, 21, change=lambda s: s if s.index % 2 else without_frames(s, "side")
    )
    timeline = read_overview(path).timeline
    with open_episode(path) as episode:
        frames = sampled_frames(episode, timeline, 5)
    assert [shown.at for shown in frames["top"]] == [0.0, 0.25, 0.5, 0.75, 1.0]
    assert [shown.at for shown in frames["side"]] == [0.05, 0.25, 0.45, 0.75, 0.95]  # the nearest it has


def colours(image: Image.Image) -> set[tuple[int, ...]]:
    return {tuple(colour) for colour in np.asarray(image).reshape(-1, 3)}


def test_the_sheet_is_1200_px_wide_and_shows_who_drove(tmp_path: Path, hardware: Hardware) -> None:
    path = record_steps(tmp_path / "set", hardware, 20, change=driven)
    image = contact_sheet(read_overview(path))
    assert image.width == 1200
    assert {OWNERS[name] for name in ("policy", "human", "stopped")} <= colours(image)
    assert OWNERS["hold"] not in colours(image)
    bar = np.asarray(image)
    line = next(row for row in bar[::-1] if (row == OWNERS["stopped"]).all(axis=-1).sum() > 50)
    human = (line == OWNERS["human"]).all(axis=-1).sum()
    stopped = (line == OWNERS["stopped"]).all(axis=-1).sum()
    assert human == pytest.approx(2.5 * stopped, abs=12)  # 5 steps and 2, less the notches of frames


@pytest.mark.parametrize(
    "change",
    [
        lambda step: without_frames(step, "top", "side"),
        lambda step: replace(step, reward=replace(step.reward, value=float("nan"))),
        lambda step: replace(step, reward=replace(step.reward, value=2.5)),
        lambda step: step if step.index == 0 else None,
    ],
    ids=["no cameras", "no rewards", "always the same reward", "one step"],
)
def test_a_poor_episode_has_a_sheet_too(
    tmp_path: Path, hardware: Hardware, change: Callable[[Step], Step | None]
) -> None:
    path = record_steps(tmp_path / "set", hardware, 10, change=change)
    assert show(path, "--sheet", tmp_path / "sheet.png") == 0
    with Image.open(tmp_path / "sheet.png") as image:
        assert image.width == 1200


def test_an_episode_without_steps_is_shown(
    tmp_path: Path, hardware: Hardware, capsys: pytest.CaptureFixture[str]
) -> None:
    path = record_steps(tmp_path / "set", hardware, 0, outcome="interrupted")
    assert show(path, "--sheet", tmp_path / "sheet.png") == 0
    text = capsys.readouterr().out
    assert "0 steps" in text
    assert "/joint_states: no message" in text
    assert (tmp_path / "sheet.png").exists()


def test_damage_inside_is_told_with_what_is_left(
    tmp_path: Path, hardware: Hardware, capsys: pytest.CaptureFixture[str]
) -> None:
    path = record_steps(tmp_path / "set", hardware, 20)
    data = bytearray(path.read_bytes())
    chunk = data.index(b"zstd") + 50
    data[chunk : chunk + 50] = bytes(50)
    path.write_bytes(bytes(data))
    assert show(path) == 1
    text = capsys.readouterr().out
    assert "put the red cube on the blue cube" in text
    assert "problem damaged" in text


@pytest.mark.parametrize("content", [b"", b"no MCAP at all", b"\x89MCAP0\r\n" + bytes(200)])
def test_a_foreign_file_is_refused_by_name(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], content: bytes
) -> None:
    (tmp_path / "foreign.mcap").write_bytes(content)
    assert show(tmp_path / "foreign.mcap") == 2
    assert "foreign.mcap" in capsys.readouterr().err


def test_a_picture_is_not_overwritten_unasked(
    tmp_path: Path, hardware: Hardware, capsys: pytest.CaptureFixture[str]
) -> None:
    path = record_steps(tmp_path / "set", hardware, 5)
    sheet = tmp_path / "holiday.png"
    sheet.write_bytes(b"the only picture")
    assert show(path, "--sheet", sheet) == 2
    assert "exists already; --force replaces it" in capsys.readouterr().err
    assert sheet.read_bytes() == b"the only picture"
    assert show(path, "--sheet", sheet, "--force") == 0
    with Image.open(sheet) as image:
        assert image.format == "PNG"
    assert show(path, "--sheet", tmp_path / "absent" / "sheet.png") == 2
    assert "cannot be written (No such file" in capsys.readouterr().err
    assert show(path, "--sheet", tmp_path / "sheet.pdf") == 2
    assert show(path, "--frames", "0") == 2
    assert not list(tmp_path.glob(".*"))


def test_a_dataset_is_shown_by_instruction_with_its_picture(
    tmp_path: Path, hardware: Hardware, capsys: pytest.CaptureFixture[str]
) -> None:
    dataset = tmp_path / "set"
    record_steps(dataset, hardware, 10, instruction="first")
    record_steps(dataset, hardware, 20, instruction="second")
    record_steps(dataset, hardware, 10, instruction="second", outcome="failure")
    record_steps(dataset, hardware, 5, outcome="discarded")
    (dataset / "episodes" / "torn.mcap").write_bytes(b"torn")
    assert show(dataset, "--sheet", tmp_path / "sheet.png") == 0
    text = capsys.readouterr().out
    assert "3 episodes, 2 success, 1 failure, 2.0 s" in text
    assert "torn.mcap: is no MCAP file" in text
    found = shown_json(capsys, dataset)
    assert found["instructions"][0] == {
        "task": "test",
        "instruction": "second",
        "episodes": 2,
        "success": 1,
        "steps": 30,
    }
    assert (found["discarded"], found["robots"], list(found["unreadable"])) == (1, {"so101": 3}, ["torn"])
    with Image.open(tmp_path / "sheet.png") as image:
        assert image.width == 1200
        assert image.height > 4 * 60


def test_words_are_cut_to_their_place() -> None:
    words = fitted("put the red cube into the blue bowl " * 10, 24, 600)
    assert words.endswith("…")
    assert text_width(words, 24) <= 600
    assert fitted("short", 24, 600) == "short"


def test_made_up_episodes_begin_when_they_say(tmp_path: Path, hardware: Hardware) -> None:
    assert read_overview(record_steps(tmp_path / "set", hardware, 3)).timeline.start == START
