"""What gets installed, in order, and the key of each part: it changes when the part must be redone."""

import hashlib
import json
import sys
import tomllib
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Part:
    """One thing to install, with pip."""

    name: str
    title: str
    key: str
    pip_arguments: tuple[str, ...]
    compiles: bool = False


def wanted_parts(root: Path) -> list[Part]:
    """All parts, each after those it needs."""
    constraints = root / "constraints.txt"
    pinned = ("-c", str(constraints))
    # Build tools come from the constraints too, so that no build downloads its own.
    local = ("--no-build-isolation", "--no-deps")
    messages = root / "ros2_ws/src/sinew_msgs"
    nodes = root / "ros2_ws/src/sinew_nodes"
    base = [sys.version[:4], str(root), constraints.read_text()]
    return [
        Part("build_tools", "Installing build tools", _key(base), (*pinned, "hatchling", "setuptools")),
        Part(
            "libraries",
            "Installing Sinew's libraries, ROS 2 and the simulators",
            _key([*base, _packaging_tables(root / "pyproject.toml")]),
            (*pinned, "--no-build-isolation", "-e", f"{root}[all]"),
        ),
        Part(
            "messages",
            "Building the ROS messages",
            _key([*base, *_contents(messages.rglob("*"))]),
            ("--force-reinstall", *local, str(messages)),
            compiles=True,
        ),
        Part(
            "nodes",
            "Installing the ROS nodes",
            _key([*base, *_contents(nodes.glob("*"))]),  # the code itself is found where it lies
            (*local, "-e", str(nodes)),
        ),
    ]


def _packaging_tables(pyproject: Path) -> str:
    """The part of pyproject.toml that an installation depends on; the rest configures linters."""
    tables = tomllib.loads(pyproject.read_text())
    return json.dumps([tables["build-system"], tables["project"], tables["tool"]["hatch"]], sort_keys=True)


def _contents(paths: Iterable[Path]) -> list[str]:
    """Names and contents of the files among `paths`, without what Python leaves behind."""
    return [
        f"{path}:{hashlib.sha256(path.read_bytes()).hexdigest()}"
        for path in sorted(paths)
        if path.is_file() and path.suffix != ".pyc"
    ]


def _key(facts: Iterable[str]) -> str:
    return hashlib.sha256("\0".join(facts).encode()).hexdigest()
