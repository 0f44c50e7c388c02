"""Graphs under test: each test session has a ROS domain of its own, heard on this machine only."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from sinew_nodes.domain import free_domain
from sinew_nodes.transport import clean_shared_memory, set_up_transport

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE))  # for the helpers beside this file, here and in the nodes' processes
FAKE_WORLD = HERE / "fake_world.yaml"


@pytest.fixture(scope="session", autouse=True)
def ros_environment() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        set_up_transport()
        patch.setenv("ROS_AUTOMATIC_DISCOVERY_RANGE", "LOCALHOST")
        patch.setenv("ROS_DOMAIN_ID", str(free_domain()))
        patch.setenv("PYTHONPATH", os.pathsep.join([str(HERE), os.environ.get("PYTHONPATH", "")]).strip(":"))
        yield
    clean_shared_memory()


@pytest.fixture
def own_domain(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ROS_DOMAIN_ID", str(free_domain()))


@pytest.fixture
def hardware_file(tmp_path: Path) -> object:
    """Returns a function that writes the fake world's hardware file with some lines replaced."""

    def write(**changes: str) -> str:
        lines = FAKE_WORLD.read_text().replace(
            "../../hardware_configs", str(HERE.parents[1] / "hardware_configs")
        )
        for key, value in changes.items():
            kept = [line for line in lines.splitlines() if not line.startswith(f"{key}:")]
            lines = "\n".join([*kept, f"{key}: {value}"]) + "\n"
        path = tmp_path / "hardware.yaml"
        path.write_text(lines)
        return str(path)

    return write
