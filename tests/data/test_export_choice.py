"""Which episodes, cameras and rates `sinew data export` takes, and what it says of the others."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from made_episodes import PERIOD, START, make_hardware, record_steps, without_frames
from sinew_core import cli
from sinew_core.hardware import Hardware


@pytest.fixture
def hardware(tmp_path: Path) -> Hardware:
    return make_hardware(tmp_path)


@pytest.fixture
def dataset(tmp_path: Path, hardware: Hardware) -> Path:
    folder = tmp_path / "set"
    record_steps(folder, hardware, 8)
    return folder


def export(dataset: Path, out: Path, *options: str | Path, form: str = "npz") -> int:
    return cli.main(["data", "export", *map(str, (dataset, "--format", form, "--out", out, *options))])


def test_discarded_unreadable_and_empty_episodes_are_skipped_with_a_sentence(
    dataset: Path, tmp_path: Path, hardware: Hardware, capsys: pytest.CaptureFixture[str]
) -> None:
    record_steps(dataset, hardware, 5, outcome="discarded")
    empty = record_steps(dataset, hardware, 0)
    cut = record_steps(dataset, hardware, 30)
    cut.write_bytes(cut.read_bytes()[:-2000])
    spoilt = record_steps(dataset, hardware, 30)
    data = bytearray(spoilt.read_bytes())
    chunk = data.index(b"zstd") + 50
    data[chunk : chunk + 50] = bytes(50)
    spoilt.write_bytes(bytes(data))
    (dataset / "episodes" / "foreign.mcap").write_bytes(b"\x89MCAP0\r\n" + bytes(100))
    assert export(dataset, tmp_path / "out", "--json") == 0
    facts = json.loads(capsys.readouterr().out)
    assert facts["rows"] == 8
    skipped = "\n".join(facts["skipped"])
    assert "skipped 1 in discarded/" in skipped
    assert f"skipped {empty.stem}: it has no step" in skipped
    assert f"skipped {cut.stem}: has no end" in skipped
    assert f"skipped {spoilt.stem}: damaged" in skipped
    assert "skipped foreign" in skipped


def test_nothing_to_export_is_an_error_that_says_why(
    tmp_path: Path, hardware: Hardware, capsys: pytest.CaptureFixture[str]
) -> None:
    record_steps(tmp_path / "set", hardware, 0)
    assert export(tmp_path / "set", tmp_path / "out") == 2
    text = capsys.readouterr().err
    assert "nothing to export" in text
    assert "it has no step" in text
    assert not (tmp_path / "out").exists()


def test_an_episode_without_a_control_period_is_skipped_shown_and_not_replayed(
    dataset: Path, tmp_path: Path, hardware: Hardware, capsys: pytest.CaptureFixture[str]
) -> None:
    path = record_steps(dataset, hardware, 5, control_period=0.0)
    assert export(dataset, tmp_path / "out") == 0
    assert f"skipped {path.stem}: its control period is 0.0 s" in capsys.readouterr().out
    assert cli.main(["data", "show", str(path)]) == 0
    assert cli.main(["data", "show", str(dataset)]) == 0
    assert cli.main(["data", "replay", str(path), "--hardware", str(hardware.path)]) == 2
    assert "its control period is 0.0 s" in capsys.readouterr().err


def test_several_robots_are_refused(
    dataset: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    other = record_steps(dataset, make_hardware(tmp_path, "other", robot="fr3"), 5)
    assert export(dataset, tmp_path / "out") == 2
    assert "different robots: so101 (as in" in capsys.readouterr().err
    assert export(dataset, tmp_path / "out", "--episodes", other.stem[-6:]) == 0


def test_different_control_periods_ask_for_fps(
    dataset: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    slow = make_hardware(tmp_path, "slow", period=0.1)
    record_steps(dataset, slow, 5, stamps=lambda k: START + 2 * k * PERIOD)
    assert export(dataset, tmp_path / "out") == 2
    assert "different control periods: 0.05 s, 0.1 s. Give --fps." in capsys.readouterr().err
    assert export(dataset, tmp_path / "out", "--fps", "10") == 0


def test_a_gap_is_refused_by_episode_camera_and_time_with_what_helps(
    tmp_path: Path, hardware: Hardware, capsys: pytest.CaptureFixture[str]
) -> None:
    path = record_steps(
        tmp_path / "set", hardware, 20, change=lambda s: without_frames(s, "side") if s.index == 6 else s
    )
    assert export(tmp_path / "set", tmp_path / "out") == 2
    text = capsys.readouterr().err.replace("\n", " ")
    assert f"{path.stem}: camera side: nothing within 25.0 ms of 0.300 s, the nearest is 50.0 ms" in text
    assert "--tolerance 0.051 takes what is nearest" in text
    assert export(tmp_path / "set", tmp_path / "out", "--tolerance", "0.051") == 0
    assert export(tmp_path / "set", tmp_path / "o2", "--allow-gaps") == 0
    assert "1 rows left out in gaps" in capsys.readouterr().out
    assert export(tmp_path / "set", tmp_path / "o3", "--cameras", "top") == 0


def test_a_camera_that_not_every_episode_has_is_named(
    dataset: Path, tmp_path: Path, hardware: Hardware, capsys: pytest.CaptureFixture[str]
) -> None:
    path = record_steps(dataset, hardware, 5, change=lambda s: without_frames(s, "top"))
    assert export(dataset, tmp_path / "out") == 2
    assert f"{path.stem} has no camera top; it has side" in capsys.readouterr().err
    assert export(dataset, tmp_path / "out", "--cameras", "sied") == 2
    assert "unknown camera 'sied'. Did you mean 'side'?" in capsys.readouterr().err
    assert export(dataset, tmp_path / "out", "--cameras", "side") == 0
    assert export(dataset, tmp_path / "o2", "--cameras") == 0


def test_cameras_that_change_their_size_are_refused(
    dataset: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    record_steps(dataset, make_hardware(tmp_path, "wide", width=80), 5)
    assert export(dataset, tmp_path / "out") == 2
    assert "camera top has" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        (("--fps", "0"), "--fps 0"),
        (("--fps", "12.5"), "--fps 12.5: expected a whole number"),
        (("--tolerance", "-1"), "--tolerance -1"),
        (("--crf", "99"), "--crf 99"),
        (("--episodes", "nobody"), "no episode 'nobody'"),
    ],
)
def test_impossible_options_are_refused(
    dataset: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    options: tuple[str, str],
    sentence: str,
) -> None:
    assert export(dataset, tmp_path / "out", *options, form="lerobot") == 2
    assert sentence in capsys.readouterr().err
    assert export(tmp_path / "nowhere", tmp_path / "out") == 2
