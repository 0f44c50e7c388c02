import struct
import sys
from collections.abc import Callable

import numpy as np
import pytest
from sinew_core.errors import ConfigError
from sinew_core.hardware import Hardware
from sinew_teleop.hid_device import open_spacemouse
from sinew_teleop.source import TeleopEvent
from sinew_teleop.spacemouse import Config, Spacemouse
from sinew_teleop.spacemouse_report import CapState, apply_report

from tests.teleop.hand import TASK, FakeTime, Hand, hand_on
from tests.teleop.pads import FakeHid


class Cap(Hand):
    """A hand on the cap, reporting in each control period."""

    device: FakeHid

    def push(self, *axes: int, ticks: int = 10) -> None:
        for _ in range(ticks):
            self.device.push(*axes)
            self.tick()

    @property
    def wants(self) -> bool:
        return len(self.chunks[-1].position) > 0


Sit = Callable[..., Cap]


@pytest.fixture
def sit(time: FakeTime) -> Sit:
    def sit_at(hardware: Hardware, config: Config | None = None) -> Cap:
        device = FakeHid()

        def opener() -> FakeHid:
            if not device.plugged:
                raise OSError("no SpaceMouse is plugged in")
            return device

        source = Spacemouse(config or Config(), hardware, time, opener)
        cap = Cap(**vars(hand_on(source, hardware, time)))
        cap.device = device
        return cap

    return sit_at


def test_reports_carry_translation_rotation_and_buttons() -> None:
    state = apply_report(CapState(), [1, *struct.pack("<3h", 350, -175, 0)])
    state = apply_report(state, [2, *struct.pack("<3h", 0, 70, -350)])
    state = apply_report(state, [3, 0b10, 0, 0])
    assert state == CapState((1.0, -0.5, 0.0), (0.0, 0.2, -1.0), 2)
    assert state.button(1)
    assert not state.button(0)
    assert not state.button(-1)


def test_newer_receivers_send_all_six_axes_at_once() -> None:
    state = apply_report(CapState(), [1, *struct.pack("<6h", 350, 0, 0, 0, 0, 175)])
    assert state == CapState((1.0, 0.0, 0.0), (0.0, 0.0, 0.5))


@pytest.mark.parametrize("report", [[], [1], [1, 2, 3], [2, 0], [3], [23, 1, 2, 3, 4, 5, 6]])
def test_short_and_unknown_reports_change_nothing(report: list[int]) -> None:
    state = CapState((0.1, 0.2, 0.3), (0.4, 0.5, 0.6), 1)
    assert apply_report(state, report) == state


def test_pushes_are_seen_from_behind_the_robot() -> None:
    """The device has x right, y toward the person, z down."""
    forward = apply_report(CapState(), [1, *struct.pack("<3h", 0, -350, 0)])
    right = apply_report(CapState(), [1, *struct.pack("<3h", 350, 0, 0)])
    np.testing.assert_allclose(forward.in_base()[0], [1, 0, 0])
    np.testing.assert_allclose(right.in_base()[0], [0, -1, 0])


def test_the_first_command_is_the_present_target(hardware: Hardware, sit: Sit) -> None:
    cap = sit(hardware)
    cap.tick()
    before = cap.target.copy()
    cap.push(0, -300, 0, ticks=1)
    np.testing.assert_allclose(cap.chunks[-1].position, before[None], atol=1e-12)


def test_a_push_moves_the_tip_and_a_cap_at_rest_gives_it_back(so101: Hardware, sit: Sit) -> None:
    cap = sit(so101)
    cap.tick()
    start = cap.tip
    cap.push(-350, 0, 0)
    moved = cap.tip - start
    assert moved[1] > 0.01
    assert np.abs(moved[[0, 2]]).max() < 2e-3
    cap.push(0, 0, 0, ticks=1)
    here = cap.target.copy()
    cap.tick(15)
    np.testing.assert_array_equal(cap.target, here)
    assert not cap.wants


def test_a_twist_turns_the_gripper(so101: Hardware, sit: Sit) -> None:
    cap = sit(so101)
    cap.tick()
    before = cap.pose
    cap.push(0, 0, 0, 0, 0, 350, ticks=15)
    turn = cap.pose[:3, :3] @ before[:3, :3].T
    assert np.arctan2(turn[1, 0], turn[0, 0]) < -0.1  # clockwise from above


def test_the_dead_zone_ignores_a_resting_hand(so101: Hardware, sit: Sit) -> None:
    cap = sit(so101)
    cap.push(30, -30, 20, 10, 20, -30)
    assert not any(len(chunk.position) for chunk in cap.chunks)


def test_scales_turn_an_axis_round(so101: Hardware, sit: Sit) -> None:
    cap = sit(so101, Config(translation=(1.0, -1.0, 1.0)))
    cap.tick()
    start = cap.tip
    cap.push(-350, 0, 0)
    assert (cap.tip - start)[1] < -0.01


def test_with_a_dead_man_button_the_cap_alone_moves_nothing(so101: Hardware, sit: Sit) -> None:
    cap = sit(so101, Config(dead_man="button", dead_man_button=1))
    cap.push(0, -350, 0)
    assert not cap.wants
    cap.device.press(0b10)
    cap.push(0, -350, 0, ticks=3)
    assert cap.wants
    cap.device.press(0)
    cap.push(0, -350, 0, ticks=1)
    assert not cap.wants


def test_a_cap_that_falls_silent_counts_as_let_go(so101: Hardware, sit: Sit) -> None:
    cap = sit(so101, Config(silence=0.2, linger=0.0))
    cap.tick()
    cap.push(0, -350, 0, ticks=5)
    cap.tick(6)
    assert not cap.wants


def test_unplugged_it_lets_go_and_back_it_wants_the_cap_at_rest_first(so101: Hardware, sit: Sit) -> None:
    cap = sit(so101)
    cap.tick()
    cap.push(0, -350, 0, ticks=5)
    assert cap.wants
    cap.device.plugged = False
    cap.tick()
    assert not cap.wants
    assert cap.device.closed
    cap.tick(25)
    assert "gone: no SpaceMouse is plugged in" in cap.source.status
    cap.device.plugged = True
    cap.push(0, -350, 0, ticks=30)
    assert not cap.wants
    assert "let go" in cap.source.status
    cap.push(0, 0, 0, ticks=1)
    cap.push(0, -350, 0, ticks=2)
    assert cap.wants


def test_the_gripper_button_toggles_once_a_press(hardware: Hardware, sit: Sit) -> None:
    cap = sit(hardware)
    cap.tick()
    cap.device.press(1)
    cap.tick(3)
    cap.device.press(1)  # the same press, reported again
    cap.tick(25)
    assert cap.aperture == pytest.approx(0.0)


def test_a_stop_button_stops(so101: Hardware, sit: Sit) -> None:
    cap = sit(so101, Config(gripper_button=-1, stop_button=0))
    cap.tick()
    cap.push(0, -350, 0, ticks=3)
    cap.device.press(1)
    cap.push(0, -350, 0, ticks=2)
    assert cap.source.events() == [TeleopEvent.STOP]
    assert not cap.wants


def test_a_reset_lets_go(so101: Hardware, sit: Sit) -> None:
    cap = sit(so101)
    cap.tick()
    cap.push(0, -350, 0, ticks=3)
    cap.source.reset(TASK)
    cap.push(0, -350, 0, ticks=2)
    assert not cap.wants


def test_a_button_cannot_do_two_things() -> None:
    with pytest.raises(ValueError, match="two things"):
        Config(dead_man="button", dead_man_button=0)


def test_without_the_library_a_sentence_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "hid", None)
    with pytest.raises(ConfigError, match=r"sinew\[spacemouse\]"):
        open_spacemouse()


def test_without_a_mouse_the_library_is_still_asked() -> None:
    """The real library, on a machine that has none plugged in."""
    with pytest.raises(OSError, match="no SpaceMouse"):
        open_spacemouse()
