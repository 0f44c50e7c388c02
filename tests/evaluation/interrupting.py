"""Starting `sinew run`, interrupting it, and what must hold afterwards."""

import json
import os
import signal
import subprocess
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psutil
from page import Page
from support import MODELS, command, environment, write_hardware

# Where Ctrl-C breaks off code that Python runs from a string (of a dataclass, say), Python ends by the signal
# itself, whatever main returns; a shell reads either as 130.
BROKEN_OFF = (130, -signal.SIGINT)
SLOW = ("--policy", "stand_ins:SlowPolicy", *MODELS[2:])


def start(folder: Path, *options: str, **hardware: Any) -> subprocess.Popen[str]:
    path = write_hardware(folder, **hardware)
    arguments = command("run", "--hardware", path, *SLOW, "--out", "out", "--episodes", "50", *options)
    return subprocess.Popen(
        arguments,
        cwd=folder,
        env=environment(),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        process_group=0,
    )


def wait_for(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 30
    while not condition():
        assert time.monotonic() < deadline, "waited in vain"
        time.sleep(0.005)


def has(folder: Path, pattern: str, count: int) -> Callable[[], bool]:
    return lambda: len(list(folder.glob(pattern))) >= count


def finish(process: subprocess.Popen[str], folder: Path) -> Any:
    """Wait for the end; check exit code, report and that no child is left; return the summary."""
    out, error = process.communicate(timeout=30)
    assert process.returncode in BROKEN_OFF, out + error
    assert "Traceback" not in error
    Page((folder / "out" / "report.html").read_text(encoding="utf-8"))
    summary = json.loads((folder / "out" / "summary.json").read_text(encoding="utf-8"))
    assert summary["complete"] is False
    assert not [p for p in psutil.process_iter() if _group(p.pid) == process.pid]
    assert not [p for p in psutil.process_iter(["cmdline"]) if _mentions(p.info["cmdline"], folder)]
    return summary


def _group(pid: int) -> int:
    try:
        return os.getpgid(pid)
    except ProcessLookupError:
        return -1


def _mentions(arguments: list[str] | None, folder: Path) -> bool:
    return any(str(folder) in argument for argument in arguments or [])
