"""Two claims about people, measured: learners that tell two opposed raters apart, and similarity first."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from sinew_core.types import FloatArray
from sinew_data.feedback.types import Clip, Comparison, Feedback, Said, Triplet
from sinew_rewards.learned.features import KeypointFeatures
from sinew_rewards.learned.scoring import Learner, Scorer, score_all
from sinew_rewards.learned.trajectory import Episodes, Trajectory
from sinew_rewards.learners.bradley_terry import BradleyTerry
from sinew_rewards.learners.bradley_terry import Config as BradleyTerryConfig
from sinew_rewards.learners.ideal_points import Config as IdealPointsConfig
from sinew_rewards.learners.ideal_points import IdealPoints
from sinew_rewards.learners.similarity import FEW, Similarity
from sinew_rewards.learners.similarity import Config as SimilarityConfig
from sinew_rewards.learners.similarity_fit import agreement
from sinew_rewards.learners.variational import Config as VariationalConfig
from sinew_rewards.learners.variational import Variational
from sinew_rewards.raters.scripted import RaterConfig, ScriptedRater, as_feedback
from sinew_rewards.scorers.ideal_points import IdealPointsScorer
from sinew_rewards.scorers.variational import VariationalScorer

from sinew_eval.reward_episodes import simulated_trajectories

LENGTH = 30  # control periods of a clip
EPISODES, LEARNT_FROM = 100, 60  # the others are held out, with their scenes
TOLD, NEW, TESTS = 200, 20, 400  # comparisons of each rater, of somebody new, and held out
TRIPLETS, FEW_TOLD = 50, 20
TELLS_APART = (VariationalScorer, IdealPointsScorer)
OPPOSED = {"anna": 1.5, "ben": -1.5}  # what the disputed feature weighs beside the shared one
Taste = Mapping[str, float]  # feature to weight, in its standard deviations over all rows


@dataclass(frozen=True, slots=True)
class World:
    """Episodes to learn from, others to be judged by, and what people in it look at."""

    names: tuple[str, ...]  # (d) of the features
    learnt_from: Episodes
    held_out: Episodes
    shared: str  # a feature that both raters like
    disputed: str  # one that one rater likes and the other does not
    causal: Taste  # what a third person looks at, and how much they like it


def robot_world(seed: int, task: str = "push") -> World:
    """Return simulated episodes of the robot; the seed decides which of them are held out."""
    found = simulated_trajectories(task, EPISODES, 0)
    return _world(
        KeypointFeatures.names,
        found,
        seed,
        shared="object_target_near_80",
        disputed="speed",
        causal={"object_target_near_80": 1.0, "speed": -1.0, "tip_height": -0.5},
    )


def synthetic_world(seed: int, periods: int = 2 * LENGTH) -> World:
    """Return episodes of eight features that wander about a place of their own; three of them matter."""
    rng = np.random.default_rng([31, seed])
    places = rng.normal(size=(EPISODES, 1, 8)) + 0.3 * rng.normal(size=(EPISODES, periods, 8))
    stamps = np.arange(periods, dtype=np.int64)
    found = [Trajectory(f"e{i}", stamps, rows.astype(np.float32)) for i, rows in enumerate(places)]
    causal = {"a": 1.0, "b": -1.0, "c": 0.5}
    return _world(tuple("abcdefgh"), found, seed, shared="a", disputed="b", causal=causal)


WORLDS: Mapping[str, Callable[[int], World]] = {"robot": robot_world, "synthetic": synthetic_world}


def operator_claims(seed: int, worlds: Mapping[str, Callable[[int], World]] = WORLDS) -> dict[str, Any]:
    """Measure learners on two raters who agree on one thing and are opposed in another.

    For each world and learner: `accuracy` on each rater's own held-out pairs and the least of them,
    `accuracy_disputed` on those on which they disagree, `accuracy_new` of somebody new with 20
    comparisons, `fit_s`. Bradley-Terry, one reward for all, stands beside: on disputed pairs it cannot
    be right for both.
    """
    return {name: _operators_in(make(seed), seed) for name, make in worlds.items()}


def similarity_claims(seed: int, worlds: Mapping[str, Callable[[int], World]] = WORLDS) -> dict[str, Any]:
    """Measure what 50 triplets are worth before 20 comparisons, on held-out scenes.

    For each world: held-out accuracy after triplets, `from_scratch` by the same fit of a reward on the
    features as they are, and of Bradley-Terry by its defaults; `agreement` is the share of held-out
    triplets on which the space agrees with the person (chance: a third).
    """
    return {name: _similarity_in(make(seed), seed) for name, make in worlds.items()}


def operator_learners() -> dict[str, Learner]:
    """Return the learners that are held against each other."""
    return {
        "bradley_terry": BradleyTerry(BradleyTerryConfig()),
        "variational": Variational(VariationalConfig()),
        "ideal_points": IdealPoints(IdealPointsConfig()),
    }


def _operators_in(world: World, seed: int) -> dict[str, Any]:
    tastes = {who: {world.shared: 1.0, world.disputed: weight} for who, weight in OPPOSED.items()}
    told = [
        entry
        for number, (who, taste) in enumerate(tastes.items())
        for entry in entries_of(compared(world, world.learnt_from, taste, who, TOLD, seed + number), who)
    ]
    tests = {who: compared(world, world.held_out, taste, who, TESTS, seed) for who, taste in tastes.items()}
    new = compared(world, world.learnt_from, tastes["ben"], "cleo", NEW, seed + 2)
    figures: dict[str, Any] = {}
    for name, learner in operator_learners().items():
        began = time.perf_counter()
        scorer = learner.fit(world.learnt_from, told, seed)
        seconds = time.perf_counter() - began
        speaking = {who: speaking_for(scorer, who) for who in tastes}
        figures[name] = _judged(world, speaking, tests) | {"fit_s": round(seconds, 2)}
        if isinstance(scorer, TELLS_APART):
            joined = scorer.infer(new, world.learnt_from)
            figures[name]["accuracy_new"] = _share(right(joined, world.held_out, tests["ben"]))
    return figures


def speaking_for(scorer: Scorer, who: str) -> Scorer:
    """Return what speaks for an operator: the scorer itself where it does not tell operators apart."""
    return scorer.for_operator(who) if isinstance(scorer, TELLS_APART) else scorer


def _judged(
    world: World, speaking: Mapping[str, Scorer], tests: Mapping[str, Sequence[Comparison]]
) -> dict[str, Any]:
    """Return how often each one's reward is right about their own pairs, all and disputed."""
    answers = {who: right(speaking[who], world.held_out, told) for who, told in tests.items()}
    anna, ben = tests.values()
    disputed = np.array([a.preferred != b.preferred for a, b in zip(anna, ben, strict=True)])
    own = {who: _share(answer) for who, answer in answers.items()}
    return {
        "accuracy": own,
        "accuracy_least": min(own.values()),
        "accuracy_disputed": _share(np.concatenate([answer[disputed] for answer in answers.values()])),
        "disputed": int(disputed.sum()),
    }


def _similarity_in(world: World, seed: int) -> dict[str, Any]:
    person, looks_at = "dora", {name: abs(weight) for name, weight in world.causal.items()}
    said = alike(world, world.learnt_from, looks_at, person, TRIPLETS, seed)
    told = compared(world, world.learnt_from, world.causal, person, FEW_TOLD, seed)
    triplets = entries_of(said, person)
    comparisons = entries_of(told, person)
    tests = compared(world, world.held_out, world.causal, person, TESTS, seed + 1)
    learnt = Similarity(SimilarityConfig()).fit(world.learnt_from, [*triplets, *comparisons], seed)
    baselines = {"from_scratch": BradleyTerryConfig(fit=FEW), "bradley_terry": BradleyTerryConfig()}
    scorers: dict[str, Scorer] = {"similarity": learnt} | {
        name: BradleyTerry(config).fit(world.learnt_from, comparisons, seed)
        for name, config in baselines.items()
    }
    accuracy = {name: _share(right(scorer, world.held_out, tests)) for name, scorer in scorers.items()}
    unseen = alike(world, world.held_out, looks_at, person, TESTS, seed + 1)
    return {"accuracy": accuracy, "agreement": round(agreement(learnt.space, world.held_out, unseen), 3)}


def compared(
    world: World, episodes: Episodes, taste: Taste, who: str, count: int, seed: int
) -> list[Comparison]:
    """Return what a rater of some taste says of `count` pairs of clips that the seed draws."""
    rater = _rater(world, taste, who, seed)
    pairs = _clips(episodes, 2, count, [37, seed])
    return [said for a, b in pairs if (said := rater.compare(episodes, a, b)) is not None]


def alike(world: World, episodes: Episodes, taste: Taste, who: str, count: int, seed: int) -> list[Triplet]:
    """Return which two of three clips look most alike to somebody, for `count` triplets."""
    rater = _rater(world, taste, who, seed)
    triples = _clips(episodes, 3, count, [41, seed])
    return [said for clips in triples if (said := rater.triplet(episodes, *clips)) is not None]


def entries_of(said: Sequence[Said], who: str) -> list[Feedback]:
    """Return entries of the log in which somebody says all this."""
    return [as_feedback(each, who, index, index=index) for index, each in enumerate(said)]


def right(scorer: Scorer, episodes: Episodes, told: Sequence[Comparison]) -> FloatArray:
    """Return for each comparison (n) whether the clip of the larger sum of rewards is the preferred one."""
    sums = {
        item.name: np.concatenate([[0.0], np.cumsum(score_all(scorer, item.features))])
        for item in episodes.trajectories
    }

    def worth(clip: Clip) -> float:
        rows = episodes.rows(clip)
        return float(sums[clip.episode][rows.stop] - sums[clip.episode][rows.start])

    return np.array([float((worth(t.first) > worth(t.second)) == (t.preferred > 0.5)) for t in told])


def _world(
    names: tuple[str, ...],
    found: Sequence[Trajectory],
    seed: int,
    *,
    shared: str,
    disputed: str,
    causal: Taste,
) -> World:
    """Return a world whose held-out episodes are drawn by the seed."""
    order = np.random.default_rng([43, seed]).permutation(len(found))
    parts = (order[:LEARNT_FROM], order[LEARNT_FROM:])
    learnt_from, held_out = (Episodes([found[i] for i in part]) for part in parts)
    return World(names, learnt_from, held_out, shared, disputed, causal)


def _rater(world: World, taste: Taste, who: str, seed: int) -> ScriptedRater:
    """Return a rater to whom a feature weighs in units of its spread."""
    rows = np.concatenate([item.features for item in world.learnt_from.trajectories])
    spreads = dict(zip(world.names, rows.std(0), strict=True))
    weights = {name: weight / float(spreads[name]) for name, weight in taste.items()}
    return ScriptedRater(RaterConfig(taste=weights), who, seed, names=world.names)


def _clips(episodes: Episodes, each: int, count: int, seed: Sequence[int]) -> list[list[Clip]]:
    """Return `count` lists of `each` clips of the same length, or whole episodes that are shorter."""
    rng = np.random.default_rng(seed)
    return [[_clip(episodes, rng) for _ in range(each)] for _ in range(count)]


def _clip(episodes: Episodes, rng: np.random.Generator) -> Clip:
    item = episodes.trajectories[int(rng.integers(len(episodes.trajectories)))]
    begin = int(rng.integers(max(1, len(item.stamps) - LENGTH + 1)))
    end = min(begin + LENGTH, len(item.stamps)) - 1
    return Clip(item.name, int(item.stamps[begin]), int(item.stamps[end]))


def _share(answers: FloatArray) -> float:
    return round(float(answers.mean()), 3)
