"""An emulated station in a process of its own, as whoever uses it sees it."""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
import tempfile
import threading
from pathlib import Path
from typing import Any

from sinew_core.errors import ConfigError, DeviceError
from sinew_core.hardware import Hardware
from sinew_core.types import Task

from sinew_hardware.emulators.talk import call, hear, say

START = 60.0  # s that it may take to start
FOLDER = "emulator"  # what stands for its folder in ports


class EmulatedStation:
    """Starts the process and speaks through its back door; thread-safe.

    Raises ConfigError for a file or a task that it cannot be made of, DeviceError if it does not start.
    """

    def __init__(self, hardware: Hardware, task: str) -> None:
        self._folder = tempfile.TemporaryDirectory(prefix="sinew-")
        self.folder = Path(self._folder.name)
        arguments = ["-m", "sinew_hardware.emulators", str(hardware.path), task, str(self.folder)]
        environment = {k: v for k, v in os.environ.items() if k != "_ROS_WHEELS_BOOTSTRAP_COMPLETE"}
        self._process = subprocess.Popen(
            [sys.executable, *arguments],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env=environment,
            start_new_session=True,  # an interrupt at the terminal is for whoever uses it, first
        )
        self._lock = threading.Lock()
        try:
            self._await_ready(hardware.name)
            self._line, self._stream = call(self.folder / "door", timeout=10.0)
        except BaseException:
            self._end()
            raise

    def talk(self, ask: str, **words: Any) -> dict[str, Any]:
        """Ask through the back door; raises DeviceError if it does not answer, or says why it cannot."""
        with self._lock:
            try:
                say(self._stream, {"ask": ask, **words})
                heard = hear(self._stream)
            except (OSError, ValueError) as error:  # ValueError: it was closed
                raise DeviceError(f"the emulator does not answer: {error}") from error
        if heard is None:
            raise DeviceError("the emulator has ended.")
        if "error" in heard[0]:
            raise DeviceError(f"the emulator: {heard[0]['error']}")
        return heard[0]

    def reset(self, seed: int, instruction: str = "") -> Task:
        """Lay out the scene of a seed; the arm stays where it is."""
        return Task(**self.talk("lay_out", seed=seed, instruction=instruction))

    def ask(self, instruction: str = "") -> Task:
        """Ask for something else in the scene as it lies."""
        return Task(**self.talk("ask", instruction=instruction))

    def success(self) -> bool:
        """Tell whether the task is done, by the simulator's word."""
        return bool(self.talk("success")["success"])

    def close(self) -> None:
        """End the process."""
        with contextlib.suppress(OSError):
            self._stream.close()
        self._line.close()
        self._end()

    def _await_ready(self, name: str) -> None:
        assert self._process.stdout is not None
        timer = threading.Timer(START, self._process.kill)
        timer.start()
        try:
            said = self._process.stdout.readline().decode().strip()
        finally:
            timer.cancel()
        if said and said != "ready":
            raise ConfigError(said)
        if not said:
            raise DeviceError(f"{name}: the emulator did not start; what it last wrote says why.")

    def _end(self) -> None:
        assert self._process.stdin is not None
        self._process.stdin.close()
        try:
            self._process.wait(timeout=5.0)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        if self._process.stdout is not None:
            self._process.stdout.close()
        self._folder.cleanup()
