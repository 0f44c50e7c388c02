"""A LeRobot export, read back as a table and as frames."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq
from sinew_data.dataset import Dataset
from sinew_data.export.lerobot import LeRobotExport, Limits
from sinew_data.export.plan import make_plan
from sinew_data.export.request import ExportRequest
from sinew_data.export.video import VideoSettings, decoded_frames

TOP, SIDE = "observation.images.top", "observation.images.side"


class Exported:
    """An export, read as a table."""

    def __init__(self, dataset: Path, root: Path, limits: Limits | None = None, **request: Any) -> None:
        root.mkdir()
        settings = request.pop("settings", VideoSettings())
        self.root = root
        self.plan = make_plan(Dataset(dataset), ExportRequest(whole_fps=True, **request))
        export = LeRobotExport(root, self.plan, settings, limits)
        export.write()
        self.errors = export.verify()
        self.rows = read(root, "data")
        self.episodes = read(root, "meta/episodes")
        self.info = json.loads((root / "meta" / "info.json").read_text())
        self.stats = json.loads((root / "meta" / "stats.json").read_text())

    def frames(self, key: str, row: Mapping[str, Any]) -> list[np.ndarray]:
        """Return an episode's frames by its row in the table of episodes."""
        place = {
            "chunk_index": row[f"videos/{key}/chunk_index"],
            "file_index": row[f"videos/{key}/file_index"],
        }
        path = self.root / self.info["video_path"].format(video_key=key, **place)
        height, width, _ = self.info["features"][key]["shape"]
        start = round(row[f"videos/{key}/from_timestamp"] * self.info["fps"])
        return list(decoded_frames(path, height, width))[start : start + row["length"]]


def read(root: Path, folder: str) -> list[dict[str, Any]]:
    return [
        row for path in sorted((root / folder).glob("*/*.parquet")) for row in pq.read_table(path).to_pylist()
    ]


def shades(frames: Sequence[np.ndarray]) -> np.ndarray:
    return np.array([frame[:, : frame.shape[1] // 2 - 2].mean() for frame in frames])
