"""Python and the packages of each extra."""

from __future__ import annotations

import importlib.util
import platform
import re
import sys
from importlib.metadata import entry_points, requires
from pathlib import Path

import sinew_core

from sinew_eval.checks.finding import Finding, found
from sinew_eval.machine import installed_version

FOR_ONE_ARM = ("ur", "franka")  # of no use to anybody else
NEEDED_EXTRAS = ("ros", "sim", "perception", "policies", "eval", "learn")  # by `make demo`
GROUP = "Packages"


def check_python() -> list[Finding]:
    """Check the interpreter: the ROS 2 wheels exist for 3.11."""
    ok = sys.version_info[:2] == (3, 11)
    detail = f"{platform.python_version()} at {sys.executable}"
    mend = "install python3.11, then: make setup PYTHON=python3.11"
    return [found(GROUP, "Python 3.11", ok, detail, mend=mend, needed=True)]


def check_extras() -> list[Finding]:
    """Check the packages of each extra of this installation's own metadata."""
    return [_check_extra(extra, names) for extra, names in extras().items() if extra != "all"]


def extras() -> dict[str, list[str]]:
    """Return the distributions that each extra of `sinew` asks for; the empty name is what all need."""
    asked: dict[str, list[str]] = {}
    for line in requires("sinew") or []:
        name, extra = re.match(r"[\w.-]+", line), re.search(r"extra == ['\"]([\w-]+)", line)
        if name is not None and name.group() != "sinew":
            asked.setdefault(extra.group(1) if extra else "", []).append(name.group())
    return asked


def _check_extra(extra: str, names: list[str]) -> Finding:
    versions = {name: installed_version(name) for name in names}
    absent = [name for name, version in versions.items() if version is None]
    there = ", ".join(f"{name} {version}" for name, version in versions.items() if version is not None)
    detail = f"not installed: {', '.join(absent)}" if absent else there
    needed = extra in ("", *NEEDED_EXTRAS)
    title = f"extra '{extra}'" if extra else "base"
    if absent and extra in FOR_ONE_ARM:
        return Finding(GROUP, title, "note", f"{detail}; for that arm alone: {pip_install(extra)}")
    return found(GROUP, title, not absent, detail, mend=pip_install(extra), needed=needed)


def pip_install(extra: str) -> str:
    """Return the command that installs an extra into this environment."""
    suffix = f"[{extra}]" if extra else ""
    root = source_tree()
    if root is None:
        return f"{sys.executable} -m pip install 'sinew{suffix}'"
    return f"{sys.executable} -m pip install -c {root}/constraints.txt -e '{root}{suffix}'"


def source_tree() -> Path | None:
    """Return the checkout that this installation runs from, or None for an installed wheel."""
    root = Path(sinew_core.__file__).resolve().parents[2]
    return root if (root / "pyproject.toml").is_file() and (root / "constraints.txt").is_file() else None


def setup_command() -> str:
    """Return the command that sets everything up again."""
    root = source_tree()
    return "make setup" if root is None or root == Path.cwd() else f"make -C {root} setup"


def check_graphs() -> list[Finding]:
    """Check that the graphs and the ROS packages behind them are there."""
    names = sorted({entry.name for entry in entry_points(group="sinew.graphs")})
    wanted = {"process", "ros"}
    detail = ", ".join(names) or "none"
    graphs = found("ROS 2", "graphs", wanted <= set(names), detail, mend=setup_command(), needed=True)
    messages = installed_version("sinew_msgs")
    return [
        graphs,
        found(
            "ROS 2",
            "sinew_msgs",
            messages is not None,
            messages or "the graph's own messages are not built",
            mend=setup_command(),
            needed=True,
        ),
        _launch_tool(),
    ]


def _launch_tool() -> Finding:
    there = importlib.util.find_spec("launch_ros") is not None
    detail = "installed" if there else "not here; `sinew launch` runs the launch files itself"
    return Finding("ROS 2", "ros2 launch", "ok" if there else "note", detail)
