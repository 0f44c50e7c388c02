from collections.abc import Callable

import numpy as np
import pytest
from sinew_core.hardware import Hardware
from sinew_teleop.gamepad import Config, Gamepad
from sinew_teleop.gamepad_buttons import PRESETS, GamepadMapping
from sinew_teleop.source import TeleopEvent

from tests.teleop.hand import TASK, FakeTime, Hand, hand_on
from tests.teleop.pads import Pad


class Player(Hand):
    """A hand on a gamepad that repeats its state in each control period, as ROS's joy does."""

    pad: Pad

    def play(self, ticks: int) -> None:
        for _ in range(ticks):
            self.pad.tell(self.source)  # type: ignore[arg-type]
            self.tick()

    @property
    def wants(self) -> bool:
        return len(self.chunks[-1].position) > 0


Sit = Callable[..., Player]


@pytest.fixture
def sit(time: FakeTime) -> Sit:
    def sit_at(hardware: Hardware, config: Config | None = None, preset: str = "xbox") -> Player:
        config = config or Config(preset=preset)  # type: ignore[arg-type]
        player = Player(**vars(hand_on(Gamepad(config, hardware, time), hardware, time)))
        player.pad = Pad(preset)
        return player

    return sit_at


def test_the_first_command_is_the_present_target(hardware: Hardware, sit: Sit) -> None:
    player = sit(hardware)
    player.play(1)
    before = player.target.copy()
    player.pad.press("dead_man").push(z=1.0)
    player.play(1)
    np.testing.assert_allclose(player.chunks[-1].position, before[None], atol=1e-12)


@pytest.mark.parametrize("preset", list(PRESETS))
def test_sticks_move_the_tip_while_the_dead_man_is_held(so101: Hardware, sit: Sit, preset: str) -> None:
    player = sit(so101, preset=preset)
    player.play(1)
    player.pad.press("dead_man").push(y=1.0)
    start = player.tip
    player.play(10)
    moved = player.tip - start
    assert moved[1] > 0.01
    assert np.abs(moved[[0, 2]]).max() < 2e-3


def test_without_the_dead_man_nothing_moves(hardware: Hardware, sit: Sit) -> None:
    player = sit(hardware)
    player.pad.push(x=1.0, z=-1.0)
    player.play(5)
    assert not any(len(chunk.position) for chunk in player.chunks)


def test_letting_go_of_the_dead_man_gives_control_back_at_once(hardware: Hardware, sit: Sit) -> None:
    player = sit(hardware)
    player.play(1)
    player.pad.press("dead_man").push(x=1.0)
    player.play(5)
    assert player.wants
    player.pad.release("dead_man")
    player.play(1)
    assert not player.wants


def test_a_dead_man_that_was_held_from_the_beginning_must_first_be_let_go_of(
    hardware: Hardware, sit: Sit
) -> None:
    player = sit(hardware)
    player.pad.press("dead_man").push(x=1.0)
    player.play(5)
    assert not player.wants
    assert "let go" in player.source.status
    player.pad.release("dead_man")
    player.play(1)
    player.pad.press("dead_man")
    player.play(1)
    assert player.wants


def test_a_new_episode_wants_the_dead_man_let_go_of(hardware: Hardware, sit: Sit) -> None:
    player = sit(hardware)
    player.play(1)
    player.pad.press("dead_man")
    player.play(3)
    assert player.wants
    player.source.reset(TASK)
    player.play(1)
    assert not player.wants


def test_unplugged_in_motion_it_lets_go_and_wants_the_dead_man_anew(hardware: Hardware, sit: Sit) -> None:
    player = sit(hardware)
    player.play(1)
    player.pad.press("dead_man").push(x=1.0)
    player.play(5)
    player.tick(12)  # no message any more
    assert not player.wants
    assert "gone" in player.source.status
    player.play(5)  # it is back, the button is still held
    assert not player.wants
    assert "let go" in player.source.status
    player.pad.release("dead_man")
    player.play(1)
    player.pad.press("dead_man")
    player.play(2)
    assert player.wants


def test_a_stick_at_rest_within_its_dead_zone_moves_nothing(so101: Hardware, sit: Sit) -> None:
    player = sit(so101)
    player.play(1)
    player.pad.press("dead_man").push(x=0.1, y=-0.11, z=0.05)
    before = player.target.copy()
    player.play(10)
    assert player.wants
    np.testing.assert_allclose(player.target, before, atol=1e-12)


def test_a_trigger_that_reports_nothing_yet_moves_nothing(so101: Hardware, sit: Sit) -> None:
    """Before it is first touched some drivers report 0, which is half pressed."""
    player = sit(so101)
    player.pad.push(tilt_out=0.0, tilt_in=0.0)
    player.play(1)
    player.pad.press("dead_man")
    before = player.target.copy()
    player.play(10)
    np.testing.assert_allclose(player.target, before, atol=1e-12)


def test_triggers_tilt_the_gripper(so101: Hardware, sit: Sit) -> None:
    player = sit(so101)
    player.play(1)
    player.pad.press("dead_man").push(tilt_out=-1.0)
    before = player.pose
    player.play(15)
    assert (player.pose[:3, 2] - before[:3, 2])[0] > 0.1


def test_the_gripper_toggles_with_the_dead_man_only(hardware: Hardware, sit: Sit) -> None:
    player = sit(hardware)
    player.pad.press("gripper")
    player.play(5)
    player.pad.release("gripper")
    player.play(1)
    assert player.aperture == pytest.approx(1.0)
    player.pad.press("dead_man")
    player.play(2)
    player.pad.press("gripper")
    player.play(25)
    assert player.aperture == pytest.approx(0.0)


@pytest.mark.parametrize("name", ["stop", "clear", "arm", "success", "failure"])
def test_buttons_say_what_they_mean_once_and_without_the_dead_man(
    so101: Hardware, sit: Sit, name: str
) -> None:
    player = sit(so101)
    player.play(1)
    player.pad.press(name)
    player.play(5)
    assert player.source.events() == [TeleopEvent[name.upper()]]


def test_the_cross_discards_and_goes_on_and_changes_the_speed(so101: Hardware, sit: Sit) -> None:
    player = sit(so101)
    player.play(1)
    for way in (1.0, 0.0, -1.0, 0.0):
        player.pad.push(episode=way)
        player.play(2)
    assert player.source.events() == [TeleopEvent.DISCARD, TeleopEvent.NEXT]
    for _ in range(9):
        player.pad.push(speed=1.0)
        player.play(1)
        player.pad.push(speed=0.0)
        player.play(1)
    assert "speed 100 %" in player.source.status


def test_a_mark_that_is_held_while_the_gamepad_comes_back_is_none(so101: Hardware, sit: Sit) -> None:
    player = sit(so101)
    player.play(1)
    player.tick(15)
    player.pad.press("success")
    player.play(3)
    assert player.source.events() == []


def test_a_stop_lets_go_until_the_dead_man_is_pressed_anew(hardware: Hardware, sit: Sit) -> None:
    player = sit(hardware)
    player.play(1)
    player.pad.press("dead_man")
    player.play(2)
    player.pad.press("stop")
    player.play(2)
    assert not player.wants


def test_a_gamepad_with_too_few_buttons_is_told(so101: Hardware, sit: Sit) -> None:
    player = sit(so101)
    player.source.take_joy([0.0, 0.0], [0, 0, 0])  # type: ignore[attr-defined]
    assert "button 4 (dead_man)" in player.source.status
    assert not len(player.tick().position)


def test_values_that_are_not_finite_move_nothing(so101: Hardware, sit: Sit) -> None:
    player = sit(so101)
    player.play(1)
    player.pad.press("dead_man").push(x=float("nan"), y=float("inf"))
    before = player.target.copy()
    player.play(5)
    np.testing.assert_allclose(player.target, before, atol=1e-12)


def test_before_any_message_it_says_so(so101: Hardware, sit: Sit) -> None:
    player = sit(so101)
    player.tick(20)
    assert "no gamepad yet" in player.source.status


@pytest.mark.parametrize("preset", list(PRESETS))
def test_the_help_names_the_buttons_by_their_caps(so101: Hardware, sit: Sit, preset: str) -> None:
    text = sit(so101, preset=preset).source.help
    assert "hold to move" in text
    assert ("LB" if preset == "xbox" else "L1") in text


def test_a_button_cannot_do_two_things() -> None:
    with pytest.raises(ValueError, match="two things"):
        GamepadMapping(stop=4)


def test_an_own_mapping_is_followed(so101: Hardware, sit: Sit) -> None:
    mapping = GamepadMapping(dead_man=9, x=2, tilt_in=7)
    player = sit(so101, Config(mapping=mapping))
    player.pad.mapping = mapping
    player.pad.axes = [0.0] * 8
    player.play(1)
    player.pad.press("dead_man").push(x=1.0)
    start = player.tip
    player.play(10)
    assert (player.tip - start)[0] > 0.01
    assert "button 9" in player.source.help
