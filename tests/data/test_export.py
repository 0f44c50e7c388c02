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
from made_episodes import make_hardware, record_steps
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
