"""A gamepad at the kernel's joystick device, through a pipe."""

import os
from pathlib import Path

from sinew_core.hardware import Hardware
from sinew_teleop.gamepad import Config, Gamepad
from sinew_teleop.source import TeleopEvent

from tests.teleop.hand import FakeTime, hand_on
from tests.teleop.pads import AXIS, BUTTON, Pipe


def test_it_drives_without_ros(so101: Hardware, time: FakeTime, tmp_path: Path) -> None:
    pipe = Pipe(tmp_path)
    gamepad = Gamepad(Config(device=str(pipe.path)), so101, time)
    hand = hand_on(gamepad, so101, time)
    hand.tick()
    pipe.introduce()
    hand.tick()
    start = hand.tip
    pipe.tell((BUTTON, 4, 1), (AXIS, 1, -32767))  # the stick forward
    hand.tick(10)
    assert (hand.tip - start)[0] > 0.01
    pipe.tell((BUTTON, 4, 0))
    assert len(hand.tick().position) == 0
    pipe.tell((BUTTON, 1, 1))
    assert gamepad.events() == [TeleopEvent.STOP]
    gamepad.close()
    pipe.unplug()


def test_unplugged_and_back_with_the_dead_man_held_it_stays_let_go(
    so101: Hardware, time: FakeTime, tmp_path: Path
) -> None:
    pipe = Pipe(tmp_path)
    gamepad = Gamepad(Config(device=str(pipe.path)), so101, time)
    hand = hand_on(gamepad, so101, time)
    hand.tick()
    pipe.introduce()
    hand.tick()
    pipe.tell((BUTTON, 4, 1), (AXIS, 1, -32767))
    assert len(hand.tick(3).position) == 1
    pipe.unplug()
    assert len(hand.tick().position) == 0
    assert "gone" in gamepad.status
    pipe = Pipe(tmp_path)
    hand.tick(25)  # it is opened again after a second
    pipe.introduce(pressed=[4])
    assert len(hand.tick(3).position) == 0
    assert "let go" in gamepad.status
    pipe.tell((BUTTON, 4, 0))
    hand.tick()
    pipe.tell((BUTTON, 4, 1))
    assert len(hand.tick().position) == 1
    gamepad.close()
    pipe.unplug()


def test_half_an_event_waits_for_its_other_half(so101: Hardware, time: FakeTime, tmp_path: Path) -> None:
    pipe = Pipe(tmp_path)
    gamepad = Gamepad(Config(device=str(pipe.path)), so101, time)
    gamepad.events()
    pipe.introduce()
    gamepad.events()
    os.write(pipe.keep, b"\0\0\0\0\1")
    assert gamepad.events() == []
    os.write(pipe.keep, b"\0\1\1")  # button 1 down
    assert gamepad.events() == [TeleopEvent.STOP]
    gamepad.close()
    pipe.unplug()


def test_a_device_that_is_not_there_is_named(so101: Hardware, time: FakeTime, tmp_path: Path) -> None:
    gamepad = Gamepad(Config(device=str(tmp_path / "js7")), so101, time)
    assert gamepad.events() == []
    assert "js7: No such file" in gamepad.status
