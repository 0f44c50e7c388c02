import os
from collections.abc import Callable

import numpy as np
import pytest
from sinew_core.errors import ConfigError
from sinew_core.hardware import Hardware
from sinew_teleop.keyboard import Config, Keyboard
from sinew_teleop.source import TeleopEvent
from sinew_teleop.terminal import RawTerminal

from tests.teleop.hand import TASK, FakeTime, Hand, hand_on

Line = tuple[int, RawTerminal]


class Typist(Hand):
    """A hand on a keyboard."""

    typing: int

    def type(self, keys: str) -> None:
        os.write(self.typing, keys.encode())

    def hold(self, key: str, ticks: int) -> None:
        """Let a key repeat, once in each control period."""
        for _ in range(ticks):
            self.type(key)
            self.tick()


@pytest.fixture
def sit(time: FakeTime, line: Line) -> Callable[..., Typist]:
    def sit_at(hardware: Hardware, config: Config | None = None) -> Typist:
        hand = hand_on(Keyboard(config or Config(), hardware, time, line[1]), hardware, time)
        typist = Typist(**vars(hand))
        typist.typing = line[0]
        return typist

    return sit_at


Sit = Callable[..., Typist]


def test_the_first_command_is_the_present_target(hardware: Hardware, sit: Sit) -> None:
    person = sit(hardware)
    before = person.target.copy()
    person.type("w")
    np.testing.assert_allclose(person.tick().position, before[None], atol=1e-12)


def test_nobody_typing_wants_nothing(hardware: Hardware, sit: Sit) -> None:
    chunk = sit(hardware).tick(5)
    assert chunk.position.shape == (0, len(hardware.robot.joint_names))


@pytest.mark.parametrize(
    ("key", "axis", "sign"),
    [
        ("w", 0, 1),
        ("s", 0, -1),
        ("a", 1, 1),
        ("d", 1, -1),
        ("r", 2, 1),
        ("f", 2, -1),
        ("\x1b[A", 0, 1),
        ("\x1bOD", 1, 1),
        ("\x1b[6~", 2, -1),
    ],
)
def test_a_key_moves_the_tip_its_way(so101: Hardware, sit: Sit, key: str, axis: int, sign: int) -> None:
    person = sit(so101)
    start = person.tip
    person.hold(key, 10)
    moved = (person.tip - start) * sign
    assert moved[axis] > 0.01
    assert np.abs(np.delete(moved, axis)).max() < 2e-3


def test_motion_ends_soon_after_the_last_repeat(hardware: Hardware, sit: Sit, time: FakeTime) -> None:
    person = sit(hardware, Config(hold=0.15))
    person.hold("r", 10)
    last = time.now
    for _ in range(20):
        before = person.target.copy()
        person.tick()
        if time.now - last > 0.25e9:
            np.testing.assert_array_equal(person.target, before)


def test_the_arm_is_kept_for_a_while_and_then_given_back(hardware: Hardware, sit: Sit) -> None:
    person = sit(hardware, Config(hold=0.15, linger=0.5))
    person.hold("r", 5)
    assert len(person.tick(8).position) == 1
    assert len(person.tick(8).position) == 0


def test_without_lingering_control_goes_back_at_the_end_of_motion(hardware: Hardware, sit: Sit) -> None:
    person = sit(hardware, Config(hold=0.1, linger=0.0))
    person.hold("r", 5)
    assert len(person.tick(4).position) == 0


def test_after_a_release_it_begins_anew_from_the_present_target(hardware: Hardware, sit: Sit) -> None:
    person = sit(hardware, Config(linger=0.0))
    person.hold("r", 10)
    person.tick(10)
    person.target = hardware.robot.home.copy()  # somebody else has moved the arm
    person.type("r")
    np.testing.assert_allclose(person.tick().position[0], hardware.robot.home, atol=1e-12)


def test_keys_from_before_a_pause_do_not_move_the_arm_after_it(
    so101: Hardware, sit: Sit, time: FakeTime
) -> None:
    person = sit(so101)
    person.type("rrr")
    person.source.events()  # read, but no observation came
    time.sleep(5.0)
    assert len(person.tick().position) == 0


def test_the_gripper_closes_and_opens_in_a_ramp(hardware: Hardware, sit: Sit) -> None:
    person = sit(hardware)
    assert person.aperture == pytest.approx(1.0)
    person.type("o")
    person.tick(4)
    assert 0.3 < person.aperture < 0.95
    person.tick(20)
    assert person.aperture == pytest.approx(0.0)
    person.tick(40)
    person.type("o")
    person.tick(25)
    assert person.aperture == pytest.approx(1.0)


def test_a_second_toggle_turns_the_first_one_back(hardware: Hardware, sit: Sit) -> None:
    person = sit(hardware)
    person.type("o")
    person.tick(5)
    person.type("o")
    person.tick(20)
    assert person.aperture == pytest.approx(1.0)


def test_speed_steps_scale_the_motion(so101: Hardware, sit: Sit) -> None:
    travelled = []
    for keys in ("----", "", "++++"):
        person = sit(so101)
        start = person.tip
        person.type(keys)
        person.hold("r", 8)
        travelled.append(float(np.linalg.norm(person.tip - start)))
    assert travelled[0] < 0.5 * travelled[1] < 0.5 * travelled[2]
    assert "speed 100 %" in person.source.status


def test_joint_mode_moves_the_chosen_joint_alone(hardware: Hardware, sit: Sit) -> None:
    person = sit(hardware)
    start = person.target.copy()
    person.type("\t2")
    person.hold("w", 10)
    assert person.target[1] - start[1] > 0.05
    assert "joint 2" in person.source.status
    assert "choose a joint" in person.source.help
    person.target[1] = start[1]
    np.testing.assert_allclose(person.target, start, atol=1e-12)


@pytest.mark.parametrize(
    ("key", "event"),
    [
        (" ", TeleopEvent.STOP),
        ("c", TeleopEvent.CLEAR),
        ("v", TeleopEvent.ARM),
        ("y", TeleopEvent.SUCCESS),
        ("n", TeleopEvent.FAILURE),
        ("\x7f", TeleopEvent.DISCARD),
        ("\r", TeleopEvent.NEXT),
        ("\x04", TeleopEvent.QUIT),
        ("h", TeleopEvent.HELP),
    ],
)
def test_keys_say_what_they_mean_once(so101: Hardware, sit: Sit, key: str, event: TeleopEvent) -> None:
    person = sit(so101)
    person.type(key)
    assert person.source.events() == [event]
    assert person.source.events() == []


def test_a_stop_lets_go_at_once(so101: Hardware, sit: Sit) -> None:
    person = sit(so101)
    person.hold("r", 5)
    person.type(" ")
    assert len(person.tick().position) == 0
    assert person.source.events() == [TeleopEvent.STOP]


def test_a_reset_lets_go(so101: Hardware, sit: Sit) -> None:
    person = sit(so101)
    person.hold("r", 5)
    person.source.reset(TASK)
    assert len(person.tick().position) == 0


def test_unknown_keys_and_broken_sequences_move_nothing(so101: Hardware, sit: Sit) -> None:
    person = sit(so101)
    os.write(person.typing, b"\x1b[99;5u\xff\xc3zZ\x1b[200~" + b"\x1b[" + b"1" * 40)
    person.tick(3)
    assert all(len(chunk.position) == 0 for chunk in person.chunks)
    assert person.source.events() == []


def test_a_sequence_cut_in_two_is_one_key(so101: Hardware, sit: Sit) -> None:
    person = sit(so101)
    start = person.tip
    person.type("\x1b")
    person.type("[A")
    for _ in range(5):
        person.type("\x1b[")
        person.tick()
        person.type("A")
    assert (person.tip - start)[0] > 0.002


def test_own_keys_can_be_given(so101: Hardware, sit: Sit) -> None:
    person = sit(so101, Config(keys={"x": "stop", "i": "+z"}))
    start = person.tip
    person.hold("i", 5)
    assert (person.tip - start)[2] > 0.002
    person.type("x")
    assert person.source.events() == [TeleopEvent.STOP]


def test_a_key_for_something_unknown_is_answered_with_the_nearest() -> None:
    with pytest.raises(ValueError, match="Did you mean 'gripper'"):
        Config(keys={"x": "griper"})


def test_a_hang_up_lets_go_and_stays_let_go(so101: Hardware, sit: Sit) -> None:
    person = sit(so101)
    person.hold("r", 5)
    os.close(person.typing)
    assert len(person.tick().position) == 0
    assert person.source.events() == [TeleopEvent.QUIT]
    assert "gone" in person.source.status
    assert len(person.tick(10).position) == 0


def test_without_a_terminal_a_sentence_says_so(so101: Hardware, time: FakeTime) -> None:
    reading, writing = os.pipe()
    try:
        with pytest.raises(ConfigError, match="no terminal"):
            RawTerminal(reading).open()
    finally:
        os.close(reading)
        os.close(writing)


def test_the_help_names_every_key_of_the_first_page(so101: Hardware, sit: Sit) -> None:
    text = sit(so101).source.help
    for word in ("w s a d", "r f", "STOP", "success", "gripper", "quit"):
        assert word in text
    assert all("  " in row for row in text.splitlines())
