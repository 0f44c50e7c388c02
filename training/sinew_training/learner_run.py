"""A learner's settings, its counters, and its directory, which is a training's."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from sinew_core.config import from_mapping, to_mapping
from sinew_core.errors import ConfigError
from sinew_core.files import sync_folder

from sinew_training.config import TrainConfig
from sinew_training.run_directory import RunDirectory, create_run, open_run


@dataclass(frozen=True, slots=True)
class LearnerConfig:
    """How a learner serves its actors."""

    actors: int = 1  # that may act at a time
    silence: float = 10.0  # s, after which an actor may be replaced
    publish_every: int = 50  # update calls between two versions of the weights
    pace: float = 1.0  # update calls for each transition that has come; 0: as many as the machine makes

    def __post_init__(self) -> None:
        """Check the ranges."""
        if self.actors < 1 or self.publish_every < 1:
            raise ValueError("actors and publish_every: expected at least 1.")
        if self.silence <= 0 or self.pace < 0:
            raise ValueError("silence: expected more than 0 s; pace: at least 0.")


@dataclass(slots=True)
class LearnerCounters:
    """What a learner's checkpoint says beside the tensors."""

    run: str = ""
    letter: int = 0  # the last one that is in the replay
    transitions: int = 0  # taken so far
    calls: int = 0  # of the agent's update
    version: int = 0  # of the weights
    sequences: dict[str, int] = field(default_factory=dict)  # by actor, in the replay
    wall_s: float = 0.0
    learning: dict[str, Any] = field(default_factory=dict)


def training_asked_for(out: Path, asked: Mapping[str, Any], where: str) -> TrainConfig:
    """Return the training of a directory, or a new one; what is not asked for is as it is there.

    So a newer version's defaults do not stand against going on.
    """
    if not (out / "config.yaml").is_file():
        return from_mapping(TrainConfig, asked, where)
    _, there = open_run(out)
    return from_mapping(TrainConfig, _merged(to_mapping(there), asked), where)


def _merged(there: Mapping[str, Any], asked: Mapping[str, Any]) -> dict[str, Any]:
    """Return `there` with what is asked for instead; an agent is asked for as a whole."""
    merged = dict(there)
    for name, value in asked.items():
        inner = name != "agent" and isinstance(value, Mapping) and isinstance(there.get(name), Mapping)
        merged[name] = _merged(there[name], value) if inner else value
    return merged


def open_learner_run(out: Path, config: TrainConfig) -> RunDirectory:
    """Make the directory of a learner, or open it if it is one of the very same configuration."""
    if config.occupancy is not None:
        raise ConfigError("occupancy: a learner beside actors does not price straying; leave it out there.")
    if not (out / "config.yaml").is_file():
        return create_run(out, config)
    run, there = open_run(out)
    if there != config:
        names = [name for name in asdict(config) if getattr(there, name) != getattr(config, name)]
        told = "; ".join(
            f"{name} is {getattr(there, name)} there, {getattr(config, name)} here" for name in names
        )
        raise ConfigError(f"{run.config}: another training: {told}. Give another directory.")
    return run


def synced(path: Path) -> None:
    """Make a file that was written last over a power cut: what it stands for is deleted next."""
    with path.open("rb") as stream:
        os.fsync(stream.fileno())
    sync_folder(path.parent)
