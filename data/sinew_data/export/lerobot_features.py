"""What Sinew records, by LeRobot's names and types (dataset format v3.0).

Numbers become float32, so they are exact to 2^-24 of themselves; stamps stay whole nanoseconds. Depth
images have no place in this format and are left out: `--format npz` has them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from sinew_data.export.columns import Columns
from sinew_data.export.plan import ExportPlan, Size
from sinew_data.export.video import VideoSettings

IMAGES = "observation.images."
STATE, VELOCITY, ACTION = "observation.state", "observation.velocity", "action"
VECTORS = {STATE: "state", VELOCITY: "velocity", ACTION: "action"}  # by Sinew's columns
COUNTERS = ("frame_index", "episode_index", "index", "task_index")
LISTED = 1  # dimension


def column_features(plan: ExportPlan, joints: Sequence[str]) -> dict[str, dict[str, Any]]:
    """Return the features of the table: dtype, shape and names by feature."""
    vectors = {name: _feature("float32", len(joints), list(joints)) for name in VECTORS}
    rewards = [name for name in plan.columns if name.split(".")[0] == "reward"]
    single = dict.fromkeys((*rewards, *(["next.reward"] if "reward" in rewards else [])), "float32")
    single |= {"next.done": "bool", "next.success": "bool", "intervention": "bool"}
    single |= {"owner": "int64", "stamp": "int64", **{f"stamp.{name}": "int64" for name in plan.cameras}}
    single |= {"timestamp": "float32", **dict.fromkeys(COUNTERS, "int64")}
    return vectors | {name: _feature(dtype, LISTED, None) for name, dtype in single.items()}


def _feature(dtype: str, size: int, names: list[str] | None) -> dict[str, Any]:
    return {"dtype": dtype, "shape": [size], "names": names}


def video_feature(size: Size, fps: int, settings: VideoSettings) -> dict[str, Any]:
    """Return the feature of a camera."""
    height, width = size
    about = {
        "height": height,
        "width": width,
        "codec": settings.codec,
        "pix_fmt": settings.pixels,
        "is_depth_map": False,
        "fps": fps,
        "channels": 3,
    }
    return {
        "dtype": "video",
        "shape": [height, width, 3],
        "names": ["height", "width", "channels"],
        "info": {**{f"video.{name}": value for name, value in about.items()}, "has_audio": False},
    }


def table_columns(
    rows: Columns,
    stamps: Mapping[str, npt.NDArray[np.int64]],
    features: Mapping[str, Mapping[str, Any]],
    counters: Mapping[str, int],
    *,
    fps: int,
    success: bool,
) -> Columns:
    """Return an episode's table by feature, in the order of the features.

    `stamps` are the chosen frames' by camera; `counters` gives `index` at the first row, and
    `episode_index` and `task_index`. `next.reward` is the reward of the following row, and in the last
    row, which nothing follows, that of the row itself.
    """
    count = len(rows["stamp"])
    last = np.arange(count) == count - 1
    found: Columns = {name: rows[column] for name, column in VECTORS.items()}
    found |= {"owner": rows["owner"], "intervention": rows["intervention"], "stamp": rows["stamp"]}
    found |= {f"stamp.{name}": values for name, values in stamps.items()}
    found |= {"next.done": last, "next.success": last & success}
    found |= {"frame_index": np.arange(count), "timestamp": np.arange(count) / fps}
    found |= {"index": counters["index"] + np.arange(count)}
    found |= {name: np.full(count, counters[name]) for name in ("episode_index", "task_index")}
    nothing = np.full(count, np.nan)
    found |= {name: rows.get(name, nothing) for name in features if name.split(".")[0] == "reward"}
    if "next.reward" in features:  # then there is a reward, too
        found["next.reward"] = np.append(found["reward"][1:], found["reward"][-1:])
    return {name: found[name].astype(feature["dtype"]) for name, feature in features.items()}
