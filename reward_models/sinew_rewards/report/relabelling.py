"""Writes a reward beside every episode of a dataset: a model's, a file's, or the recorded one."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, Protocol

import numpy as np
from sinew_core.errors import ConfigError, InferenceError
from sinew_core.protocols import RewardModel
from sinew_core.runtime import checked_estimate, guarded
from sinew_core.types import RewardEstimate, Task
from sinew_data import topics
from sinew_data.messages import reward_from_msg
from sinew_data.reader import Episode, open_episode
from sinew_data.rewards_beside import Joined, join
from sinew_data.rewards_beside_files import beside_path, load_beside, save_beside

What = Literal["written", "there", "problem"]


class Source(Protocol):
    """Where an episode's estimates come from."""

    def joined(self, episode: Episode) -> Joined:
        """Return them in the rows of their stamps; ConfigError or InferenceError where that cannot be."""


@dataclass(frozen=True, slots=True)
class Told:
    """What came of an episode."""

    episode: str
    what: What
    sentence: str = ""  # why not, or what of it is missing


class OfModel:
    """What a reward model says of an episode now."""

    def __init__(self, model: RewardModel) -> None:
        self._model = model
        self._frames = bool(getattr(model, "needs_frames", False))

    def joined(self, episode: Episode) -> Joined:
        """Ask the model about every control period, from the first one on."""
        start, model = episode.summary.start, self._model
        guarded(model, model.reset, Task(start.task, start.instruction, start.max_steps))
        said = [checked_estimate(model, step.observation) for step in episode.steps(frames=self._frames)]
        return join([estimate.stamp for estimate in said], said)


class OfRecording:
    """What was said while the episode was recorded, however late its messages came."""

    def joined(self, episode: Episode) -> Joined:
        """Read the rewards of the file; those of another episode in it are not looked at."""
        number = episode.summary.start.episode
        decoded = (message.message for message in episode.messages([topics.REWARD]))
        said = [reward_from_msg(message) for message in decoded if message.episode == number]
        return join(stamps_of(episode), said)


class OfFile:
    """Estimates that came late, by the episode they are about."""

    def __init__(self, estimates: Mapping[str, Sequence[RewardEstimate]]) -> None:
        self._estimates = estimates

    def joined(self, episode: Episode) -> Joined:
        """Join those of this episode; ConfigError where there is none."""
        name = episode.summary.name
        if name not in self._estimates:
            raise ConfigError(f"{name}: no estimate is about it.")
        return join(stamps_of(episode), self._estimates[name])


def stamps_of(episode: Episode) -> list[int]:
    """Return the stamps of an episode's control periods, ns."""
    return [step.observation.stamp for step in episode.steps(frames=False)]


def relabel(
    episodes: Sequence[Path], name: str, source: Source, provenance: Mapping[str, Any]
) -> Iterator[Told]:
    """Write the reward `name` beside each episode, and yield what came of it.

    What has the same provenance is there already and left as it is, so that an interrupted relabelling
    goes on where it ended. A problem with one episode hides no other.
    """
    for path in episodes:
        if _made_by(path, name) == provenance["digest"]:
            yield Told(path.stem, "there")
            continue
        try:
            with open_episode(path) as episode:
                joined = source.joined(episode)
        except (ConfigError, InferenceError) as error:
            yield Told(path.stem, "problem", str(error))
            continue
        yield _written(path, name, joined, provenance)


def _written(path: Path, name: str, joined: Joined, provenance: Mapping[str, Any]) -> Told:
    if not joined.estimates.known.any():
        return Told(path.stem, "problem", f"{path.stem}: no control period has an estimate.")
    forced = joined.estimates.terms.get("forced")
    counts = {
        "missing": joined.missing,
        "unknown": joined.unknown,
        "repeated": joined.repeated,
        "unusable": joined.unusable,
    }
    facts = {"forced": forced is not None and bool(np.nanmax(forced) > 0), **counts}
    save_beside(path, name, joined.estimates, {**provenance, **facts})
    odd = ", ".join(f"{count} {what}" for what, count in counts.items() if count)
    return Told(path.stem, "written", f"{path.stem}: {odd}" if odd else "")


def others(episodes: Sequence[Path], name: str, digest: str) -> list[Path]:
    """Return the episodes that have a reward of this name from another maker, damaged ones too."""
    return [path for path in episodes if beside_path(path, name).exists() and _made_by(path, name) != digest]


def _made_by(episode: Path, name: str) -> str | None:
    """Return the digest of what made a reward beside an episode, None where none can be read."""
    if not beside_path(episode, name).exists():
        return None
    try:
        return str(load_beside(episode, name)[1].get("digest"))
    except ConfigError:
        return None
