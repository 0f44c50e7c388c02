"""The only path to the arm: what is sent when sources come and go, when somebody stops, when things break."""

from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest
from sinew_core.authority import AuthorityConfig, WatchdogConfig
from sinew_core.control import ControlPath
from sinew_core.errors import DeviceError
from sinew_core.protocols import SafeCommand
from sinew_core.types import ActionChunk, JointCommand


@pytest.fixture
def station(hardware):
    station = hardware.open_station("test")
    yield station
    station.close()


class Drive:
    """A control path and its sent commands; sources are given as offsets from the present target."""

    def __init__(self, station, hardware, **options):
        self.station = station
        self.path = ControlPath(station, hardware, **options)
        self.path.reset(station.arm.read())
        self.sent = []

    def period(self, **offsets):
        state = self.station.arm.read()
        target = self.sent[-1].position if self.sent else state.position
        for source, offset in offsets.items():
            rows = np.zeros((0, 6)) if offset is None else (target + offset)[None]
            self.path.offer(source, ActionChunk(state.stamp, 0.05, rows), state.stamp)
        self.sent.append(self.path.execute(state))
        return self.sent[-1]

    @property
    def owner(self):
        return self.path.authority.state.owner


@pytest.fixture
def drive(station, hardware):
    return Drive(station, hardware)


def test_a_takeover_goes_on_from_the_present_target(drive):
    for _ in range(10):
        before = drive.period(policy=0.05)
    executed = drive.period(policy=0.05, human=0.0)
    assert (executed.source, drive.owner) == ("human", "human")
    speed = 20.0 * 0.05 * 0.05  # rad a period, that the acceleration limit leaves
    assert np.abs(executed.position - before.position).max() <= 0.05
    assert np.abs(drive.period(human=0.0).position - executed.position).max() <= max(0.0, speed)


def test_after_the_hand_back_the_policy_must_answer_anew(drive):
    drive.period(policy=0.01, human=0.0)
    assert drive.period(human=None).source == "hold"
    assert drive.period(policy=0.01).source == "policy"


def test_a_stop_is_obeyed_at_once_and_stays(drive):
    drive.period(policy=0.05)
    drive.path.authority.stop("service", "asked for")
    stopped = [drive.period(policy=0.05) for _ in range(5)]
    assert {command.source for command in stopped} == {"stopped"}
    assert stopped[0].reasons == ("stopped:service: asked for",)
    assert drive.station.arm.stops == 1
    np.testing.assert_array_equal(stopped[0].position, stopped[-1].position)


def test_a_stop_that_comes_while_the_filters_compute_is_obeyed_before_the_write(station, hardware):
    class StopsInBetween:
        def filter(self, command, state):
            drive.path.authority.stop("button", "pressed", present=True)
            return SafeCommand(command)

    drive = Drive(station, hardware, safety=StopsInBetween())
    before = station.arm.read().position
    assert drive.period(policy=0.05).source == "stopped"
    np.testing.assert_array_equal(station.arm.read().position, before)


def test_armed_again_the_arm_holds_where_it_is_and_takes_commands_from_there(drive):
    drive.period(policy=0.05)
    drive.path.authority.stop("service", "asked for")
    drive.period()
    drive.station.arm.position += 0.3  # pushed by hand meanwhile
    assert drive.path.authority.clear() == ""
    assert drive.path.authority.arm() == ""
    executed = drive.period()
    assert executed.source == "hold"
    np.testing.assert_array_equal(executed.position, drive.station.arm.read().position)
    assert drive.period(policy=0.01).source == "policy"


def test_a_reset_does_not_end_a_stop(drive):
    drive.path.authority.stop("service", "asked for")
    drive.path.reset(drive.station.arm.read())
    assert drive.period(policy=0.01).source == "stopped"
    drive.path.hold()
    assert drive.period(policy=0.01).source == "stopped"


def test_a_watchdogs_hold_lasts_as_long_as_its_cause(drive):
    drive.period(policy=0.01)
    drive.path.authority.hold("camera top", "has stopped")
    for _ in range(3):
        executed = drive.period(policy=0.01)
        assert executed.source == "hold"
        assert "watchdog:camera top: has stopped" in executed.reasons
    drive.path.authority.release("camera top")
    assert drive.period(policy=0.01).source == "policy"


@pytest.mark.parametrize("fault", [np.nan, 5.0])
def test_a_faulty_command_holds_or_stops_as_declared(station, hardware, fault):
    for action, owner in (("hold", "hold"), ("stop", "stopped")):
        config = AuthorityConfig(watchdogs=WatchdogConfig(faulty_command=action))
        drive = Drive(station, hardware, config=config)
        drive.period(policy=0.0)
        drive.period(policy=fault)
        executed = drive.period()
        assert executed.source == owner
        reasons = [reason for command in drive.sent for reason in command.reasons]
        assert any("non-finite" in reason or "jumps to" in reason for reason in reasons)


def test_a_silent_human_stops_where_that_is_declared(station, hardware):
    watchdogs = WatchdogConfig(silent_human="stop")
    drive = Drive(station, hardware, config=AuthorityConfig(human_timeout=0.1, watchdogs=watchdogs))
    drive.period(human=0.0)
    for _ in range(5):
        drive.period(policy=0.01)
    assert drive.sent[-1].source == "stopped"


def test_whatever_is_commanded_no_limit_is_broken(station, hardware):
    random = np.random.default_rng(0)
    drive = Drive(station, hardware, config=AuthorityConfig(blend_speed=0.3))
    robot = hardware.robot
    for _ in range(400):
        wild = {
            source: random.choice([None, np.nan, *random.normal(0, 0.5, 3)])
            for source in ("policy", "human")
            if random.random() < 0.7
        }
        if random.random() < 0.05:
            drive.path.authority.stop("service", "test")
        if random.random() < 0.2:
            drive.path.authority.clear()
            drive.path.authority.arm()
        drive.period(**wild)
    positions = np.array([command.position for command in drive.sent])
    assert (positions >= robot.lower - 1e-9).all()
    assert (positions <= robot.upper + 1e-9).all()
    steps = np.array([np.abs(b - a) for a, b in pairwise(positions)])
    assert (steps <= robot.velocity * 0.05 + 1e-9).all()
    assert {command.source for command in drive.sent} == {"hold", "policy", "human", "stopped"}
    assert all(c.reasons for c in drive.sent if c.source == "stopped")


def test_the_gripper_may_be_told_to_close_at_once(drive, hardware):
    offset = np.zeros(6)
    offset[hardware.robot.gripper_index] = -1.0
    executed = drive.period(policy=offset)
    assert executed.source == "policy"
    assert drive.period(human=-offset).source == "human"


def test_settings_come_from_the_hardware_file(station, hardware):
    config = replace(hardware.config, authority=AuthorityConfig(guard=0.01))
    drive = Drive(station, replace(hardware, config=config))
    assert "begins 0.050" in drive.period(policy=0.05).reasons[0]


@pytest.mark.parametrize("faulty", [lambda q: np.where(np.arange(6) == 2, np.nan, q), lambda q: q[:5]])
def test_a_reading_that_is_no_number_or_too_short_never_becomes_a_target(drive, faulty):
    state = drive.station.arm.read()
    bad = replace(state, position=faulty(state.position))
    with pytest.raises(DeviceError, match="arm: "):
        drive.path.execute(bad)
    with pytest.raises(DeviceError, match="arm: "):
        drive.path.reset(bad)
    drive.period(policy=0.0)
    np.testing.assert_allclose(drive.station.arm.read().position, state.position)


def test_a_filter_that_answers_with_nonsense_stops_the_arm(station, hardware):
    class Nonsense:
        def filter(self, command, state):
            return SafeCommand(JointCommand(command.stamp, np.full(6, np.nan)))

    drive = Drive(station, hardware, safety=Nonsense())
    before = station.arm.read().position
    executed = drive.period(policy=0.05)
    assert executed.source == "stopped"
    assert executed.reasons == ("stopped:safety: the safety filters answered with a non-finite command",)
    np.testing.assert_array_equal(station.arm.read().position, before)
