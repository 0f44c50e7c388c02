"""An episode as a classifier learns from it: its pictures, once, and what is known about their truth."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
from sinew_core.config import from_mapping
from sinew_core.errors import ConfigError
from sinew_core.types import ImageArray

from sinew_rewards.classifier.pictures import PictureSpec
from sinew_rewards.files import map_arrays, write_arrays

FORMAT = "sinew-frames/1"
SUFFIX = ".frames.safetensors"


@dataclass(frozen=True, slots=True)
class EpisodeFacts:
    """What an episode was. `mark` is a person's; `outcome` is what the station said."""

    name: str
    robot: str
    hardware: str
    task: str
    instruction: str
    outcome: str
    steps: int  # control periods
    seed: int = 0
    mark: str = ""  # success | failure | discarded, or none
    behaviour: str = ""  # of a scripted episode


@dataclass(frozen=True, slots=True)
class EpisodeFrames:
    """Some of an episode's control periods, in their order."""

    path: Path
    facts: EpisodeFacts
    spec: PictureSpec
    step: npt.NDArray[np.int32]  # (n,) index of the control period
    pictures: ImageArray  # (n, cameras, size, size, 3); on the disk until looked at
    truth: npt.NDArray[np.int8] | None = None  # (n,) 1 where a simulator called the task done

    def __len__(self) -> int:
        """Return the number of frames."""
        return len(self.step)


def save_frames(frames: EpisodeFrames) -> None:
    """Write an episode's frames to their path."""
    arrays: dict[str, npt.NDArray[np.generic]] = {"step": frames.step, "pictures": frames.pictures}
    if frames.truth is not None:
        arrays["truth"] = frames.truth
    facts = {"format": FORMAT, "episode": asdict(frames.facts), "spec": asdict(frames.spec)}
    write_arrays(frames.path, arrays, facts)


def load_frames(path: Path) -> EpisodeFrames:
    """Return an episode's frames; ConfigError for a file that holds none, or of another version."""
    arrays, facts = map_arrays(path)
    if facts.get("format") != FORMAT:
        raise ConfigError(f"{path}: holds frames of format {facts.get('format')!r}, expected '{FORMAT}'.")
    episode = from_mapping(EpisodeFacts, facts["episode"], f"{path}: episode")
    spec = from_mapping(PictureSpec, facts["spec"], f"{path}: spec")
    step, pictures = np.array(arrays["step"]), arrays["pictures"]
    truth = np.array(arrays["truth"]) if "truth" in arrays else None
    expected = (len(step), len(spec.views), spec.size, spec.size, 3)
    if pictures.shape != expected:
        raise ConfigError(f"{path}: pictures of shape {pictures.shape}, expected {expected}.")
    return EpisodeFrames(path, episode, spec, step, pictures, truth)


def frame_files(folder: Path) -> list[Path]:
    """Return the frame files of a folder, in the order of their names."""
    return sorted(folder.glob(f"*{SUFFIX}"))


def one_kind(episodes: Sequence[EpisodeFrames]) -> PictureSpec:
    """Return the pictures' common kind; ConfigError where robots, cameras or sizes differ."""
    robots = _by(episodes, [item.facts.robot for item in episodes])
    if len(robots) > 1:
        raise ConfigError(
            f"the episodes are of several robots: {_listed(robots)}. One classifier looks at one robot."
        )
    kinds = _by(episodes, [_words(item.spec) for item in episodes])
    if len(kinds) > 1:
        raise ConfigError(f"the episodes' pictures differ: {_listed(kinds)}. Choose --cameras that all have.")
    return episodes[0].spec


def _by(episodes: Sequence[EpisodeFrames], keys: Sequence[str]) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for item, key in zip(episodes, keys, strict=True):
        found.setdefault(key, []).append(item.facts.name)
    return found


def _listed(found: dict[str, list[str]]) -> str:
    return "; ".join(f"{key} ({len(names)}, as {names[0]})" for key, names in found.items())


def _words(spec: PictureSpec) -> str:
    views = ", ".join(f"{view.name} {view.width}x{view.height} {view.crop}" for view in spec.views)
    return f"{views} at {spec.size} px"
