"""The pictures to learn from: drawn once by worker processes, kept in a cache on disk."""

from __future__ import annotations

import hashlib
import json
import multiprocessing
import os
import signal
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from sinew_core.hardware import load_hardware

from sinew_perception.ground.lexicon import FAMILIES, load_lexicon
from sinew_perception.ground.views import COLUMNS, HEIGHT, ROWS, WIDTH

MAX_THINGS = 8
SHARD = 250  # pictures a file
FORMAT = 1  # of the pictures; raise it when scenes or drawing change
RECORD = np.dtype(
    [
        ("rgb", np.uint8, (HEIGHT, WIDTH, 3)),
        ("heights", np.uint8, (HEIGHT, WIDTH)),
        ("cover", np.uint8, (ROWS, COLUMNS)),
        ("thing", np.uint8, (ROWS, COLUMNS)),
        ("families", np.uint8, (MAX_THINGS,)),
        ("shapes", np.uint8, (MAX_THINGS,)),
        ("seen", np.float32, (MAX_THINGS,)),
        ("centres", np.float32, (MAX_THINGS, 3)),
    ]
)
Pictures = npt.NDArray[np.void]


@dataclass(frozen=True, slots=True)
class DataConfig:
    """Which pictures; the same values give the same pictures."""

    count: int = 10_000
    seed: int = 0
    hardware: tuple[str, ...] = ("sim_mujoco", "sim_mujoco_fr3")
    split: str = "train"  # or "validation"

    @property
    def digest(self) -> str:
        """What tells these pictures from others: the values, the things' colours and the format."""
        words = load_lexicon().colours(held_out=False)
        colours = [(word.text, word.rgb) for word in words if word.family in FAMILIES]
        text = json.dumps([asdict(self), colours, FORMAT], sort_keys=True)
        return hashlib.sha256(text.encode()).hexdigest()[:16]


def default_cache() -> Path:
    """Return the folder that keeps the pictures."""
    root = os.environ.get("XDG_CACHE_HOME") or "~/.cache"
    return Path(root).expanduser() / "sinew" / "ground"


def shards(config: DataConfig, cache: Path) -> list[Path]:
    """Return the files that hold the pictures, there or not."""
    folder = cache / f"{config.split}-{config.digest}"
    return [folder / f"{i:04d}.npy" for i in range(-(-config.count // SHARD))]


def draw_missing(config: DataConfig, cache: Path, workers: int) -> Iterator[int]:
    """Draw the pictures that are not in the cache; yields the number of pictures of each file done."""
    missing = [(i, path) for i, path in enumerate(shards(config, cache)) if not path.is_file()]
    if not missing:
        return
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(workers, context, initializer=_ignore_interrupts) as pool:
        jobs = {pool.submit(_draw_shard, config, i, path): i for i, path in missing}
        try:
            for job in as_completed(jobs):
                yield job.result()
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            raise


def _ignore_interrupts() -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the parent ends its workers


def _draw_shard(config: DataConfig, index: int, path: Path) -> int:
    """Draw one file's pictures; the file appears whole or not at all."""
    records = draw_pictures(config, range(index * SHARD, min((index + 1) * SHARD, config.count)))
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_suffix(f".{os.getpid()}.partial")
    with partial.open("wb") as stream:
        np.save(stream, records)
    partial.replace(path)
    return len(records)


def draw_pictures(config: DataConfig, numbers: Sequence[int]) -> Pictures:
    """Return the pictures of these numbers (n,); each depends on its number and the seed alone."""
    from sinew_perception.ground.rendering import PictureRenderer, worsen
    from sinew_perception.ground.scenes import draw_picture

    colours = load_lexicon().colours(held_out=False)
    hardware = [load_hardware(name) for name in config.hardware]
    records = np.zeros(len(numbers), RECORD)
    for robot, machine in enumerate(hardware):
        renderer = PictureRenderer(machine)
        for row, number in enumerate(numbers):
            if number % len(hardware) != robot:
                continue
            rng = picture_rng(config, number)
            _, _, sample = renderer.draw(draw_picture(rng, machine, colours))
            for name in RECORD.names or ():
                records[row][name] = getattr(sample, name)
            records[row]["rgb"] = worsen(rng, sample.rgb)
        renderer.close()
    return records


def picture_rng(config: DataConfig, number: int) -> np.random.Generator:
    """Return the generator of one picture; the splits never share one."""
    split = {"train": 1, "validation": 2}[config.split]
    return np.random.default_rng([split, config.seed, number])


class Dataset:
    """Pictures of the cache, read from the files when they are asked for."""

    def __init__(self, files: Sequence[Path]) -> None:
        self._files: list[Any] = [np.load(path, mmap_mode="r") for path in files]
        self._ends = np.cumsum([len(records) for records in self._files])

    def __len__(self) -> int:
        """Return the number of pictures."""
        return int(self._ends[-1])

    def take(self, numbers: npt.NDArray[np.intp]) -> Pictures:
        """Return pictures (n,), a copy."""
        out = np.empty(len(numbers), RECORD)
        for row, number in enumerate(numbers):
            file = int(np.searchsorted(self._ends, number, side="right"))
            out[row] = self._files[file][number - (self._ends[file - 1] if file else 0)]
        return out
