"""Runs processes together: prefixed output, one end for all, and none left behind."""

from __future__ import annotations

import ctypes
import importlib.metadata
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import IO

from sinew_core.errors import ConfigError, did_you_mean

from sinew_nodes.launch_file import NodeSpec
from sinew_nodes.transport import clean_shared_memory, transport_environment

INTERRUPT_GRACE = 5.0  # s from SIGINT to SIGTERM
REPEAT = 0.5  # s from one SIGINT to the next
TERMINATE_GRACE = 2.0  # s from SIGTERM to SIGKILL
PR_SET_PDEATHSIG = 1
_LIBC = ctypes.CDLL(None)

Sink = Callable[[str, str], None]  # name and line


def _die_with_parent() -> None:
    """In the child: be told to end when the thread that started it dies, however that comes about."""
    _LIBC.prctl(PR_SET_PDEATHSIG, signal.SIGTERM)


class Supervisor:
    """Starts processes and ends them. The thread that calls `start` must outlive them."""

    def __init__(
        self, specs: Sequence[NodeSpec], sink: Sink, environment: Mapping[str, str] | None = None
    ) -> None:
        self._specs, self._sink = specs, sink
        self._environment = dict(environment or {})
        self._commands = [(spec, find_executable(spec)) for spec in specs]
        self._children: dict[str, subprocess.Popen[str]] = {}
        self._readers: list[threading.Thread] = []

    def start(self) -> None:
        """Start every process; if one cannot be, none stays."""
        try:
            for spec, command in self._commands:
                self._start(spec, command)
        except BaseException:
            self.stop(0.5)
            raise

    def ended(self) -> tuple[str, int] | None:
        """Return the name and exit status of a process whose end is the end of all, if one has ended.

        Of several it is one that refused its configuration (2), which is why the others went down with it.
        """
        over = [
            (spec.name, child.returncode)
            for spec in self._specs
            if spec.ends_all and (child := self._children.get(spec.name)) and child.poll() is not None
        ]
        if over:
            return next((one for one in over if one[1] == 2), over[0])
        running = any(child.poll() is None for child in self._children.values())
        return None if running else ("all", 0)

    def pids(self) -> dict[str, int]:
        """Return the process ids by name."""
        return {name: child.pid for name, child in self._children.items()}

    def stop(self, grace: float = INTERRUPT_GRACE) -> None:
        """End every process: SIGINT, then SIGTERM, then SIGKILL."""
        try:
            deadline = time.monotonic() + grace
            while time.monotonic() < deadline:
                self._send(signal.SIGINT)  # again and again: a child that just starts may not hear it yet
                if self._all_gone(min(grace, REPEAT)):
                    return
            self._send(signal.SIGTERM)
            self._all_gone(TERMINATE_GRACE)
        finally:
            self._send(signal.SIGKILL)
            self._all_gone(TERMINATE_GRACE)
            for reader in self._readers:
                reader.join(timeout=1.0)
            clean_shared_memory()

    def _start(self, spec: NodeSpec, command: list[str]) -> None:
        environment = {
            **os.environ,
            "PYTHONUNBUFFERED": "1",
            **transport_environment(),
            **spec.environment,
            **self._environment,
        }
        child = subprocess.Popen(
            [*command, *spec.arguments],
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
            start_new_session=True,  # the terminal's Ctrl-C is for us to pass on
            preexec_fn=_die_with_parent,  # noqa: PLW1509 - one system call, nothing that a lock guards
        )
        self._children[spec.name] = child
        assert child.stdout is not None
        reader = threading.Thread(target=self._read, args=(spec.name, child.stdout), daemon=True)
        reader.start()
        self._readers.append(reader)

    def _read(self, name: str, lines: IO[str]) -> None:
        for line in lines:
            self._sink(name, line.rstrip("\n"))

    def _send(self, number: signal.Signals) -> None:
        for child in self._children.values():
            if child.poll() is None:
                child.send_signal(number)

    def _all_gone(self, timeout: float) -> bool:
        deadline = time.monotonic() + timeout
        while any(child.poll() is None for child in self._children.values()):
            if time.monotonic() > deadline:
                return False
            time.sleep(0.01)
        return True


def find_executable(spec: NodeSpec) -> list[str]:
    """Return the command of a package's executable: from a ROS prefix, or a pip-installed package."""
    for prefix in filter(None, os.environ.get("AMENT_PREFIX_PATH", "").split(os.pathsep)):
        path = Path(prefix) / "lib" / spec.package / spec.executable
        if path.is_file():
            return [str(path)]
    try:
        scripts = importlib.metadata.distribution(spec.package).entry_points.select(group="console_scripts")
    except importlib.metadata.PackageNotFoundError as error:
        raise ConfigError(f"package '{spec.package}' is not installed.") from error
    if spec.executable not in scripts.names:
        raise ConfigError(
            f"package '{spec.package}' has no executable '{spec.executable}'."
            f"{did_you_mean(spec.executable, scripts.names)}"
        )
    module, _, function = scripts[spec.executable].value.partition(":")
    return [sys.executable, "-c", f"import sys; from {module} import {function} as run; sys.exit(run())"]
