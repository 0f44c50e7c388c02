"""The terminal comes back whatever happens: seen from outside, on a process of its own."""

import fcntl
import os
import pty
import select
import signal
import subprocess
import sys
import termios
import time
from collections.abc import Iterator

import pytest

PROGRAM = """
import os, signal, sys, time
signal.signal(signal.SIGHUP, signal.SIG_DFL)  # whoever started the tests may ignore it
from sinew_teleop.terminal import open_terminal
from sinew_teleop.terminal_signals import guarded
terminal = open_terminal()
with guarded(terminal, lambda: print("suspended", flush=True), lambda: print("resumed", flush=True)):
    print("ready", flush=True)
    {body}
"""
WAIT = "while True: time.sleep(0.01)"
# A shell in the foreground's place: the system suspends no process whose parent could not wake it.
SHELL = """
import os, signal, subprocess, sys, termios, time
signal.signal(signal.SIGTTOU, signal.SIG_IGN)
child = subprocess.Popen([sys.executable, "-c", sys.argv[1]], process_group=0)
os.tcsetpgrp(0, child.pid)
_, status = os.waitpid(child.pid, os.WUNTRACED)
os.tcsetpgrp(0, os.getpgrp())
print(f"stopped: {os.WIFSTOPPED(status)}", flush=True)
sys.stdin.readline()
os.kill(child.pid, signal.SIGCONT)  # as `bg` does
time.sleep(0.3)
print(f"background: {bool(termios.tcgetattr(0)[3] & termios.ICANON)}", flush=True)
sys.stdin.readline()
os.tcsetpgrp(0, child.pid)  # as `fg` does with what runs already
_, status = os.waitpid(child.pid, 0)
os.tcsetpgrp(0, os.getpgrp())
print(f"ended: {-os.waitstatus_to_exitcode(status)}", flush=True)
"""


class Session:
    """A process at a terminal of its own, which it controls."""

    def __init__(self, body: str, shell: bool = False) -> None:
        self.master, self.slave = pty.openpty()
        self.before = termios.tcgetattr(self.slave)
        program = PROGRAM.format(body=body)
        self.process = subprocess.Popen(
            [sys.executable, "-c", *([SHELL] if shell else []), program],
            stdin=self.slave,
            stdout=self.slave,
            stderr=self.slave,
            start_new_session=True,
            preexec_fn=self._control,  # noqa: PLW1509 - one system call
        )
        self.said = ""

    def _control(self) -> None:
        fcntl.ioctl(self.slave, termios.TIOCSCTTY, 0)

    def wait_for(self, word: str) -> None:
        deadline = time.monotonic() + 20
        while word not in self.said:
            assert time.monotonic() < deadline, self.said
            if select.select([self.master], [], [], 0.1)[0]:
                self.said += os.read(self.master, 4096).decode(errors="replace")

    @property
    def settings(self) -> list[object]:
        return list(termios.tcgetattr(self.slave))

    @property
    def raw(self) -> bool:
        return not termios.tcgetattr(self.slave)[3] & (termios.ICANON | termios.ECHO)

    def close(self) -> None:
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait(10)
        os.close(self.master)
        os.close(self.slave)


@pytest.fixture
def sessions() -> Iterator[list[Session]]:
    opened: list[Session] = []
    yield opened
    for session in opened:
        session.close()


def start(sessions: list[Session], body: str, *, shell: bool = False) -> Session:
    session = Session(body, shell)
    sessions.append(session)
    session.wait_for("ready")
    return session


def test_an_exception_gives_the_terminal_back(sessions: list[Session]) -> None:
    session = start(sessions, "raise RuntimeError('out of ideas')")
    assert session.process.wait(10) == 1
    assert session.settings == session.before


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT])
def test_a_signal_gives_the_terminal_back_and_still_ends_the_process(
    sessions: list[Session], number: signal.Signals
) -> None:
    session = start(sessions, WAIT)
    assert session.raw
    session.process.send_signal(number)
    assert session.process.wait(10) == -number
    assert session.settings == session.before


def test_ctrl_c_is_still_an_interrupt(sessions: list[Session]) -> None:
    session = start(sessions, WAIT)
    os.write(session.master, b"\x03")
    assert session.process.wait(10) == -signal.SIGINT
    assert session.settings == session.before


def test_sys_exit_gives_the_terminal_back(sessions: list[Session]) -> None:
    session = start(sessions, "sys.exit(3)")
    assert session.process.wait(10) == 3
    assert session.settings == session.before


def test_a_suspended_process_leaves_the_terminal_whole_and_takes_it_again(sessions: list[Session]) -> None:
    session = start(sessions, WAIT, shell=True)
    assert session.raw
    os.write(session.master, b"\x1a")  # Ctrl-Z
    session.wait_for("stopped: True")
    assert "suspended" in session.said
    assert session.settings == session.before
    os.write(session.master, b"bg\n")
    session.wait_for("background: True")  # the terminal is still the shell's
    assert "resumed" not in session.said
    os.write(session.master, b"fg\n")
    session.wait_for("resumed")
    assert session.raw
    os.write(session.master, b"\x03")
    session.wait_for("ended: 2")
    assert session.process.wait(10) == 0
    assert session.settings == session.before


def test_a_suspension_that_the_system_ignores_leaves_the_keys_working(sessions: list[Session]) -> None:
    session = start(sessions, WAIT)  # nobody could wake this one
    session.process.send_signal(signal.SIGTSTP)
    session.wait_for("resumed")
    assert session.raw


def test_keys_are_read_without_waiting_and_without_echo(sessions: list[Session]) -> None:
    body = "got = b''\n    while b'x' not in got: got += terminal.read()\n    print(repr(got))"
    session = start(sessions, body)
    os.write(session.master, b"\x13ax")
    session.wait_for("x13ax")
    assert session.process.wait(10) == 0
