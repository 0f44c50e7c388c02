"""From recorded episodes, and a learned reward that is in doubt, to the questions of one sitting."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from sinew_core.errors import ConfigError, did_you_mean
from sinew_core.hardware import load_hardware
from sinew_data.dataset import Dataset
from sinew_data.feedback.types import Clip

from sinew_rewards.asking.choosing import Rule, choose, possible_pairs, worth_asking
from sinew_rewards.asking.clip_frames import common_cameras, read_clip
from sinew_rewards.asking.material import Candidate, Material, candidates, read_material
from sinew_rewards.asking.question import Pictured, Question
from sinew_rewards.asking.returns import clip_returns
from sinew_rewards.learned.features import FeatureMap, make_features
from sinew_rewards.learned.saved import LearnedFacts, load_learned
from sinew_rewards.learned.scoring import Scorer


@dataclass(frozen=True, slots=True)
class Request:
    """What is to be asked."""

    dataset: Path
    model: Path | None = None
    rule: Rule = "random"
    siblings: bool = False
    count: int = 20
    seconds: float = 3.0
    task: str = ""  # empty: the reward's, or all
    cameras: tuple[str, ...] = ()  # none: the first that all episodes have
    seed: int = 0


@dataclass(frozen=True, slots=True)
class Questions:
    """The questions of a sitting; pictures are read when a question is asked."""

    materials: Sequence[Material]
    clips: Sequence[Candidate]
    pairs: Sequence[tuple[int, int]]  # of clips, the first one left
    seconds: float
    cameras: Sequence[str]
    problems: Sequence[str]  # of episodes that were left out

    def question(self, index: int) -> Question:
        """Return a question, its number counted from 0."""
        first, second = (self._pictured(self.clips[i]) for i in self.pairs[index])
        return Question(index + 1, len(self.pairs), first, second, self.seconds)

    def _pictured(self, candidate: Candidate) -> Pictured:
        summary = self.materials[candidate.episode].summary
        frames = read_clip(summary.path, candidate.clip, self.cameras)
        return Pictured(candidate.clip, frames, summary.start.instruction or summary.start.task)


def prepare(
    request: Request,
    answered: Collection[frozenset[Clip]],
    on_episode: Callable[[], None] = lambda: None,
) -> Questions:
    """Choose what to ask; ConfigError where there is nothing, or where the reward does not fit."""
    scorer, task, features = _reward(request)
    materials, problems = read_material(request.dataset, task, features, on_episode)
    if not materials:
        raise ConfigError(_none(request.dataset, task, problems))
    clips = candidates(materials, request.seconds, from_start=request.siblings)
    rng = np.random.default_rng(request.seed)
    pairs = possible_pairs(materials, clips, answered, rng, siblings=request.siblings)
    if not len(pairs):
        raise ConfigError(_no_pair(request, len(clips), len(answered)))
    returns = None
    if scorer is not None and request.model is not None:
        returns = clip_returns(request.model, scorer, materials, clips)
    chosen = choose(pairs, worth_asking(request.rule, pairs, returns, rng), request.count)
    cameras = common_cameras([material.summary for material in materials], request.cameras)
    return Questions(materials, clips, chosen, request.seconds, cameras, problems)


def _reward(request: Request) -> tuple[Scorer | None, str, FeatureMap | None]:
    """Return the reward that is in doubt, the task to ask about, and what the reward looks at."""
    if request.model is None or request.rule == "random":
        return None, request.task, None
    scorer, facts = load_learned(request.model)
    return scorer, request.task or facts.task, _features(request.dataset, request.model, facts)


def _features(dataset: Path, weights: Path, facts: LearnedFacts) -> FeatureMap:
    starts = [summary.start for summary in Dataset(dataset).episodes()]
    fitting = [start for start in starts if start.robot == facts.robot]
    if not fitting:
        robots = ", ".join(sorted({start.robot for start in starts})) or "none"
        raise ConfigError(f"{weights}: was learnt on '{facts.robot}'; the robots of {dataset}: {robots}.")
    features = make_features(facts.features, load_hardware(fitting[0].hardware))
    if (features.names, features.tag) != (facts.feature_names, facts.feature_tag):
        raise ConfigError(f"{weights}: was learnt on other features than {fitting[0].hardware} gives now.")
    return features


def _none(dataset: Path, task: str, problems: Sequence[str]) -> str:
    if problems:
        return f"{dataset}: no episode can be read: {problems[0]}"
    tasks = {summary.start.task for summary in Dataset(dataset).episodes()}
    return f"{dataset}: no episode of the task '{task}'.{did_you_mean(task, tasks)}"


def _no_pair(request: Request, clips: int, answered: int) -> str:
    if request.siblings:
        return (
            f"{request.dataset}: no two of {clips} clips branched from one state and are still to be asked "
            "about; `sinew feedback branch` records such episodes."
        )
    return (
        f"{request.dataset}: there is no pair of clips left to ask about ({clips} clips, {answered} pairs "
        "answered); record more episodes, or choose other --seconds."
    )
