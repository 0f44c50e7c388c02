"""A replay sends what was sent, on the same robot only, from near its beginning, and ends held."""

from __future__ import annotations

import json
import os
import signal
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml
from made_episodes import PERIOD, ROBOTS, Scripted, make_hardware, record_run, record_steps
from sinew_core import cli
from sinew_core.errors import ConfigError
from sinew_core.fakes import FakeArm
from sinew_core.hardware import Hardware, load_hardware
from sinew_core.protocols import Arm, Camera, World
from sinew_core.runtime import Step
from sinew_core.types import NANOSECONDS, JointCommand, JointState
from sinew_data.reader import open_episode
from sinew_data.recorded_motion import ExecutedOffers, Offers, read_chunks, read_motion, resampled
from sinew_data.replaying import Replay, ReplayReport
from sinew_data.verbs import replay as verb

DOWN = np.array([0.0, 1.2, 1.2, 1.2, 0.0, 0.0])  # through the table
LEFT = np.array([1.5, -0.4, 0.4, 0.2, 1.0, 0.9])
RIGHT = np.array([-1.5, -0.8, 1.0, 1.2, -1.0, -0.1])


@pytest.fixture
def hardware(tmp_path: Path) -> Hardware:
    return make_hardware(tmp_path)


@pytest.fixture
def recorded(tmp_path: Path, hardware: Hardware) -> tuple[Path, list[Step]]:
    """An episode in which every limit had its say and a person took over in the middle."""
    human = Scripted([None, None, RIGHT, None], each=8)
    return record_run(tmp_path / "set", hardware, Scripted([LEFT, DOWN, RIGHT, LEFT]), human=human)


class WatchedArm:
    """An arm that keeps what is sent to it."""

    def __init__(self, arm: Arm) -> None:
        self._arm = arm
        self.sent: list[np.ndarray] = []
        self.stops = 0

    def read(self) -> JointState:
        return self._arm.read()

    def write(self, command: JointCommand) -> None:
        self.sent.append(command.position.copy())
        self._arm.write(command)

    def stop(self) -> None:
        self.stops += 1
        self._arm.stop()

    def close(self) -> None:
        self._arm.close()


@dataclass
class Watched:
    """A station with such an arm."""

    arm: WatchedArm
    world: World | None
    cameras: Mapping[str, Camera] = field(default_factory=dict)

    def close(self) -> None:
        pass


def replayed(
    hardware: Hardware, offers: Offers, *, seed: int = 7, task: str = "test", approach: bool = False
) -> tuple[ReplayReport, np.ndarray]:
    station = hardware.open_station(task)
    assert station.world is not None
    station.world.reset(seed)
    watched = Watched(WatchedArm(station.arm), station.world)
    replay = Replay(watched, hardware, offers, approach=approach)
    try:
        replay.run()
    finally:
        assert watched.arm.stops == 1
        station.close()
    return replay.report(), np.array(watched.arm.sent)


def offers_of(path: Path, hardware: Hardware) -> ExecutedOffers:
    with open_episode(path) as episode:
        return ExecutedOffers(read_motion(episode).commands, hardware.period)


def test_replayed_commands_equal_the_recorded_ones_bit_by_bit(
    hardware: Hardware, recorded: tuple[Path, list[Step]]
) -> None:
    path, steps = recorded
    reasons = {reason.split(":")[0] for step in steps for reason in step.executed.reasons}
    assert {"velocity", "acceleration", "floor"} <= reasons
    assert {step.executed.source for step in steps} >= {"policy", "human"}
    report, sent = replayed(hardware, offers_of(path, hardware))
    np.testing.assert_array_equal(sent, np.array([step.executed.position for step in steps]))
    assert (report.outcome, report.changed) == ("done", 0)
    assert report.equal == report.periods == report.planned == len(steps)


def test_a_simulated_arm_gets_the_same_commands_again(tmp_path: Path) -> None:
    simulated = load_hardware("sim_mujoco").with_pace("lockstep")
    policy = Scripted([simulated.robot.home + offset for offset in (0.4, -0.3)])
    path, steps = record_run(tmp_path / "set", simulated, policy, steps=20, task="reach")
    report, sent = replayed(simulated, offers_of(path, simulated), task="reach")
    np.testing.assert_array_equal(sent, np.array([step.executed.position for step in steps]))
    assert 0 < report.max_error.max() < 0.2  # an arm with masses lags behind


def test_the_stations_own_filter_alone_would_lag_behind_what_it_had_passed(
    hardware: Hardware, recorded: tuple[Path, list[Step]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(
        "sinew_data.replaying.LimitsAsRecorded", __import__("sinew_core.safety").safety.JointLimits
    )
    report, _ = replayed(hardware, offers_of(recorded[0], hardware))
    assert report.changed > 0


@pytest.mark.parametrize("factor", [0.0, 3.0])
def test_commands_beyond_the_limits_are_cut_down(
    hardware: Hardware, recorded: tuple[Path, list[Step]], factor: float
) -> None:
    rows = offers_of(recorded[0], hardware).rows
    noise = np.random.default_rng(1).normal(0.0, 0.05, rows.shape)
    wild = ExecutedOffers(rows[0] + factor * (rows - rows[0]) / 6 + noise, hardware.period)
    report, sent = replayed(hardware, wild)
    robot, dt = hardware.robot, hardware.period / 1e9
    speed = np.diff(sent, axis=0) / dt
    assert report.changed > 0
    assert (np.abs(speed) <= robot.velocity + 1e-6).all()
    assert ((sent >= robot.lower) & (sent <= robot.upper)).all()
    faster = np.abs(speed[1:]) - np.abs(speed[:-1])
    assert (faster <= robot.acceleration * dt + 1e-6).all()


def test_a_replay_that_begins_far_away_names_joint_and_distance(
    hardware: Hardware, recorded: tuple[Path, list[Step]]
) -> None:
    far = offers_of(recorded[0], hardware)
    far = replace(far, rows=far.rows + np.array([1.0, 0, 0, 0, 0, 0]))
    with pytest.raises(ConfigError, match=r"shoulder_pan begins 1\.\d+ from where the arm is.*--approach"):
        replayed(hardware, far)


def test_an_approach_leads_the_arm_there_slowly_and_then_replays(
    hardware: Hardware, recorded: tuple[Path, list[Step]]
) -> None:
    far = offers_of(recorded[0], hardware)
    far = replace(far, rows=far.rows + np.array([0.6, 0, 0, 0, 0, 0]))
    report, sent = replayed(hardware, far, approach=True)
    way = sent[: -report.periods]
    assert (np.abs(np.diff(way[:, 0])) <= 0.1 * hardware.robot.velocity[0] * 0.05 + 1e-9).all()
    np.testing.assert_array_equal(sent[-report.periods :][0], far.rows[0])
    assert report.outcome == "done"


def test_a_jump_in_the_middle_ends_the_replay_with_the_arm_held(
    hardware: Hardware, recorded: tuple[Path, list[Step]]
) -> None:
    rows = offers_of(recorded[0], hardware).rows.copy()
    rows[20:, 0] -= 2.5
    report, _ = replayed(hardware, ExecutedOffers(rows, hardware.period))
    assert (report.outcome, report.periods) == ("refused", 21)
    assert "command 20: shoulder_pan jumps to" in report.message


def test_half_the_speed_takes_twice_as_long_and_passes_through_the_same_commands() -> None:
    rows = np.random.default_rng(0).normal(size=(11, 6))
    slow = resampled(rows, 0.5)
    assert len(slow) == 21
    np.testing.assert_array_equal(slow[::2], rows)
    np.testing.assert_allclose(slow[1::2], (rows[1:] + rows[:-1]) / 2)
    np.testing.assert_array_equal(resampled(rows, 1.0), rows)
    np.testing.assert_array_equal(resampled(rows, 3.0)[-1], rows[-1])


def test_chunks_replay_to_the_same_commands(tmp_path: Path, hardware: Hardware) -> None:
    human, policy = Scripted([None, RIGHT, None], each=15), Scripted([LEFT, DOWN, RIGHT])
    path, steps = record_run(tmp_path / "set", hardware, policy, human=human)
    with open_episode(path) as episode:
        offers = read_chunks(episode, read_motion(episode))
    report, sent = replayed(hardware, offers)
    assert {step.executed.source for step in steps} >= {"policy", "human"}
    np.testing.assert_array_equal(sent, np.array([step.executed.position for step in steps]))
    assert report.equal == len(steps)
    assert report.changed == sum(bool(step.executed.reasons) for step in steps)


def test_chunks_that_were_not_recorded_are_missed_by_name(tmp_path: Path, hardware: Hardware) -> None:
    path, _ = record_run(tmp_path / "set", hardware, Scripted([LEFT]), with_chunks=False)
    with (
        open_episode(path) as episode,
        pytest.raises(ConfigError, match=r"/policy/chunk lacks.*step 0"),
    ):
        read_chunks(episode, read_motion(episode))


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
