"""Ctrl-C at any moment of `sinew run`."""

import json
import os
import signal
import time
from pathlib import Path

import pytest
from interrupting import finish, has, start, wait_for
from page import Page


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
