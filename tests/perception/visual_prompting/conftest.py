"""Scenes of the simulator as observations, and a server that answers questions about them."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from sinew_core.hardware import Hardware, load_hardware
from sinew_core.types import Observation

sys.path.insert(0, str(Path(__file__).parent))

from chat_server import ChatServer
from simulated import observe_simulated

Observe = Callable[..., Observation]


@pytest.fixture(scope="session")
def hardware() -> Hardware:
    return load_hardware("sim_mujoco").with_pace("lockstep")


@pytest.fixture
def observe() -> Observe:
    """Return what the robot sees at the beginning of an episode; rendered once a session."""

    def at(
        task: str = "pick_place", seed: int = 3, instruction: str = "", name: str = "sim_mujoco"
    ) -> Observation:
        return observe_simulated(name, task, seed, instruction)

    return at


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[ChatServer]:
    monkeypatch.setenv("NO_PROXY", "*")
    with ChatServer() as server:
        yield server
