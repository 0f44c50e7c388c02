"""What a recording says of an episode beside its messages: configuration, files, weights, versions."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from sinew_core.hardware import Hardware
from sinew_core.types import Task
from sinew_core.weights import weights_of

from sinew_data.episode import EpisodeStart, start_of

MODELS = ("policy", "reward", "affordance")
YAML = (".yaml", ".yml")


def recording_facts(hardware: Hardware, task: str, models: Mapping[str, str]) -> EpisodeStart:
    """Return what is the same for all episodes of a graph; `models` are the names it was launched with.

    Files are read now: what is changed on disk while the graph runs is not what it runs with. A model's
    own YAML file goes along. Raises ConfigError.
    """
    weights = {kind: weights_of(kind, models.get(kind, "")) for kind in MODELS}
    start = start_of(
        hardware,
        Task(task, "", 0),
        0,
        **{kind: models.get(kind, "") for kind in MODELS},
        weights=" ".join(weights["policy"].values()),
        extra={f"{kind}_weights": json.dumps(files) for kind, files in weights.items() if files},
    )
    given = {kind: Path(models.get(kind, "")) for kind in MODELS}
    own = {f"{kind}.yaml": path.read_bytes() for kind, path in given.items() if path.suffix in YAML}
    return replace(start, attachments={**start.attachments, **own})


def episode_facts(facts: EpisodeStart, task: Task, seed: int, episode: int) -> EpisodeStart:
    """Return the facts of one episode of the graph."""
    return replace(
        facts,
        task=task.name,
        instruction=task.instruction,
        max_steps=task.max_steps,
        seed=seed,
        episode=episode,
    )
