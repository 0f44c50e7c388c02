"""Lets the tests of this folder import its helpers, and open trainers that are closed again."""

import sys
from pathlib import Path

import pytest
import torch

sys.path.insert(0, str(Path(__file__).parent))


@pytest.fixture(autouse=True)
def _arithmetic_of_its_own():
    """One thread; and what `sinew train` sets for its whole process ends with the test."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)
    torch.set_flush_denormal(False)


@pytest.fixture
def open_trainer(tmp_path):
    """Return a function that opens a trainer, new or resumed, in a folder by name."""
    from sinew_training.run_directory import RunDirectory, create_run
    from sinew_training.trainer import Trainer
    from tiny_training import Silent

    opened = []

    def make(name, config, *, resume=False, listener=None):
        path = tmp_path / name
        run = RunDirectory(path) if resume else create_run(path, config)
        opened.append(Trainer(config, run, listener or Silent(), resume=resume))
        return opened[-1]

    yield make
    for trainer in opened:
        trainer.close()
