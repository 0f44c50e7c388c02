"""Ctrl-C at any moment of `sinew run`."""

import json
import os
import signal
import subprocess
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psutil
import pytest
from page import Page
from support import MODELS, command, environment, write_hardware

SLOW = ("--policy", "stand_ins:SlowPolicy", *MODELS[2:])


def start(folder: Path, **hardware: Any) -> subprocess.Popen[str]:
    path = write_hardware(folder, **hardware)
    arguments = command("run", "--hardware", path, *SLOW, "--out", "out", "--episodes", "50")
    return subprocess.Popen(
        arguments,
        cwd=folder,
        env=environment(),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        process_group=0,
    )


def wait_for(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 30
    while not condition():
        assert time.monotonic() < deadline, "waited in vain"
        time.sleep(0.005)


def has(folder: Path, pattern: str, count: int) -> Callable[[], bool]:
    return lambda: len(list(folder.glob(pattern))) >= count


def finish(process: subprocess.Popen[str], folder: Path) -> Any:
    """Wait for the end; check exit code, report and that no child is left; return the summary."""
    out, error = process.communicate(timeout=30)
    assert process.returncode == 130, out + error
    assert "Traceback" not in error
    Page((folder / "out" / "report.html").read_text(encoding="utf-8"))
    summary = json.loads((folder / "out" / "summary.json").read_text(encoding="utf-8"))
    assert summary["complete"] is False
    assert not [p for p in psutil.process_iter() if _group(p.pid) == process.pid]
    assert not [p for p in psutil.process_iter(["cmdline"]) if _mentions(p.info["cmdline"], folder)]
    return summary


def _group(pid: int) -> int:
    try:
        return os.getpgid(pid)
    except ProcessLookupError:
        return -1


def _mentions(arguments: list[str] | None, folder: Path) -> bool:
    return any(str(folder) in argument for argument in arguments or [])


def test_while_the_station_opens(tmp_path: Path) -> None:
    process = start(tmp_path, station="stand_ins:SlowToOpen")
    assert process.stdout is not None
    assert process.stdout.readline() == "opening\n"
    os.killpg(process.pid, signal.SIGINT)
    assert finish(process, tmp_path)["episodes"] == 0


def test_as_soon_as_there_is_a_folder(tmp_path: Path) -> None:
    process = start(tmp_path)
    wait_for(has(tmp_path, "out", 1))
    os.killpg(process.pid, signal.SIGINT)
    assert finish(process, tmp_path)["episodes"] == 0


def test_in_an_episode_with_its_video_being_encoded(tmp_path: Path) -> None:
    process = start(tmp_path)
    wait_for(has(tmp_path, "out/videos/episode_0002.mp4", 1))
    os.killpg(process.pid, signal.SIGINT)
    summary = finish(process, tmp_path)
    assert summary["episodes"] == 2
    assert summary["outcomes"] == {"success": 2, "interrupted": 1}


@pytest.mark.parametrize("pause", [0.0, 0.01, 0.1])
def test_twice(tmp_path: Path, pause: float) -> None:
    process = start(tmp_path)
    wait_for(has(tmp_path, "out/videos/*", 2))
    os.killpg(process.pid, signal.SIGINT)
    time.sleep(pause)
    if process.poll() is None:
        os.killpg(process.pid, signal.SIGINT)
    assert finish(process, tmp_path)["episodes"] == 1


@pytest.mark.parametrize("delay", [0.03, 0.11, 0.23, 0.37])
def test_at_odd_moments(tmp_path: Path, delay: float) -> None:
    process = start(tmp_path, success_after=5)
    wait_for(has(tmp_path, "out/report.html", 1))
    time.sleep(delay)
    os.killpg(process.pid, signal.SIGINT)
    finish(process, tmp_path)


def test_a_killed_run_leaves_the_episodes_done(tmp_path: Path) -> None:
    process = start(tmp_path)
    wait_for(has(tmp_path, "out/videos/*", 3))
    process.kill()
    process.communicate(timeout=30)
    summary = json.loads((tmp_path / "out" / "summary.json").read_text(encoding="utf-8"))
    assert summary["episodes"] == 2
    Page((tmp_path / "out" / "report.html").read_text(encoding="utf-8"))
