import numpy as np
import pytest
from sinew_core.hardware import Hardware
from sinew_teleop.dead_man import DeadManSwitch
from sinew_teleop.gripper import GripperRamp
from sinew_teleop.keys import KeyDecoder
from sinew_teleop.shaping import curved, dead_zone, shortened
from sinew_teleop.speed import SpeedConfig, SpeedScale


def test_the_dead_zone_begins_at_zero_and_ends_at_full() -> None:
    given = np.array([-1.0, -0.2, -0.1, 0.0, 0.2, 0.6, 1.0])
    np.testing.assert_allclose(dead_zone(given, 0.2), [-1, 0, 0, 0, 0, 0.5, 1])


def test_a_curve_keeps_the_ends_and_refines_the_middle() -> None:
    np.testing.assert_allclose(curved(np.array([-1.0, -0.5, 0, 0.5, 1]), 2.0), [-1, -0.25, 0, 0.25, 1])


def test_vectors_are_shortened_in_their_own_direction() -> None:
    np.testing.assert_allclose(shortened(np.array([3.0, 4.0]), 1.0), [0.6, 0.8])
    np.testing.assert_allclose(shortened(np.array([0.3, 0.4]), 1.0), [0.3, 0.4])
    np.testing.assert_allclose(shortened(np.zeros(3), 0.0), 0.0)


def test_speed_levels_end_at_both_ends() -> None:
    scale = SpeedScale(SpeedConfig((0.1, 0.5, 1.0), 0.5))
    scale.change(7)
    assert scale.factor == 1.0
    scale.change(-7)
    assert scale.factor == 0.1


@pytest.mark.parametrize("levels", [(), (0.5, 0.1), (0.0, 1.0), (0.5, 1.5), (0.5, 0.5)])
def test_speed_levels_must_rise_to_one_at_most(levels: tuple[float, ...]) -> None:
    with pytest.raises(ValueError, match="levels"):
        SpeedConfig(levels, levels[0] if levels else 1.0)


def test_a_dead_man_counts_only_after_it_was_let_go_of() -> None:
    switch = DeadManSwitch()
    held = []
    for pressed in (True, False, True, True):
        switch.press(pressed=pressed)
        held.append(switch.held)
    assert held == [False, False, True, True]
    switch.lock()
    assert switch.stuck
    assert not switch.held


def test_a_gripper_is_no_faster_than_its_joint(hardware: Hardware) -> None:
    robot, dt = hardware.robot, 0.05
    ramp, position = GripperRamp(robot, 0.01, dt), robot.home.copy()
    ramp.toggle()
    before = position[robot.gripper_index]
    moved = abs(ramp.step(position, 0.0) - before)
    assert moved <= robot.velocity[robot.gripper_index] * dt + 1e-12


def test_a_gripper_follows_a_rate_to_its_ends(hardware: Hardware) -> None:
    robot = hardware.robot
    ramp, position = GripperRamp(robot, 0.5, 0.05), robot.home.copy()
    for _ in range(30):
        position[robot.gripper_index] = ramp.step(position, -0.5)
    assert robot.aperture(position) == pytest.approx(0.0)


@pytest.mark.parametrize(
    ("typed", "keys"),
    [
        (b"wA ", ["w", "A", "space"]),
        (b"\r\n\t\x7f\x08", ["enter", "enter", "tab", "backspace", "backspace"]),
        (b"\x1b[Aw\x1bOB", ["up", "w", "down"]),
        (b"\x1b[1;5C", []),
        ("ä€".encode(), ["ä", "€"]),
        (b"\x1bw", ["escape", "w"]),
    ],
)
def test_bytes_become_keys(typed: bytes, keys: list[str]) -> None:
    assert KeyDecoder().feed(typed) == keys


def test_an_escape_key_is_one_once_nothing_follows_it() -> None:
    decoder = KeyDecoder()
    assert decoder.feed(b"\x1b") == []
    assert decoder.feed(b"") == ["escape"]


@pytest.mark.parametrize("cut", range(1, 6))
def test_wherever_a_sequence_is_cut_the_keys_are_the_same(cut: int) -> None:
    typed = b"w\x1b[6~" + "ä".encode()
    decoder = KeyDecoder()
    assert decoder.feed(typed[:cut]) + decoder.feed(typed[cut:]) == ["w", "page down", "ä"]
