"""Trajectories of named features in one safetensors file, so that simulated episodes go everywhere."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from sinew_core.config import from_mapping, to_mapping
from sinew_core.errors import ConfigError

from sinew_rewards.files import read_arrays, write_arrays
from sinew_rewards.learned.features import FeatureConfig, KeypointFeatures
from sinew_rewards.learned.trajectory import Episodes, Trajectory
from sinew_rewards.report.episodes import EpisodeSet, hardware_of

FORMAT = "sinew-trajectories/1"
MADE_BY = "`sinew_rewards.report.episode_file.save_episodes`"
COLUMNS = ("truth", "progress", "stages", "pictures")  # that an episode may have or not


def save_episodes(
    path: Path,
    trajectories: Sequence[Trajectory],
    *,
    task: str,
    robot: str,
    hardware: str = "sim_mujoco",
    names: Sequence[str] = KeypointFeatures.names,
    tag: str = KeypointFeatures.tag,
    features: FeatureConfig | None = None,
) -> None:
    """Write episodes whose features (d) have these names; ConfigError where the file cannot be written."""
    arrays: dict[str, npt.NDArray[Any]] = {}
    for i, item in enumerate(trajectories):
        arrays |= {f"{i}.stamps": item.stamps, f"{i}.features": np.asarray(item.features, np.float32)}
        columns = ((name, getattr(item, name)) for name in COLUMNS)
        arrays |= {f"{i}.{name}": column for name, column in columns if column is not None}
    facts = {
        "format": FORMAT,
        **{"task": task, "robot": robot, "hardware": hardware, "names": list(names), "tag": tag},
        "features": to_mapping(features or FeatureConfig()),
        "episodes": [{"name": i.name, "success": i.success, "tree": i.tree} for i in trajectories],
    }
    write_arrays(path, arrays, facts)


def load_episodes(path: Path, hardware: str = "") -> EpisodeSet:
    """Return the episodes of a file; ConfigError if it is none.

    An episode that is damaged is told in `problems`.
    """
    arrays, facts = read_arrays(path, MADE_BY)
    made = facts.get("format")
    if made != FORMAT:
        raise ConfigError(f"{path}: format {made!r}, expected '{FORMAT}'; {MADE_BY} makes such files.")
    found, problems = [], []
    for i, about in enumerate(facts["episodes"]):
        try:
            found.append(_trajectory(arrays, i, about, len(facts["names"])))
        except (KeyError, ValueError) as error:
            problems.append(f"{path}: episode {about.get('name', i)}: {error}")
    if not found:
        raise ConfigError(f"{path}: no episode can be used{': ' + problems[0] if problems else '.'}")
    return EpisodeSet(
        episodes=Episodes(found),
        features=from_mapping(FeatureConfig, facts["features"], f"{path}: features"),
        names=tuple(facts["names"]),
        tag=facts["tag"],
        robot=facts["robot"],
        task=facts["task"],
        hardware=hardware_of(hardware or facts["hardware"], str(path)),
        source=path,
        problems=tuple(problems),
    )


def _trajectory(
    arrays: Mapping[str, npt.NDArray[Any]], i: int, about: Mapping[str, Any], size: int
) -> Trajectory:
    features = arrays[f"{i}.features"]
    if features.ndim != 2 or features.shape[1] != size:
        raise ValueError(f"expected features (rows, {size}), got {features.shape}.")
    columns = {name: arrays.get(f"{i}.{name}") for name in COLUMNS}
    return Trajectory(
        name=about["name"],
        stamps=arrays[f"{i}.stamps"],
        features=features,
        success=about["success"],
        tree=about["tree"],
        **columns,
    )
