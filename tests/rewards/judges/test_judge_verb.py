import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from sinew_data.feedback.log import read
from sinew_data.feedback.types import Comparison, Mark
from sinew_rewards.report.episode_file import save_episodes
from sinew_rewards.report.verbs.judge import main

sys.path.insert(0, str(Path(__file__).parent))
sys.path.insert(0, str(Path(__file__).parents[2] / "perception" / "visual_prompting"))

from chat_server import ChatServer, Raw, completion
from looks import episode


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[ChatServer]:
    monkeypatch.setenv("NO_PROXY", "*")
    with ChatServer() as server:
        server.respond = [answer]
        yield server


def answer(request: dict[str, Any]) -> Raw:
    """Find everything done, and the second picture better."""
    asked = request["messages"][0]["content"]
    if '"seen"' in asked:
        return completion(json.dumps({"seen": "a", "change": "nearer", "done": True}))
    if '"better"' in asked:
        return completion('{"better": 1}')
    return completion(json.dumps({"first": "a", "second": "b", "difference": "c"}))


@pytest.fixture
def options(tmp_path: Path, server: ChatServer) -> list[str]:
    episodes = [episode(name, [i / 30 for i in range(30)], size=19) for name in ("a", "b")]
    save_episodes(tmp_path / "episodes.safetensors", episodes, task="push", robot="so101")
    return [
        *("--episodes", str(tmp_path / "episodes.safetensors"), "--goal", "the bar is full"),
        *("--log", str(tmp_path / "log.jsonl"), "--answers", str(tmp_path / "answers")),
        *("--base-url", server.base_url, "--key-env", "", "--count", "4", "--every", "10", "--json"),
    ]


def test_comparisons_go_into_the_log_and_recorded_ones_are_not_added_again(
    options: list[str], tmp_path: Path, server: ChatServer, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(options) == 0
    first = json.loads(capsys.readouterr().out)
    assert first["added"] == first["entries"] > 0
    entries = read(tmp_path / "log.jsonl").entries
    assert all(isinstance(entry.said, Comparison) and entry.said.preferred == 0.0 for entry in entries)
    assert {(entry.source, entry.who) for entry in entries} == {("vlm", "gpt-4o")}
    asked = len(server.requests)
    assert main([*options, "--provider", "recorded"]) == 0
    again = json.loads(capsys.readouterr().out)
    assert (again["entries"], again["added"], len(server.requests)) == (first["entries"], 0, asked)
    assert read(tmp_path / "log.jsonl").entries == entries


def test_steps_become_marks(options: list[str], tmp_path: Path) -> None:
    assert main([*options, "--how", "steps"]) == 0
    said = [entry.said for entry in read(tmp_path / "log.jsonl").entries]
    assert (
        sum(isinstance(each, Mark) for each in said)
        == sum(isinstance(each, Comparison) for each in said)
        == 4
    )


def test_a_spent_budget_is_told_and_what_was_said_is_kept(
    options: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([*options, "--calls", "2"]) == 1
    told = json.loads(capsys.readouterr().out)
    assert told["stopped"].startswith("budget")
    assert len(read(tmp_path / "log.jsonl").entries) == told["added"] == 1


def test_without_a_recording_nothing_is_said(
    options: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([*options, "--provider", "recorded"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["entries"] == 0
    assert told["dropped"]["not recorded"] > 0
