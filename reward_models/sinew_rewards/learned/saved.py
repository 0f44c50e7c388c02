"""A learned reward on disk: safetensors weights, and beside them what they are, as JSON."""

from __future__ import annotations

import importlib
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
from safetensors.numpy import save
from sinew_core.config import from_mapping, to_mapping
from sinew_core.errors import ConfigError
from sinew_core.files import write_whole
from sinew_perception.encoders.goal_encoder import SHIPPED

from sinew_rewards.files import read_arrays, read_json, sha256_of, write_json
from sinew_rewards.learned.features import FeatureConfig
from sinew_rewards.learned.scoring import Arrays, Scorer

FORMAT = "sinew-learned-reward/1"
MADE_BY = "`sinew reward fit`"


@dataclass(frozen=True, slots=True)
class Spread:
    """Where a feature lay in training."""

    mean: float
    std: float
    lowest: float
    highest: float


@dataclass(frozen=True, slots=True)
class LearnedFacts:
    """What a learned reward is: everything that its numbers depend on, and where they come from."""

    features: FeatureConfig
    feature_names: tuple[str, ...]
    feature_tag: str
    spreads: tuple[Spread, ...]  # (d) of the features it learned from, against which drift is watched
    robot: str
    task: str = ""
    provenance: Mapping[str, Any] = field(default_factory=dict)  # learner, episodes, feedback, seed
    scorer: str = ""  # "module:Class" of the Scorer that restores it; saving fills in this and what follows
    settings: Mapping[str, Any] = field(default_factory=dict)  # the scorer's own
    weights_sha256: str = ""


def facts_path(weights: Path) -> Path:
    """Return the JSON beside a weights file."""
    return weights.with_suffix(".json")


def spreads_of(features: np.ndarray[Any, Any]) -> tuple[Spread, ...]:
    """Return where each of the features (n, d) lies."""
    columns = np.asarray(features, np.float64).T
    return tuple(Spread(float(c.mean()), float(c.std()), float(c.min()), float(c.max())) for c in columns)


def scorer_name(scorer: Scorer) -> str:
    """Return the "module:Class" of a scorer."""
    return f"{type(scorer).__module__}:{type(scorer).__name__}"


def save_learned(path: Path, scorer: Scorer, facts: LearnedFacts) -> LearnedFacts:
    """Write a learned reward, each file whole or not at all; return its facts with the weights' digest."""
    arrays = {name: np.ascontiguousarray(value) for name, value in scorer.arrays().items()}
    write_whole(path, save(arrays))
    values = to_mapping(facts) | {"scorer": scorer_name(scorer), "settings": dict(scorer.settings())}
    values["weights_sha256"] = sha256_of(path)
    write_json(facts_path(path), {"format": FORMAT, **values})
    return load_facts(path)


def load_facts(path: Path) -> LearnedFacts:
    """Return the facts beside a weights file; ConfigError if missing, damaged or of another version."""
    beside = facts_path(path)
    data = read_json(beside, MADE_BY)
    made = data.pop("format", None)
    if made != FORMAT:
        raise ConfigError(f"{beside}: is of version {made!r}, this Sinew reads '{FORMAT}'; learn it anew.")
    return _with_encoder(from_mapping(LearnedFacts, data, str(beside)), path.parent)


def _with_encoder(facts: LearnedFacts, folder: Path) -> LearnedFacts:
    """Return the facts with the encoder's file where it is now, if the reward came here from elsewhere.

    It is looked for where it was, beside the reward, and among those that come with Sinew; the tag of the
    features tells whether it is the same one.
    """
    frozen = facts.features.frozen
    if frozen is None or frozen.weights is None or frozen.weights.is_file():
        return facts
    for place in (folder, SHIPPED.parent):
        found = place / frozen.weights.name
        if found.is_file():
            return replace(facts, features=replace(facts.features, frozen=replace(frozen, weights=found)))
    return facts


def load_learned(path: Path) -> tuple[Scorer, LearnedFacts]:
    """Return a learned reward; ConfigError for files that are missing, damaged or do not belong together."""
    facts = load_facts(path)
    arrays, _ = read_arrays(path, MADE_BY)
    found = sha256_of(path)
    if found != facts.weights_sha256:
        raise ConfigError(
            f"{path}: its SHA-256 is {found[:12]}..., but {facts_path(path).name} is about "
            f"{facts.weights_sha256[:12]}...: the two files do not belong together."
        )
    return restored(path, facts, arrays), facts


def restored(path: Path, facts: LearnedFacts, arrays: Arrays) -> Scorer:
    """Return the scorer of these arrays; only classes of Sinew and of whoever is named in `plugin` style."""
    module, _, name = facts.scorer.partition(":")
    try:
        cls = getattr(importlib.import_module(module), name)
        scorer = cls.restore(facts.settings, arrays)
    except (ImportError, AttributeError) as error:
        raise ConfigError(
            f"{facts_path(path)}: there is no scorer '{facts.scorer}' here: {error}."
        ) from error
    except (ValueError, KeyError, TypeError) as error:
        raise ConfigError(f"{path}: does not fit '{facts.scorer}': {error}") from error
    assert isinstance(scorer, Scorer)
    return scorer
