"""A small dataset of synthetic episodes, and lets the tests of this folder import what they share."""

import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from sinew_data.episode import EpisodeEnd
from sinew_data.synthetic import Cameras, SyntheticScene, write_synthetic
from sinew_data.writer import EpisodeWriter

sys.path.insert(0, str(Path(__file__).parent))
SMALL = Cameras(width=32, height=24)


def record(folder: Path, name: str, steps: int, task: str = "none", tree: str = "") -> None:
    scene = SyntheticScene(SMALL)
    start = replace(scene.start(), task=task, extra={"tree": tree} if tree else {})
    writer = EpisodeWriter(folder, start, name=name)
    write_synthetic(writer, scene, steps)
    writer.finish(EpisodeEnd("success", steps=steps)).result(timeout=30)


@pytest.fixture
def recorded(tmp_path: Path) -> Callable[..., Path]:
    """Record episodes of so many steps each, named a, b, c, ..., and return their dataset."""

    def make(*steps: int, names: str = "abcdefgh", task: str = "none", tree: str = "") -> Path:
        for name, count in zip(names, steps, strict=False):
            record(tmp_path / "set", name, count, task, tree)
        return tmp_path / "set"

    return make
