"""A replay sends what was sent, from near its beginning, inside the limits, and ends held."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from made_episodes import Scripted, make_hardware, record_run
from replays import DOWN, LEFT, RIGHT, limits_and_takeover, offers_of, replayed
from sinew_core.errors import ConfigError
from sinew_core.hardware import Hardware, load_hardware
from sinew_core.runtime import Step
from sinew_data.reader import open_episode
from sinew_data.recorded_motion import ExecutedOffers, read_chunks, read_motion, resampled


@pytest.fixture
def hardware(tmp_path: Path) -> Hardware:
    return make_hardware(tmp_path)


@pytest.fixture
def recorded(tmp_path: Path, hardware: Hardware) -> tuple[Path, list[Step]]:
    return limits_and_takeover(tmp_path / "set", hardware)


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
