"""A report made of what a user names: a learned reward or any other, its episodes, feedback and reference."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from rich.console import Console
from sinew_core.errors import ConfigError
from sinew_core.models import make_reward
from sinew_core.types import FloatArray, Task
from sinew_data.dataset import Dataset
from sinew_data.feedback.pairs import comparisons_of
from sinew_data.feedback.types import Comparison

from sinew_rewards.learned.reward import Config, LearnedReward
from sinew_rewards.learned.saved import LearnedFacts, load_learned
from sinew_rewards.learned.trajectory import Episodes, Trajectory
from sinew_rewards.report.ablation import Part, camera_parts, feature_parts
from sinew_rewards.report.episodes import EpisodeSet
from sinew_rewards.report.evidence import Asked, Material, true_comparisons
from sinew_rewards.report.feedback_use import usable
from sinew_rewards.report.latency import latency_figures, latency_of
from sinew_rewards.report.splits import unseen
from sinew_rewards.report.subject import Questioned, Scored, Subject

TRUTH = "truth"


@dataclass(frozen=True, slots=True)
class Model:
    """What is reported on: learned weights with their facts, or the name of any other reward."""

    name: str
    subject: Subject
    facts: LearnedFacts | None = None
    weights: Path | None = None


def is_learned(name: str) -> bool:
    """Tell whether a name is that of learned weights."""
    return name.endswith(".safetensors")


def open_model(name: str, episodes: EpisodeSet) -> Model:
    """Return a reward that can be asked about these episodes; ConfigError where it does not fit them."""
    if not is_learned(name):
        return Model(name, _asked(name, episodes))
    path = Path(name)
    scorer, facts = load_learned(path)
    _check_fit(path, facts, episodes)
    return Model(path.stem, Scored(scorer), facts, path)


def _asked(name: str, episodes: EpisodeSet) -> Questioned:
    if not episodes.recorded:
        raise ConfigError(
            f"{name}: wants observations, and {episodes.source} holds features only; give a dataset."
        )
    return Questioned(make_reward(name, episodes.hardware, episodes.task), Dataset(episodes.source))


def _check_fit(path: Path, facts: LearnedFacts, episodes: EpisodeSet) -> None:
    """Raise ConfigError unless the episodes' features are those that a reward learned on."""
    if (episodes.names, episodes.tag) != (facts.feature_names, facts.feature_tag):
        raise ConfigError(
            f"{path}: was learnt on other features ({facts.feature_tag}, {len(facts.feature_names)}) than "
            f"{episodes.source} has ({episodes.tag}, {len(episodes.names)})."
        )
    if episodes.robot != facts.robot:
        raise ConfigError(
            f"{path}: was learnt on the robot '{facts.robot}', the episodes are of '{episodes.robot}'."
        )


def held_out(model: Model, episodes: EpisodeSet, console: Console) -> Episodes:
    """Return the episodes that the reward did not learn from; ConfigError where there is none."""
    made = {} if model.facts is None else model.facts.provenance.get("episodes", {})
    kept = unseen(episodes.episodes, set(made.get("train", ())), set(made.get("families", ())))
    left = len(episodes.episodes.trajectories) - len(kept)
    if not kept:
        raise ConfigError(
            f"{model.name}: was learnt from all {left} episodes: there is nothing to test it on. Give others."
        )
    if left:
        console.print(f"left out: {left} episodes that it was learnt from, or that branched from one")
    return Episodes(kept)


def comparisons_for(
    log: Path | None, episodes: EpisodeSet, kept: Episodes, console: Console
) -> tuple[tuple[Comparison, ...], Asked]:
    """Return the comparisons of held-out clips and who was asked: a log, else the truth where it is known."""
    if log is None:
        made = true_comparisons(kept)
        return made, "truth" if made else "nobody"
    found = usable(log, {item.name for item in episodes.episodes.trajectories})
    for note in found.notes:
        console.print(note, style="yellow", markup=False)
    entries = found.about({item.name for item in kept.trajectories})
    console.print(
        f"{log}: {len(entries)} of {len(found.entries)} entries are about held-out episodes alone",
        markup=False,
    )
    return tuple(comparison for comparison, _ in comparisons_of(entries)), "feedback"


def parts_of(model: Model, episodes: EpisodeSet) -> tuple[Part, ...]:
    """Return what a learned reward looks at, part by part."""
    if model.facts is None:
        return ()
    facts = model.facts
    if facts.features.kind == "pictures":
        return tuple(camera_parts(facts.feature_names, facts.features, episodes.hardware))
    return tuple(feature_parts(facts.feature_names, facts.spreads))


def reference_of(
    name: str, episodes: EpisodeSet, trajectories: Sequence[Trajectory]
) -> tuple[dict[str, FloatArray], str]:
    """Return a reference reward's values by episode, and its name: the one given, else the truth if known."""
    if name in ("", TRUTH):
        truths = {item.name: item.truth for item in trajectories if item.truth is not None}
        if name == TRUTH and not truths:
            raise ConfigError(f"--reference {TRUTH}: nothing in {episodes.source} says what is true.")
        return truths, TRUTH if truths else ""
    subject = open_model(name, episodes).subject
    return {item.name: subject.estimates(item).value for item in trajectories}, name


def material_of(
    model: Model, episodes: EpisodeSet, log: Path | None, reference: str, console: Console
) -> Material:
    """Gather what a reward is measured on; raises ConfigError."""
    kept = held_out(model, episodes, console)
    comparisons, asked = comparisons_for(log, episodes, kept, console)
    values, name = reference_of(reference, episodes, kept.trajectories)
    return Material(
        held_out=kept,
        names=episodes.names,
        comparisons=comparisons,
        asked=asked,
        spreads=() if model.facts is None else model.facts.spreads,
        parts=parts_of(model, episodes),
        reference=values,
        reference_name=name,
    )


def latencies(model: Model, episodes: EpisodeSet) -> dict[str, float]:
    """Return how long an answer takes: of weights, from made-up observations on; else as it was asked."""
    if isinstance(model.subject, Questioned):
        return latency_figures(model.subject.seconds)
    assert model.weights is not None
    reward = LearnedReward(Config(model.weights, use="watch"), episodes.hardware)
    return latency_of(reward, episodes.hardware, Task(episodes.task, f"do the task {episodes.task}"))
