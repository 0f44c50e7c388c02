"""What `sinew data` says and does."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest
from episode_makers import SMALL, leave_unfinished, record_live, write_episode
from sinew_core.cli import main as sinew
from sinew_core.errors import ConfigError
from sinew_core.hardware import Hardware
from sinew_core.types import NANOSECONDS
from sinew_data import topics
from sinew_data.command import main
from sinew_data.dataset import Dataset
from sinew_data.episode import EpisodeEnd
from sinew_data.synthetic import SyntheticScene, write_synthetic
from sinew_data.writer import EpisodeWriter

SCENE = SyntheticScene(SMALL)


@pytest.fixture
def dataset(tmp_path: Path) -> Path:
    folder = tmp_path / "set"
    for _ in range(2):
        write_episode(folder)
    return folder


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.glob("*.mcap"))


def said(capsys: pytest.CaptureFixture[str]) -> str:
    return capsys.readouterr().out


def test_help_names_every_verb(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--help"]) == 0
    text = said(capsys)
    for line in ("list         list the episodes of a dataset", "repair       bring back episodes"):
        assert line in text


def test_a_verb_that_does_not_exist_is_answered_with_the_nearest(capsys: pytest.CaptureFixture[str]) -> None:
    assert sinew(["data", "chek", "x"]) == 2
    assert "Did you mean 'check'?" in " ".join(capsys.readouterr().err.split())


def test_list_shows_each_episode_and_what_is_wrong(dataset: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (dataset / "episodes" / "bad.mcap").write_bytes(b"?")
    leave_unfinished(dataset)
    assert main(["list", str(dataset)]) == 0
    text = said(capsys)
    assert all(path.stem in text for path in Dataset(dataset).paths())
    assert "bad.mcap: is no MCAP file" in text
    assert "2 episodes, 0.7 s, " in text
    assert f"1 unreadable; 1 unfinished: being recorded now, or for `sinew data repair {dataset}`" in text


def test_list_as_json_has_one_object_a_line(dataset: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (dataset / "episodes" / "bad.mcap").write_bytes(b"?")
    assert main(["list", str(dataset), "--json"]) == 0
    good, _, bad = map(json.loads, said(capsys).splitlines())
    assert (good["outcome"], good["steps"], good["counts"][topics.EXECUTED]) == ("success", 10, 10)
    assert "is no MCAP file" in bad["problem"]


def test_a_good_dataset_has_no_problem(dataset: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["check", str(dataset), "--topics"]) == 0
    text = said(capsys)
    assert "2 episodes checked, 0 with problems" in text
    assert "/joint_states" in text
    assert "30.0" in text


def test_a_live_recording_has_no_problem(tmp_path: Path, hardware: Hardware) -> None:
    record_live(tmp_path / "set", hardware)
    assert main(["check", str(tmp_path / "set")]) == 0


def strange_episode(dataset: Path, what: str) -> None:
    """Record an episode that has something wrong with it."""
    start = SCENE.start()
    cameras = b"cameras: {top: {width: 32}, front: {depth: false}, idle: {every: 0}}"
    attachments = {"hardware.yaml": cameras} if what == "camera" else {}
    writer = EpisodeWriter(dataset, replace(start, attachments=attachments))
    begin = NANOSECONDS
    writer.write(*put(begin, topics.EPISODE, begin, SCENE.event(begin, started=True)[1]))
    for index in range(30):
        stamp = begin + index * SCENE.period
        if what == "gap" and index >= 15:
            stamp += NANOSECONDS // 2
        if what == "backwards" and index == 20:
            stamp -= 10 * SCENE.period
        for topic, data in SCENE.step(index, stamp):
            if what != "nobody" or topic != topics.EXECUTED:
                writer.write(*put(begin + index * SCENE.period, topic, stamp, data))
    end = EpisodeEnd("success", dropped={topics.REWARD: 3} if what == "dropped" else {})
    writer.finish(end).result(timeout=10)


def put(log_time: int, topic: str, stamp: int, data: bytes) -> tuple[str, str, int, int, bytes]:
    return topic, topics.type_of(topic), log_time, stamp, data


@pytest.mark.parametrize(
    ("what", "problem"),
    [
        ("gap", "/joint_states: a gap of 0.53 s at 30.0 Hz"),
        ("backwards", "/executed_command: 1 stamps go backwards"),
        ("nobody", "/executed_command: no message"),
        ("camera", "/camera/front/color/image_raw: no message"),
        ("dropped", "/reward: 3 messages dropped while recording"),
    ],
)
def test_check_finds_what_is_wrong(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], what: str, problem: str
) -> None:
    strange_episode(tmp_path, what)
    assert main(["check", str(tmp_path)]) == 1
    text = said(capsys)
    assert problem in text
    assert "idle" not in text


def test_check_finds_damage_and_goes_on(dataset: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = Dataset(dataset).paths()[0]
    data = bytearray(path.read_bytes())
    data[len(data) // 3 : len(data) // 3 + 50] = bytes(50)
    path.write_bytes(data)
    assert main(["check", str(dataset), "--json"]) == 1
    bad, good = map(json.loads, said(capsys).splitlines())
    assert "damaged" in bad["problems"][0]
    assert good["problems"] == []


def test_repair_says_what_it_did(dataset: Path, capsys: pytest.CaptureFixture[str]) -> None:
    source = leave_unfinished(dataset)
    live = EpisodeWriter(dataset, SCENE.start())
    write_synthetic(live, SCENE, 1)
    while live.waiting_bytes:
        pass
    assert main(["repair", str(dataset)]) == 0
    text = said(capsys)
    assert f"repaired {source.name}: 82 messages" in text
    assert f"skipped  {live.name}.mcap: is being recorded" in text
    (dataset / "unfinished" / "empty.mcap").write_bytes(b"")
    assert main(["repair", str(dataset)]) == 1
    assert "left     empty.mcap: does not say what episode it is" in said(capsys)
    live.finish(EpisodeEnd("success")).result(timeout=10)


def test_repair_of_a_dataset_without_need(dataset: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["repair", str(dataset)]) == 0
    assert "nothing to repair" in said(capsys)


def test_drop_moves_aside_and_purge_deletes_only_with_force(dataset: Path) -> None:
    first, second = Dataset(dataset).paths()
    assert main(["drop", str(dataset), first.stem]) == 0
    assert names(dataset / "episodes") == [second.name]
    assert names(dataset / "discarded") == [first.name]
    with pytest.raises(ConfigError, match=f"deletes 1 episodes for good; add --force: {first.stem}"):
        main(["drop", str(dataset), "--purge"])
    assert names(dataset / "discarded") == [first.name]
    assert main(["drop", str(dataset), "--purge", "--force"]) == 0
    assert names(dataset / "discarded") == []
    assert names(dataset / "episodes") == [second.name]


def test_drop_does_nothing_if_one_name_is_wrong(dataset: Path) -> None:
    before = names(dataset / "episodes")
    with pytest.raises(ConfigError, match="no episode 'zzz'"):
        main(["drop", str(dataset), before[0].removesuffix(".mcap"), "zzz"])
    assert names(dataset / "episodes") == before


def test_drop_leaves_alone_what_is_being_recorded(dataset: Path) -> None:
    writer = EpisodeWriter(dataset, SCENE.start())
    write_synthetic(writer, SCENE, 1)
    while writer.waiting_bytes:
        pass
    with pytest.raises(ConfigError, match="is being recorded"):
        main(["drop", str(dataset), writer.name])
    assert writer.finish(EpisodeEnd("success")).result(timeout=10).is_file()
