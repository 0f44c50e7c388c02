"""LeRobot's table of episodes, and what it has beside its tables."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa

from sinew_data.export.index import LEROBOT, PLACES, export_index, write_json
from sinew_data.export.lerobot_features import IMAGES
from sinew_data.export.lerobot_videos import PATTERN, Place
from sinew_data.export.parquet import FILES, NUMBERS, ParquetFiles, write_tasks
from sinew_data.export.plan import ExportPlan
from sinew_data.export.statistics import Statistics

VERSION = "v3.0"
DATA, EPISODES = f"data/{NUMBERS}.parquet", f"meta/episodes/{NUMBERS}.parquet"
MEGABYTE = 1 << 20  # bytes, as LeRobot counts
BATCH = 100  # episodes that are written at once: each write costs a group of rows with its index


class EpisodeTable:
    """Writes one row an episode: where it is, and its statistics."""

    def __init__(self, root: Path, limit: int) -> None:
        self._files = ParquetFiles(root, EPISODES, limit)
        self._batch: list[dict[str, Any]] = []

    def add(self, row: Mapping[str, Any], statistics: Mapping[str, Statistics]) -> None:
        """Take a row."""
        flat = {
            f"stats/{feature}/{key}": values.tolist()
            for feature, found in statistics.items()
            for key, values in found.items()
        }
        self._batch.append({**row, **flat})
        if len(self._batch) >= BATCH:
            self._flush()

    def close(self) -> None:
        """Write what is left."""
        self._flush()
        self._files.close()

    def abandon(self) -> None:
        """Close without writing any more; harmless after `close`."""
        self._files.close()

    def _flush(self) -> None:
        batch, self._batch = self._batch, []
        if batch:
            chunk, file = self._files.place(len(batch))
            place = {"meta/episodes/chunk_index": chunk, "meta/episodes/file_index": file}
            self._files.write(pa.Table.from_pylist([row | place for row in batch]))


def video_columns(places: Mapping[str, Place], fps: int) -> dict[str, Any]:
    """Return where an episode's frames are, by camera, as columns of the table of episodes."""
    row: dict[str, Any] = {}
    for name, place in places.items():
        key = f"videos/{IMAGES}{name}"
        row |= {f"{key}/chunk_index": place.chunk, f"{key}/file_index": place.file}
        row |= {f"{key}/from_timestamp": place.start / fps}
        row |= {f"{key}/to_timestamp": (place.start + place.frames) / fps}
    return row


def write_meta(
    root: Path,
    plan: ExportPlan,
    features: Mapping[str, Any],
    tasks: Sequence[str],
    statistics: Mapping[str, Any],
    sizes: tuple[int, int],
) -> None:
    """Write info.json, stats.json, tasks.parquet, and sinew.json for what LeRobot has no place for.

    `sizes` are the limits of data and video files in MB.
    """
    info = {
        "codebase_version": VERSION,
        "robot_type": plan.episodes[0].summary.start.robot,
        "total_episodes": len(plan.episodes),
        "total_frames": plan.rows,
        "total_tasks": len(tasks),
        "chunks_size": FILES,
        "data_files_size_in_mb": sizes[0],
        "video_files_size_in_mb": sizes[1],
        "fps": int(plan.fps),
        "splits": {"train": f"0:{len(plan.episodes)}"},
        "data_path": DATA,
        "video_path": PATTERN.replace("{key}", "{video_key}") if plan.cameras else None,
        "features": dict(features),
    }
    write_tasks(root / "meta" / "tasks.parquet", tasks)
    write_json(root / "meta" / "info.json", info)
    write_json(root / "meta" / "stats.json", statistics)
    write_json(root / PLACES[LEROBOT], export_index(LEROBOT, plan))
