"""Run pip with one short line of progress, and its whole output where it fails."""

import os
import re
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Sequence
from pathlib import Path

# Left by a sourced ROS or by another environment's Python, each would mislead this one.
MISLEADING = (
    "AMENT_PREFIX_PATH",
    "LD_LIBRARY_PATH",
    "PYTHONHOME",
    "PYTHONPATH",
    "_ROS_WHEELS_BOOTSTRAP_COMPLETE",
)

# Lines of pip's output, and of a build's, that tell what is being done.
_TELLING = re.compile(r"^\s*(Collecting .*|Downloading .*|Using cached .*|sinew_msgs: .*)")
_INSTALLING = re.compile(r"^Installing collected packages: (.*)")


class StepError(Exception):
    """A step could not be done; the message says why and what to do."""


def child_environment() -> dict[str, str]:
    """The environment of every child: this one, without what would mislead it."""
    kept = {key: value for key, value in os.environ.items() if key not in MISLEADING}
    return {**kept, "PIP_DISABLE_PIP_VERSION_CHECK": "1", "PIP_NO_INPUT": "1"}


def pip_install(title: str, venv: Path, arguments: Sequence[str]) -> None:
    """Run `pip install`; StepError with pip's output if it fails."""
    command = [str(venv / "bin/python"), "-m", "pip", "install", "--verbose", *arguments]
    status = _Status(title, venv)
    with tempfile.TemporaryFile("w+") as log:
        process = subprocess.Popen(
            command,
            env=child_environment(),
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        assert process.stdout is not None
        try:
            with status:
                for line in process.stdout:
                    log.write(line)
                    status.read(line)
                code = process.wait()
                status.end("done" if code == 0 else "failed")
        except KeyboardInterrupt:
            _let_end(process)
            raise
        if code != 0:
            log.seek(0)
            raise StepError(f"{log.read()}\n{' '.join(command)}\nfailed with {code}: {title}")


def _let_end(process: subprocess.Popen[str]) -> None:
    """Give pip, which got the same Ctrl-C, time to clear up after itself."""
    try:
        process.communicate(timeout=5)
    except subprocess.TimeoutExpired:
        process.terminate()
        process.communicate()


class _Status:
    """What is being done and for how long: one rewritten line, or a line every few seconds."""

    def __init__(self, title: str, venv: Path) -> None:
        self._title = title
        self._venv = venv
        self._doing = ""
        self._to_install = 0
        self._installed_before = 0
        self._start = time.monotonic()
        self._ended = threading.Event()
        self._rewrites = sys.stdout.isatty()
        self._ticker = threading.Thread(target=self._tick, daemon=True)

    def __enter__(self) -> "_Status":
        print(self._title, flush=True)
        self._ticker.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ended.set()
        self._ticker.join()
        if self._rewrites:
            print(flush=True)

    def end(self, outcome: str) -> None:
        """Show how it came out, as the last thing."""
        self._ended.set()
        self._ticker.join()
        self._show(outcome)

    def read(self, line: str) -> None:
        """Take one line of pip's output."""
        if installing := _INSTALLING.match(line):
            self._to_install = len(installing[1].split(", "))
            self._installed_before = self._count_installed()
        elif telling := _TELLING.match(line):
            self._doing = telling[1].strip()

    def _tick(self) -> None:
        while not self._ended.wait(0.2 if self._rewrites else 5.0):
            if self._to_install:
                done = self._count_installed() - self._installed_before
                self._doing = f"installing {max(done, 0)} of {self._to_install} packages"
            self._show(self._doing or "asking the package index")

    def _count_installed(self) -> int:
        return len(list(self._venv.glob("lib/python*/site-packages/*.dist-info")))

    def _show(self, what: str) -> None:
        width = shutil.get_terminal_size((100, 24)).columns - 1
        line = f"  {time.monotonic() - self._start:4.0f} s  {what}"[:width]
        if self._rewrites:
            print(f"\r{line:<{width}}", end="", flush=True)
        else:
            print(line, flush=True)
