"""Small pictures for the tests of this folder: a square that is success where it lies in its place."""

import sys
from pathlib import Path

import pytest
import torch
from sinew_core.hardware import Hardware, load_hardware

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE))

from squares import hardware_file  # noqa: E402


@pytest.fixture(autouse=True)
def _one_thread() -> None:
    torch.set_num_threads(1)


@pytest.fixture
def hardware(tmp_path: Path) -> Hardware:
    return load_hardware(str(hardware_file(tmp_path)))
