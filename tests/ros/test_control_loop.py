"""The control loop between devices that fail and a policy that never rests: it holds, says why, goes on."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, cast

import numpy as np
import pytest
from sinew_core.authority import HUMAN, POLICY, AuthorityLatch
from sinew_core.hardware import load_hardware
from sinew_core.types import ActionChunk, JointCommand
from sinew_nodes.control_period import ControlPeriod
from sinew_nodes.devices import DeviceReader
from sinew_nodes.fault_rig import ROOM, Rig, faulty_hardware, write_hardware
from sinew_nodes.fault_station import Culprit, Fault
from sinew_nodes.mailbox import Mailbox
from sinew_nodes.outlet import Outlet
from sinew_nodes.parameters import StationParameters

FAKE = {"plugin": "sinew_core.fakes:FakeStation", "world": False}
RigOf = Callable[..., Rig]


@pytest.fixture
def rig_of(tmp_path: Path) -> Iterator[RigOf]:
    rigs: list[Rig] = []

    def make(pace: Any = "realtime", **changes: Any) -> Rig:
        station = {**FAKE, "world": pace == "lockstep"}
        path = write_hardware(tmp_path, "synthetic", station=station, safety=ROOM, **changes)
        rigs.append(Rig(path, pace, "pick_place", 1))
        return rigs[-1]

    yield make
    for rig in rigs:
        rig.close()


def reasons(rig: Rig) -> str:
    return " ".join(reason for _, command in rig.sources.trace.commands for reason in command.reasons)


def owners(rig: Rig) -> list[str]:
    return [state.owner for _, state in rig.sources.trace.changes]


def test_a_chunk_that_comes_after_the_end_of_its_episode_moves_nothing(rig_of: RigOf) -> None:
    rig = rig_of()
    assert rig.start_episode(12)
    trace = rig.sources.trace
    assert rig.mailbox.put_mark("success") == ""
    assert rig.until(lambda: trace.endings)
    last = rig.sources.trace.observed[-1][1]
    rows = np.repeat(rig.hardware.robot.home[None] + 0.1, 50, axis=0)
    rig.mailbox.put_chunk(POLICY, ActionChunk(last, 0.03, rows))
    count = len(trace.commands)
    assert rig.until(lambda: len(trace.commands) > count + 4)
    assert {command.source for _, command in trace.commands[count:]} == {"hold"}


@pytest.mark.parametrize("kind", ["joints_nan", "joints_short"])
def test_joints_that_are_no_sound_reading_stop_the_arm_until_it_is_cleared(rig_of: RigOf, kind: str) -> None:
    rig = rig_of()
    assert rig.start_episode(1)
    rig.culprit.fault = Fault(kind, joint=2)
    assert rig.until(lambda: "stopped" in owners(rig))
    authority = rig.loop.path.authority
    assert authority.state.reason.startswith("arm: ")
    assert "arm: " in authority.clear(), "the cause is still there"
    assert rig.recover() == ""
    assert rig.start_episode(1)


def test_the_next_episode_begins_from_a_sound_reading_or_not_at_all(rig_of: RigOf) -> None:
    rig = rig_of("lockstep")
    rig.culprit.fault = Fault("joints_nan", joint=2)
    assert not rig.start_episode(1)
    assert not rig.limits.beyond
    assert "elbow_flex was read as nan" in rig.sources.trace.broke[0]


@pytest.mark.parametrize("kind", ["joints_stale", "joints_past", "joints_future"])
def test_in_lockstep_joints_are_of_the_present_time(rig_of: RigOf, kind: str) -> None:
    rig = rig_of("lockstep")
    assert rig.start_episode(1)
    rig.culprit.fault = Fault(kind, amount=0.5)
    assert rig.until(lambda: rig.sources.trace.endings)
    assert "arm: its reading is" in rig.sources.trace.endings[0][1].message


@pytest.mark.parametrize("amount", [0.1, 5.0])
@pytest.mark.parametrize("kind", ["camera_past", "camera_future"])
def test_a_frame_of_another_time_is_not_taken_and_is_named(rig_of: RigOf, kind: str, amount: float) -> None:
    rig = rig_of()
    assert rig.start_episode(1)
    rig.culprit.fault = Fault(kind, amount=amount, camera="side")
    assert rig.until(lambda: "watchdog:camera side: camera side: its stamp" in reasons(rig))
    assert rig.recover() == ""
    assert rig.start_episode(1)


def test_a_stamp_two_control_periods_ahead_is_noticed_before_the_next_one_goes_back(tmp_path: Path) -> None:
    culprit = Culprit()
    hardware = faulty_hardware(write_hardware(tmp_path, "sim_mujoco", station=FAKE), "realtime", culprit)
    station, authority = hardware.open_station("pick_place"), AuthorityLatch()
    reader = DeviceReader(station, hardware, authority)
    reader.joints()
    reader.frame("top", time.time_ns())
    ahead = 2 * hardware.config.control_period
    culprit.fault = Fault("camera_future", amount=ahead, camera="top")
    sentences: list[str] = []
    for _ in range(2):  # every other frame is from the future
        reader.frame("top", reader.joints().stamp)
        sentences += [cause.sentence for cause in authority.state.holds]
    assert any("ahead of the joints" in sentence for sentence in sentences)
    assert not any("gone back" in sentence for sentence in sentences)


def test_a_gripper_that_closes_before_a_still_camera_is_no_frozen_camera(tmp_path: Path) -> None:
    culprit = Culprit()
    hardware = faulty_hardware(write_hardware(tmp_path, "sim_mujoco", station=FAKE), "realtime", culprit)
    station, authority = hardware.open_station("pick_place"), AuthorityLatch()
    reader = DeviceReader(station, hardware, authority)

    def move(joint: int) -> list[str]:
        for _ in range(5):
            position = reader.joints().position
            position[joint] -= 0.2
            reader.frame("top", time.time_ns())
            station.arm.write(JointCommand(0, position))
        return [cause.name for cause in authority.state.holds]

    reader.joints()
    reader.frame("top", time.time_ns())
    culprit.fault = Fault("camera_frozen", camera="top")
    assert move(hardware.robot.gripper_index) == []
    assert move(0) == ["camera top"]


def test_a_person_is_held_too_while_a_camera_is_frozen_and_drives_on_afterwards(rig_of: RigOf) -> None:
    rig = rig_of()
    assert rig.start_episode(1, HUMAN)
    rig.culprit.fault = Fault("camera_frozen", camera="top")
    assert rig.until(lambda: "watchdog:camera top: camera top is frozen" in reasons(rig))
    count = len(rig.trace.commands)
    assert rig.until(lambda: len(rig.trace.commands) > count + 5)
    assert {command.source for _, command in rig.trace.commands[count:]} == {"hold"}
    rig.culprit.fault = None
    assert rig.until(lambda: rig.trace.commands[-1][1].source == HUMAN)


@pytest.mark.parametrize("device", ["joints", "camera", "write"])
def test_a_device_that_does_not_answer_is_named_while_the_loop_waits_for_it(
    rig_of: RigOf, device: str
) -> None:
    rig = rig_of()
    assert rig.start_episode(1)
    trace = rig.sources.trace
    rig.culprit.fault = Fault(f"{device}_block", amount=0.45, camera="top")
    assert rig.until(lambda: "hold" in owners(rig))
    count = len(trace.commands)
    reason = trace.changes[-1][1].reason
    assert "the control loop has stood still" in reason
    assert reason.endswith("waiting for camera top" if device == "camera" else "waiting for arm")
    assert len(trace.commands) == count, "it is still waiting"
    assert rig.until(lambda: owners(rig)[-1] == "policy"), "and goes on when the device does"


def test_a_stop_reaches_the_arm_although_the_loop_waits_for_a_camera(rig_of: RigOf) -> None:
    rig = rig_of()
    assert rig.start_episode(1)
    arm = rig.hardware.opened[-1].arm
    rig.culprit.fault = Fault("camera_block", amount=1.0, camera="top")
    assert rig.until(lambda: "hold" in owners(rig))
    stops, count = arm.stops, len(rig.sources.trace.commands)
    rig.loop.path.authority.stop("service", "asked for")
    assert rig.until(lambda: arm.stops > stops)
    assert len(rig.sources.trace.commands) == count


def test_an_arm_that_cannot_even_be_stopped_ends_the_episode_and_the_loop_with_its_words(
    rig_of: RigOf,
) -> None:
    rig = rig_of()
    assert rig.start_episode(1)
    rig.culprit.fault = Fault("arm_unplugged")
    trace = rig.sources.trace
    assert rig.until(lambda: trace.broke)
    assert trace.endings[0][1].message == "arm: the cable is unplugged"
    assert trace.broke == ["arm: the cable is unplugged"]
    assert owners(rig)[-1] == "stopped"


def test_who_owns_the_arm_is_told_when_the_station_is_halted(rig_of: RigOf) -> None:
    rig = rig_of()
    assert rig.start_episode(1)
    began = time.monotonic()
    rig.loop.halt()
    assert time.monotonic() - began < 1.0
    state = rig.sources.trace.changes[-1][1]
    assert (state.owner, state.previous) == ("hold", "policy")


def test_a_clock_that_jumps_ends_the_episode_and_not_the_next_one(rig_of: RigOf) -> None:
    rig = rig_of()
    for amount in (-5.0, 3.0, -0.5):
        assert rig.start_episode(1)
        rig.culprit.fault = Fault("clock", amount=amount)
        trace = rig.sources.trace
        assert rig.until(lambda trace=trace: trace.endings)  # type: ignore[misc]
        assert "the clock has jumped" in trace.endings[0][1].message
        assert rig.recover() == ""
    assert rig.start_episode(1)


class Ear:
    """An outlet that has a chunk of each source handed in right after the joints were read."""

    def __init__(self, mailbox: Mailbox, rows: list[dict[str, int]]) -> None:
        self._mailbox, self._rows = mailbox, rows
        self.sources: list[str] = []

    def observed(self, joints: Any, *, simulated: bool) -> None:
        for source, count in self._rows.pop(0).items():
            rows = np.repeat(joints.position[None], count, axis=0)
            self._mailbox.put_chunk(source, ActionChunk(joints.stamp, 0.03, rows))

    def executed(self, command: Any, written: int, episode: int) -> None:
        self.sources.append(command.source)

    def __getattr__(self, name: str) -> Any:
        return lambda *arguments, **named: False


@pytest.mark.parametrize(("pace", "then"), [("realtime", "hold"), ("lockstep", "policy")])
def test_what_the_policy_saw_before_the_hand_back_is_void_where_time_goes_on(
    tmp_path: Path, pace: Any, then: str
) -> None:
    path = write_hardware(tmp_path, "synthetic", station={**FAKE, "world": pace == "lockstep"}, safety=ROOM)
    hardware = load_hardware(str(path)).with_pace(pace)
    mailbox = Mailbox()
    mailbox.set_active(True)
    ear = Ear(mailbox, [{HUMAN: 1, POLICY: 1}, {HUMAN: 0, POLICY: 1}, {POLICY: 1}])
    station = hardware.open_station("pick_place")
    period = ControlPeriod(
        station, hardware, StationParameters(str(path), "pick_place"), mailbox, cast(Outlet, ear)
    )
    period.begin(1, 0)
    mailbox.answer = cast(Any, object())
    for _ in range(3):
        period.run()
    assert ear.sources == ["human", then, "policy"]
