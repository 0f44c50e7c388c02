"""Single keys come at once from a terminal, and one after the other from a pipe."""

from __future__ import annotations

import io
import os
import pty
import select
import termios
import threading
import time

import pytest
from sinew_rewards.asking.keys import read_key


def test_other_keys_are_passed_over_and_the_end_quits() -> None:
    piped = io.StringIO("x\n1S")
    assert [read_key("12s", piped) for _ in range(3)] == ["1", "s", "q"]


def test_a_terminal_gives_a_key_without_a_line_and_is_as_before() -> None:
    controller, terminal = pty.openpty()
    with os.fdopen(terminal, "r") as stream:
        before = termios.tcgetattr(stream)
        os.write(controller, b"1\n")  # before the question was shown: it does not answer it
        select.select([stream], [], [])  # it has arrived

        def press() -> None:
            while termios.tcgetattr(stream)[3] & termios.ICANON:
                time.sleep(0.001)
            os.write(controller, b"2")

        pressing = threading.Thread(target=press)
        pressing.start()
        assert read_key("12", stream) == "2"
        pressing.join()
        assert termios.tcgetattr(stream) == before
    os.close(controller)


def test_a_terminal_is_as_before_after_ctrl_c(monkeypatch: pytest.MonkeyPatch) -> None:
    controller, terminal = pty.openpty()
    with os.fdopen(terminal, "r") as stream:
        before = termios.tcgetattr(stream)

        class Interrupted:
            isatty, fileno = stream.isatty, stream.fileno

            def read(self, _: int) -> str:
                raise KeyboardInterrupt

        with pytest.raises(KeyboardInterrupt):
            read_key("12", Interrupted())  # type: ignore[arg-type]
        assert termios.tcgetattr(stream) == before
    os.close(controller)
