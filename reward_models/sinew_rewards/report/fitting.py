"""Fits a learner and writes what it left, with everything that it takes to do it again."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from sinew_core.config import to_mapping
from sinew_core.errors import ConfigError
from sinew_core.plugins import build, plugin_config, plugin_spec
from sinew_data.feedback.types import Feedback

from sinew_rewards.classifier.making import versions
from sinew_rewards.learned.saved import LearnedFacts, save_learned, spreads_of
from sinew_rewards.learned.scoring import Learner, Scorer
from sinew_rewards.report.episodes import EpisodeSet
from sinew_rewards.report.feedback_use import digest_of
from sinew_rewards.report.splits import Split

LEARNERS = "sinew_rewards.learners"


@dataclass(frozen=True, slots=True)
class Recipe:
    """What is learned by, and from what."""

    spec: Mapping[str, Any]  # plugin mapping of the learner
    episodes: EpisodeSet
    split: Split
    feedback: Sequence[Feedback]  # all of it about episodes to learn from
    crossing: int  # entries left out, as they are about held-out episodes
    seed: int
    command: str = ""
    asked: Mapping[str, Any] = field(default_factory=dict)  # what is known of how the feedback came about


def learner_spec(name: str, fields: Mapping[str, Any], where: str) -> dict[str, Any]:
    """Return the plugin mapping of a learner, a short name or "module:Class"; ConfigError where unknown."""
    spec = {**plugin_spec(name, LEARNERS, "learner"), **fields}
    plugin_config(spec, where)  # so that a mistake is told before episodes are read
    return spec


def fit_and_save(out: Path, recipe: Recipe) -> tuple[Scorer, LearnedFacts]:
    """Fit, write the weights and their facts; ConfigError where the feedback is not enough."""
    learner = build(recipe.spec, Learner, f"learner {recipe.spec['plugin']}")
    begin = time.monotonic()
    scorer = learner.fit(recipe.split.train, recipe.feedback, recipe.seed)
    seconds = time.monotonic() - begin
    rows = np.concatenate([item.features for item in recipe.split.train.trajectories])
    episodes = recipe.episodes
    facts = LearnedFacts(
        features=episodes.features,
        feature_names=episodes.names,
        feature_tag=episodes.tag,
        spreads=spreads_of(rows),
        robot=episodes.robot,
        task=episodes.task,
        provenance=_provenance(recipe, seconds),
    )
    _check_scorer(scorer, recipe)
    return scorer, save_learned(out, scorer, facts)


def _check_scorer(scorer: object, recipe: Recipe) -> None:
    if not isinstance(scorer, Scorer):
        raise ConfigError(f"{recipe.spec['plugin']}: `fit` returned a {type(scorer).__name__}, no Scorer.")


def _provenance(recipe: Recipe, seconds: float) -> dict[str, Any]:
    train, held_out = recipe.split.train.trajectories, recipe.split.held_out.trajectories
    config = plugin_config(recipe.spec, "learner")
    return {
        "command": recipe.command,
        "learner": recipe.spec["plugin"],
        "config": {} if config is None else to_mapping(config),
        "seed": recipe.seed,
        "fit_s": round(seconds, 3),
        "episodes": {
            "source": recipe.episodes.source.name,
            "train": [item.name for item in train],
            "held_out": [item.name for item in held_out],
            "families": sorted({item.family for item in train}),
            "unknown_rows": recipe.episodes.unknown_rows,
            "unusable": len(recipe.episodes.problems),
        },
        "feedback": {
            "entries": len(recipe.feedback),
            "sha256": digest_of(recipe.feedback),
            "about_held_out": recipe.crossing,
            **recipe.asked,
        },
        "versions": versions(),
    }
