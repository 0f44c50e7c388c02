"""Which episodes a command line means: a dataset of recordings, or a file of trajectories."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from sinew_core.errors import ConfigError
from sinew_core.files import cache_folder
from sinew_core.hardware import Hardware, load_hardware

from sinew_rewards.learned.features import FeatureConfig
from sinew_rewards.learned.trajectory import Episodes


@dataclass(frozen=True, slots=True)
class EpisodeSet:
    """Episodes of one robot and one task, and what their features are."""

    episodes: Episodes
    features: FeatureConfig
    names: tuple[str, ...]  # (d) of the features
    tag: str  # of what the features depend on besides
    robot: str
    task: str
    hardware: Hardware
    source: Path
    recorded: bool = False  # whether `source` is a dataset, whose observations can be read again
    unknown_rows: int = 0  # control periods left out, whose features were not known
    problems: tuple[str, ...] = ()  # sentences about episodes that could not be used


@dataclass(frozen=True, slots=True)
class Wanted:
    """What to look at in recordings."""

    features: FeatureConfig = field(default_factory=FeatureConfig)
    task: str = ""  # empty: the only one there is
    hardware: str = ""  # empty: the one that is named in the recordings
    camera: str = ""  # whose pictures are kept, too; empty: none
    size: int = 96  # px, of these pictures


def default_cache() -> Path:
    """Return the folder that keeps features of recordings."""
    return cache_folder("rewards")


def open_episodes(path: Path, wanted: Wanted, cache: Path) -> EpisodeSet:
    """Return the episodes of a dataset folder or of a trajectory file; ConfigError where there are none.

    What is wrong with a single episode is in `problems`, and hides none of the others.
    """
    from sinew_rewards.report.episode_file import load_episodes
    from sinew_rewards.report.recorded_episodes import recorded_episodes

    if path.is_dir():
        return recorded_episodes(path, wanted, cache)
    return _of_task(load_episodes(path, wanted.hardware), wanted)


def _of_task(found: EpisodeSet, wanted: Wanted) -> EpisodeSet:
    if wanted.task not in ("", found.task):
        raise ConfigError(
            f"{found.source}: its episodes are of the task '{found.task}', not '{wanted.task}'."
        )
    return found


def hardware_of(name: str, where: str) -> Hardware:
    """Return the hardware that recordings name; ConfigError with what to do where it is not here."""
    try:
        return load_hardware(name)
    except ConfigError as error:
        raise ConfigError(
            f"{where}: was recorded on '{name}', which is not here; give --hardware. {error}"
        ) from error
