"""Writes one .npz an episode, with every array aligned to the same rows, and an index.

Numbers are as recorded (float64), images uint8, depth whole millimetres (uint16), stamps nanoseconds.
`numpy.load(path)["images.top"]` reads one array; nothing is pickled.
"""

from __future__ import annotations

import dataclasses
import shutil
import zipfile
from collections.abc import Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from sinew_core.errors import ConfigError

from sinew_data import topics
from sinew_data.export.columns import Columns, columns_of, rows_at
from sinew_data.export.grid import Stamps
from sinew_data.export.index import NPZ, PLACES, episode_facts, export_index, write_json
from sinew_data.export.passes import FrameFeed, read_steps
from sinew_data.export.plan import STEPS, EpisodePlan, ExportPlan
from sinew_data.export.request import OnBytes
from sinew_data.intrinsics import Intrinsics, read_intrinsics
from sinew_data.reader import RawMessage, open_episode

ARRAYS = ".arrays"  # a folder of what is not yet in its .npz
KINDS = {"color": "images", "depth": "depth"}


def write_npz(root: Path, plan: ExportPlan, on_bytes: OnBytes = lambda _: None) -> None:
    """Write all episodes into an empty folder; OSError where the disk fails."""
    facts = [_write_episode(root, episode, on_bytes) for episode in plan.episodes]
    write_json(root / PLACES[NPZ], {**export_index(NPZ, plan), "episodes": facts})


def _write_episode(root: Path, plan: EpisodePlan, on_bytes: OnBytes) -> dict[str, Any]:
    """Write one episode; return what the index says of it."""
    folder, target = root / ARRAYS, root / f"{plan.name}.npz"
    folder.mkdir()
    with open_episode(plan.summary.path) as episode, ExitStack() as open_files:
        stamps = image_stamps(plan)
        files = {topic: open_files.enter_context(_ArrayFile(folder, topic, plan.rows)) for topic in stamps}
        feed = FrameFeed(episode, stamps)

        def keep(raw: RawMessage) -> None:
            for frame in feed.take(raw):
                files[frame.topic].append(frame.pixels, frame.repeats)

        columns = columns_of(read_steps(episode, stamps, keep, on_bytes))
        feed.check_end()
        cameras = read_intrinsics(episode)
    arrays = rows_at(columns, plan.alignment.chosen[STEPS]) | _moments(plan)
    shapes = {name: _about(values.dtype, values.shape) for name, values in arrays.items()}
    shapes |= {file.name: _about(file.dtype, file.shape) for file in files.values()}
    _zip(target, arrays, [file.path for file in files.values()])
    shutil.rmtree(folder)
    return {"file": target.name, **episode_facts(plan), **_setting(plan, cameras), "arrays": shapes}


def image_stamps(plan: EpisodePlan) -> dict[str, Stamps]:
    """Return the chosen stamps of colour and depth images by topic."""
    chosen = {topic: stamps for topic, stamps in plan.alignment.chosen.items() if topic != STEPS}
    deep = {topics.depth_topic(name): chosen[topics.color_topic(name)] for name in plan.deep}
    return chosen | deep


def _moments(plan: EpisodePlan) -> Columns:
    """Return the moments of the grid, and the chosen frames' stamps by camera."""
    chosen = plan.alignment.chosen
    stamps = {f"stamp.{name}": chosen[topics.color_topic(name)] for name in plan.sizes}
    return {"moment": plan.alignment.moments, **stamps}


def _about(dtype: np.dtype[Any], shape: tuple[int, ...]) -> dict[str, Any]:
    return {"dtype": str(dtype), "shape": list(shape)}


def _setting(plan: EpisodePlan, cameras: Mapping[str, Intrinsics]) -> dict[str, Any]:
    """Return the joints and the cameras."""
    known = {name: dataclasses.asdict(cameras[name]) if name in cameras else None for name in plan.sizes}
    return {"joints": list(plan.summary.start.joints), "cameras": known}


def _zip(target: Path, arrays: Columns, files: list[Path]) -> None:
    """Put arrays and files of arrays into one .npz, uncompressed as NumPy does."""
    with zipfile.ZipFile(target, "w", zipfile.ZIP_STORED, allowZip64=True) as archive:
        for name, values in arrays.items():
            with archive.open(f"{name}.npy", "w", force_zip64=True) as stream:
                np.lib.format.write_array(stream, values, allow_pickle=False)
        for path in files:
            archive.write(path, path.name)


class _ArrayFile:
    """A .npy file of a known number of rows, written row by row; its shape is that of the first."""

    def __init__(self, folder: Path, topic: str, rows: int) -> None:
        camera = topics.camera_of(topic)
        assert camera is not None
        self.name = f"{KINDS[camera[1]]}.{camera[0]}"
        self.path = folder / f"{self.name}.npy"
        self.shape: tuple[int, ...] = (rows,)
        self.dtype: np.dtype[Any] = np.dtype(np.uint8)
        self._stream = self.path.open("wb")

    def __enter__(self) -> _ArrayFile:
        """Return the file."""
        return self

    def __exit__(self, *_: object) -> None:
        """Close the file."""
        self._stream.close()

    def append(self, pixels: npt.NDArray[Any], repeats: int) -> None:
        """Write a row, so many times over."""
        if len(self.shape) == 1:
            self.shape, self.dtype = (self.shape[0], *pixels.shape), pixels.dtype
            descr = np.lib.format.dtype_to_descr(self.dtype)
            header = {"descr": descr, "fortran_order": False, "shape": self.shape}
            np.lib.format.write_array_header_1_0(self._stream, header)
        if pixels.shape != self.shape[1:]:
            raise ConfigError(f"{self.name}: a frame of shape {pixels.shape} among {self.shape[1:]}.")
        for _ in range(repeats):
            self._stream.write(np.ascontiguousarray(pixels).data)
