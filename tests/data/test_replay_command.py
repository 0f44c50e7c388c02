"""`sinew data replay`: on the same robot only, with a yes on a real arm, and Ctrl-C holds."""

from __future__ import annotations

import json
import os
import signal
import threading
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml
from made_episodes import PERIOD, ROBOTS, make_hardware, record_steps
from replays import limits_and_takeover
from sinew_core import cli
from sinew_core.fakes import FakeArm
from sinew_core.hardware import Hardware
from sinew_core.runtime import Step
from sinew_core.types import NANOSECONDS
from sinew_data.recorded_motion import ExecutedOffers
from sinew_data.replaying import Replay
from sinew_data.verbs import replay as verb


@pytest.fixture
def hardware(tmp_path: Path) -> Hardware:
    return make_hardware(tmp_path)


@pytest.fixture
def recorded(tmp_path: Path, hardware: Hardware) -> tuple[Path, list[Step]]:
    return limits_and_takeover(tmp_path / "set", hardware)


def run(*arguments: str | Path) -> int:
    return cli.main(["data", "replay", *map(str, arguments)])


def test_the_command_reports_tracking_and_what_safety_changed(
    hardware: Hardware, recorded: tuple[Path, list[Step]], capsys: pytest.CaptureFixture[str]
) -> None:
    path, steps = recorded
    assert run(path, "--hardware", hardware.path) == 0
    text = capsys.readouterr().out
    count = len(steps)
    assert f"{count} of {count} commands sent, {count} of them bit by bit as in the episode" in text
    assert "safety changed 0." in text
    assert all(name in text for name in hardware.robot.joint_names)
    assert run(path, "--hardware", hardware.path, "--json") == 0
    report = json.loads(capsys.readouterr().out)
    assert (report["equal"], report["changed"], report["outcome"]) == (count, 0, "done")
    assert report["success"] is False
    assert max(report["max_error"].values()) == 0.0  # the fake arm is where it is told to be


def test_an_episode_is_found_by_a_part_of_its_name_in_a_dataset(
    hardware: Hardware, recorded: tuple[Path, list[Step]], capsys: pytest.CaptureFixture[str]
) -> None:
    dataset = recorded[0].parents[1]
    assert run(dataset, recorded[0].stem[-6:], "--hardware", hardware.path) == 0
    assert run(dataset, "--hardware", hardware.path) == 0  # the only one
    assert run(dataset, "nothing", "--hardware", hardware.path) == 2
    assert "no episode 'nothing'" in capsys.readouterr().err


def other_robot(tmp_path: Path, alter: Callable[[dict[str, Any]], None]) -> Path:
    folder = tmp_path / "other"
    folder.mkdir()
    for name in ("robot.yaml", "robot.urdf"):
        (folder / name).write_bytes((ROBOTS / "so101" / name).read_bytes())
    config = yaml.safe_load((folder / "robot.yaml").read_text())
    alter(config)
    (folder / "robot.yaml").write_text(yaml.safe_dump(config, sort_keys=False))
    return folder


def reorder(config: dict[str, Any]) -> None:
    config["joints"] = dict(reversed(config["joints"].items()))


def slower(config: dict[str, Any]) -> None:
    config["joints"]["elbow_flex"]["velocity"] = 1.0


@pytest.mark.parametrize(
    ("alter", "sentence"),
    [
        (reorder, "recorded on so101, whose joints are shoulder_pan,"),
        (slower, "elbow_flex.velocity was 3.0 and is 1.0"),
    ],
)
def test_another_robot_is_refused(
    tmp_path: Path,
    recorded: tuple[Path, list[Step]],
    capsys: pytest.CaptureFixture[str],
    alter: Callable[[dict[str, Any]], None],
    sentence: str,
) -> None:
    other = make_hardware(tmp_path, "other", robot=other_robot(tmp_path, alter))
    assert run(recorded[0], "--hardware", other.path) == 2
    assert sentence in capsys.readouterr().err


def test_a_real_arm_moves_only_after_a_yes(
    tmp_path: Path,
    recorded: tuple[Path, list[Step]],
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    real = make_hardware(tmp_path, "real", world=False)
    assert run(recorded[0], "--hardware", real.path) == 2
    assert "give --yes" in capsys.readouterr().err
    monkeypatch.setattr("sys.stdin.isatty", lambda: True, raising=False)
    monkeypatch.setattr("builtins.input", lambda question: "n")
    assert run(recorded[0], "--hardware", real.path) == 2
    assert "not replayed" in capsys.readouterr().err


def test_a_real_arm_is_paced_by_the_control_period(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    class FakeTime:
        """A clock on which reading the arm takes 2 ms, and once 30 ms."""

        now = 100.0
        slept = 0.0

        def monotonic(self) -> float:
            return self.now

        def monotonic_ns(self) -> int:
            return int(self.now * 1e9)

        def sleep(self, seconds: float) -> None:
            self.slept += seconds
            self.now += seconds

    time = FakeTime()
    monkeypatch.setattr("sinew_data.replaying.time", time)
    real = make_hardware(tmp_path, "real", world=False, period=0.01)
    offers = ExecutedOffers(at_home(real, 21), real.period)
    replay = Replay(real.open_station("test"), real, offers, approach=False)
    begins: list[float] = []

    def busy(done: int) -> None:
        begins.append(time.now)
        time.now += 0.03 if done == 10 else 0.002

    replay.run(busy)
    late = np.where(np.arange(20) == 9, 0.03, 0.01)  # one that is late does not hurry the others
    np.testing.assert_allclose(np.diff(begins), late)


def at_home(hardware: Hardware, periods: int) -> Any:
    return np.repeat(hardware.robot.home[None], periods, axis=0)


def test_a_real_arm_that_no_longer_answers_ends_the_replay(
    tmp_path: Path,
    recorded: tuple[Path, list[Step]],
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    read = FakeArm.read
    monkeypatch.setattr(FakeArm, "read", lambda arm: replace(read(arm), stamp=NANOSECONDS))
    monkeypatch.setattr("sinew_data.replaying.StaleDevice.look", lambda *_: (False, "the arm has stopped"))
    real = make_hardware(tmp_path, "real", world=False)
    assert run(recorded[0], "--hardware", real.path, "--yes") == 1
    assert "the arm has stopped; the arm holds" in capsys.readouterr().out


def test_ctrl_c_holds_the_arm(
    hardware: Hardware,
    recorded: tuple[Path, list[Step]],
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    stations = []
    period = Replay._period

    def interrupted(self: Replay, index: int) -> bool:
        if index == 5:
            stations.append(self._station)
            os.kill(os.getpid(), signal.SIGINT)
        return period(self, index)

    before = signal.getsignal(signal.SIGINT)
    monkeypatch.setattr(Replay, "_period", interrupted)
    assert threading.current_thread() is threading.main_thread()
    assert run(recorded[0], "--hardware", hardware.path, "--json") == 130
    report = json.loads(capsys.readouterr().out)
    assert (report["outcome"], report["periods"]) == ("interrupted", 5)
    assert stations[0].arm.stops >= 1
    assert signal.getsignal(signal.SIGINT) is before


@pytest.mark.parametrize("speed", ["0", "-1", "2.5"])
def test_an_impossible_speed_is_refused(
    hardware: Hardware, recorded: tuple[Path, list[Step]], capsys: pytest.CaptureFixture[str], speed: str
) -> None:
    assert run(recorded[0], "--hardware", hardware.path, f"--speed={speed}") == 2
    assert "--speed" in capsys.readouterr().err


def test_an_unreadable_episode_is_refused_by_name(
    tmp_path: Path, hardware: Hardware, capsys: pytest.CaptureFixture[str]
) -> None:
    broken = tmp_path / "broken.mcap"
    broken.write_bytes(b"nothing of the kind")
    assert run(broken, "--hardware", hardware.path) == 2
    assert "broken.mcap: is no MCAP file" in capsys.readouterr().err
    assert run(tmp_path / "absent.mcap", "--hardware", hardware.path) == 2
    assert "absent.mcap: cannot be read" in capsys.readouterr().err


def test_an_episode_without_a_command_is_refused(
    tmp_path: Path, hardware: Hardware, capsys: pytest.CaptureFixture[str]
) -> None:
    path = record_steps(tmp_path / "set", hardware, 0)
    assert run(path, "--hardware", hardware.path) == 2
    assert f"{path.name}: has no command to replay" in capsys.readouterr().err


def test_a_drawn_scene_is_laid_out_as_it_was_drawn() -> None:
    class World:
        def __init__(self) -> None:
            self.resets: list[tuple[int, str]] = []

        def reset(self, seed: int, instruction: str = "") -> Any:
            self.resets.append((seed, instruction))
            return type("Task", (), {"instruction": instruction or f"drawn {seed}"})

    world = World()
    verb.lay_out(world, 3, "drawn 3")  # type: ignore[arg-type]
    assert world.resets == [(3, "")]
    verb.lay_out(world, 3, "asked for")  # type: ignore[arg-type]
    assert world.resets[-1] == (3, "asked for")


def test_the_episodes_period_is_what_the_tests_say(hardware: Hardware) -> None:
    assert hardware.period == PERIOD
