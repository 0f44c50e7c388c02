"""`sinew data export`: whole or not at all, nothing overwritten unasked, each refusal says what to do."""

from __future__ import annotations

import errno
import fcntl
import json
import os
import resource
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from made_episodes import PERIOD, START, make_hardware, record_steps, without_frames
from sinew_core import cli
from sinew_core.hardware import Hardware
from sinew_data.dataset import Dataset
from sinew_data.export import npz
from sinew_data.export.aside import PARTIAL
from sinew_data.export.video import VideoEncoder


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


def contents(folder: Path) -> dict[str, bytes]:
    return {str(p.relative_to(folder)): p.read_bytes() for p in sorted(folder.rglob("*")) if p.is_file()}


def beside(out: Path) -> list[str]:
    return [path.name for path in out.parent.iterdir() if path.name.startswith(f".{out.name}")]


@pytest.mark.parametrize("form", ["npz", "lerobot"])
def test_an_export_says_what_it_holds(
    dataset: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], form: str
) -> None:
    assert export(dataset, tmp_path / "out", form=form) == 0
    text = capsys.readouterr().out
    assert "1 episode, 8 rows at 20 Hz (0.4 s)" in text
    assert "camera top" in text
    assert ("Depth images have no place" in text) == (form == "lerobot")
    assert export(dataset, tmp_path / "out2", "--json", form=form) == 0
    facts = json.loads(capsys.readouterr().out)
    assert (facts["rows"], facts["fps"], facts["skipped"]) == (8, 20.0, [])
    assert set(facts["decoding_error"]) == ({"top", "side"} if form == "lerobot" else set())
    assert beside(tmp_path / "out") == []


def test_a_target_that_exists_is_refused_and_left_as_it_is(
    dataset: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "out"
    assert export(dataset, out) == 0
    before = contents(out)
    assert export(dataset, out, "--fps", "10") == 2
    assert "exists already; --force replaces it" in capsys.readouterr().err
    assert contents(out) == before
    assert export(dataset, out, "--fps", "10", "--force") == 0
    assert contents(out) != before
    assert beside(out) == []


def test_force_replaces_nothing_that_is_no_export(
    dataset: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    thesis = tmp_path / "thesis"
    thesis.mkdir()
    (thesis / "chapter.tex").write_text("years of work")
    for target in (thesis, thesis / "chapter.tex", dataset):
        assert export(dataset, target, "--force") == 2
    assert "is no export of Sinew" in capsys.readouterr().err
    assert (thesis / "chapter.tex").read_text() == "years of work"
    assert len(Dataset(dataset).episodes()) == 1


@pytest.mark.parametrize("error", [OSError(errno.ENOSPC, os.strerror(errno.ENOSPC)), KeyboardInterrupt()])
def test_what_breaks_off_leaves_nothing_and_spoils_nothing(
    dataset: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    error: BaseException,
) -> None:
    good = tmp_path / "good"
    assert export(dataset, good) == 0
    before = contents(good)

    def broken(*arguments: object) -> None:
        raise error

    monkeypatch.setattr(npz, "_zip", broken)
    code = 130 if isinstance(error, KeyboardInterrupt) else 2
    assert export(dataset, tmp_path / "out") == code
    assert export(dataset, good, "--force") == code
    text = capsys.readouterr().err
    assert "interrupted" in text if code == 130 else f"{good}: cannot be written (No space left" in text
    assert not (tmp_path / "out").exists()
    assert contents(good) == before
    assert beside(tmp_path / "out") == beside(good) == []


@contextmanager
def small_files(limit: int) -> Iterator[None]:
    """Let the kernel refuse to make any file larger than this, as a full disk would."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (limit, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


@pytest.mark.parametrize("form", ["npz", "lerobot"])
def test_a_disk_that_takes_no_more_is_said_and_nothing_is_left(
    dataset: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], form: str
) -> None:
    with small_files(3000):
        assert export(dataset, tmp_path / "out", form=form) == 2
    assert f"{tmp_path / 'out'}: cannot be written (" in capsys.readouterr().err
    assert not (tmp_path / "out").exists()
    assert beside(tmp_path / "out") == []


def test_an_ffmpeg_that_dies_is_said(
    dataset: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    write = VideoEncoder.write

    def shoot(encoder: VideoEncoder, frame: np.ndarray, repeats: int = 1) -> None:
        encoder._process.kill()
        encoder._process.wait()
        write(encoder, frame, repeats)

    monkeypatch.setattr(VideoEncoder, "write", shoot)
    assert export(dataset, tmp_path / "out", form="lerobot") == 2
    assert "ffmpeg" in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


def test_a_place_that_cannot_be_written_is_said(
    dataset: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "file").write_text("")
    assert export(dataset, tmp_path / "file" / "out") == 2
    assert f"cannot be written, {tmp_path / 'file'} is no folder" in capsys.readouterr().err


def test_what_a_killed_export_left_is_removed_and_a_running_one_is_let_be(
    dataset: Path, tmp_path: Path
) -> None:
    killed, running = (tmp_path / f".out.{name}{PARTIAL}" for name in ("killed", "running"))
    for folder in (killed, running):
        folder.mkdir()
        (folder / "half.npz").write_bytes(b"half")
    lock = os.open(running, os.O_RDONLY)
    fcntl.flock(lock, fcntl.LOCK_EX)
    assert export(dataset, tmp_path / "out") == 0
    os.close(lock)
    assert not killed.exists()
    assert (running / "half.npz").exists()


def test_a_target_that_comes_meanwhile_is_not_overwritten(
    dataset: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    out = tmp_path / "out"
    write_npz = npz.write_npz

    def slow(*arguments: Any) -> None:
        write_npz(*arguments)
        monkeypatch.setattr(npz, "write_npz", write_npz)
        assert export(dataset, out, "--fps", "10") == 0

    monkeypatch.setattr(npz, "write_npz", slow)
    assert export(dataset, out) == 2
    assert "exists already" in capsys.readouterr().err
    assert json.loads((out / "index.json").read_text())["fps"] == 10


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
