"""Claims about training: it learns, it goes on where it was cut off, and its files are whole or not there."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import save_file
from sinew_core.errors import ConfigError
from sinew_perception.ground.dataset import DataConfig, Dataset, draw_pictures
from sinew_perception.ground.grounder import Grounder, Thresholds, load_weights, save_weights
from sinew_perception.ground.lexicon import FAMILIES, load_lexicon
from sinew_perception.ground.network import Sizes
from sinew_perception.ground.training import TrainConfig, Trainer, read_tensors, write_tensors

TINY = Sizes(load_lexicon().size, stem=8, fine=16, coarse=16, coarse_blocks=1, query=8, text=16, layers=1)
QUICK = TrainConfig(steps=150, minutes=1e6, pictures=8, sentences=4, memory=0.8)


@pytest.fixture(scope="module")
def pictures(tmp_path_factory: pytest.TempPathFactory) -> Dataset:
    path = tmp_path_factory.mktemp("pictures") / "0000.npy"
    np.save(path, draw_pictures(DataConfig(hardware=("sim_mujoco",)), range(6)))
    return Dataset([path])


def _parameters(trainer: Trainer) -> torch.Tensor:
    return torch.cat([p.detach().flatten() for p in trainer.average.parameters()])


def test_the_loss_falls_and_things_light_up(pictures: Dataset) -> None:
    trainer = Trainer(QUICK, pictures, TINY)
    sums = []
    while not trainer.done:
        sums.append(sum(trainer.step().values()))
    assert np.mean(sums[-5:]) < 0.7 * np.mean(sums[:5])
    record = pictures.take(np.array([0]))[0]
    look = Grounder(trainer.average, Thresholds()).look(record["rgb"], record["heights"])
    lit, covered = look.maps.thing, record["cover"] >= 8
    assert lit[covered].mean() > lit[record["cover"] == 0].mean() + 0.2


def test_a_resumed_training_equals_an_uninterrupted_one(pictures: Dataset, tmp_path: Path) -> None:
    whole, first, second = (Trainer(QUICK, pictures, TINY) for _ in range(3))
    for _ in range(6):
        whole.step()
    for _ in range(3):
        first.step()
    first.save(tmp_path / "a.checkpoint")
    second.load(tmp_path / "a.checkpoint")
    for _ in range(3):
        second.step()
    assert second.progress.step == whole.progress.step
    assert torch.equal(_parameters(second), _parameters(whole))


def test_a_checkpoint_of_another_training_is_refused_with_both(pictures: Dataset, tmp_path: Path) -> None:
    Trainer(QUICK, pictures, TINY).save(tmp_path / "a.checkpoint")
    with pytest.raises(ConfigError, match="another training"):
        Trainer(TrainConfig(seed=1), pictures, TINY).load(tmp_path / "a.checkpoint")


def test_pictures_depend_on_their_number_alone() -> None:
    config = DataConfig(hardware=("sim_mujoco",))
    both, one = draw_pictures(config, [4, 5]), draw_pictures(config, [5])
    assert (both["rgb"][1] == one["rgb"][0]).all()
    other = draw_pictures(DataConfig(hardware=("sim_mujoco",), split="validation"), [5])
    assert (other["rgb"][0] != one["rgb"][0]).any()


def test_truth_of_pictures_is_where_the_things_are(pictures: Dataset) -> None:
    for record in pictures.take(np.arange(len(pictures))):
        shown = {int(i) - 1 for i in np.unique(record["thing"]) if i}
        assert shown == {i for i in range(8) if record["seen"][i] > 0 and (record["thing"] == i + 1).any()}
        assert (record["thing"] > 0).sum() == (record["cover"] > 0).sum()


def test_a_file_that_is_being_written_is_whole_or_the_old_one(tmp_path: Path) -> None:
    script = (
        "import sys, torch; from pathlib import Path\n"
        "from sinew_perception.ground.training import write_tensors\n"
        "while True: write_tensors(Path(sys.argv[1]), {'x': torch.ones(2_000_000)}, {'a': 'b'})"
    )
    path = tmp_path / "a.safetensors"
    writer = subprocess.Popen([sys.executable, "-c", script, str(path)])
    try:
        deadline = time.monotonic() + 60
        while not path.exists() and time.monotonic() < deadline:
            time.sleep(0.02)
        time.sleep(0.1)
    finally:
        writer.send_signal(signal.SIGKILL)
        writer.wait()
    tensors, metadata = read_tensors(path)
    assert tensors["x"].sum() == 2_000_000
    assert metadata == {"a": "b"}


def test_weights_come_back_as_they_were_saved(pictures: Dataset, tmp_path: Path) -> None:
    trainer = Trainer(QUICK, pictures, TINY)
    trainer.step()
    save_weights(tmp_path / "w.safetensors", trainer.average, TINY, Thresholds(0.3), {"seed": 0})
    grounder, provenance = load_weights(tmp_path / "w.safetensors")
    assert grounder.thresholds == Thresholds(0.3)
    assert provenance == {"seed": 0}
    assert grounder.hear("put the red cube in the blue bowl").colour.shape == (2, TINY.query + 1)
    assert len(FAMILIES) == 9


def test_files_that_are_no_weights_are_named_with_what_is_wrong(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="there is no such file"):
        load_weights(tmp_path / "none.safetensors")
    (tmp_path / "text.safetensors").write_text("no tensors at all, just words")
    with pytest.raises(ConfigError, match="is no safetensors file"):
        load_weights(tmp_path / "text.safetensors")
    save_file({"x": torch.zeros(2)}, tmp_path / "other.safetensors")
    with pytest.raises(ConfigError, match="its metadata lacks sizes"):
        load_weights(tmp_path / "other.safetensors")
    facts = {"sizes": '{"lexicon": 3}', "thresholds": "{}", "provenance": "{}"}
    write_tensors(tmp_path / "old.safetensors", {"x": torch.zeros(2)}, facts)
    with pytest.raises(ConfigError, match="train it again"):
        load_weights(tmp_path / "old.safetensors")
