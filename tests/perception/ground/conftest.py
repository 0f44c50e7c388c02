"""A table to look at, and one thread for all; `drawn_tables` importable for the tests beside it."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import torch
from sinew_core.hardware import load_hardware
from sinew_perception.ground.rendering import PictureRenderer

sys.path.insert(0, str(Path(__file__).parent))

from drawn_tables import Table


@pytest.fixture(scope="session")
def table() -> Iterator[Table]:
    hardware = load_hardware("sim_mujoco")
    renderer = PictureRenderer(hardware)
    yield Table(hardware, renderer)
    renderer.close()


@pytest.fixture(autouse=True)
def one_thread() -> Iterator[None]:
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)
