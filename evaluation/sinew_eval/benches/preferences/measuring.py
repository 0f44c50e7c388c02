"""What each learner makes of one rater's answers: accuracy and rank correlation on unseen episodes."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch
from sinew_core.types import FloatArray
from sinew_data.feedback.types import Factor, FactorRanking, Feedback
from sinew_rewards.learned.scoring import Learner, Scorer, score_all
from sinew_rewards.learned.trajectory import Episodes
from sinew_rewards.learners import (
    bradley_terry,
    factor_ranking,
    ideal_points,
    regret,
    similarity,
    variational,
)
from sinew_rewards.learners.preference_fit import FitConfig
from sinew_rewards.raters.scripted import RaterConfig, ScriptedRater, as_feedback
from sinew_rewards.report.ranks import rank_correlation

from sinew_eval.benches.preferences.asking import Questions, ask, noisy

TESTS = 500  # held-out comparisons, all answered rightly
TRIPLETS = 50
GUARDED = bradley_terry.Config().fit
TIE = 0.3  # of the true return of a clip, up to which a rater says that neither is better
MATTERS = FactorRanking((Factor("object_target", "less", 0.3), Factor("tip_object", "less", 0.1)))


@dataclass(frozen=True, slots=True)
class Asked:
    """What is learnt from and what is tested on, for one seed of the bench."""

    shown: Episodes
    unseen: Episodes
    comparisons: Sequence[Feedback]
    tests: Sequence[Feedback]
    questions: Questions
    seed: int


def asked(
    shown: Episodes, unseen: Episodes, questions: Questions, count: int, noise: float, seed: int
) -> Asked:
    """Have a rater compare clips of shown episodes, and one without flaws those of unseen ones."""
    told = ask(shown, noisy(noise, seed), count, questions.rows, np.random.default_rng([3, seed]))
    tests = ask(unseen, noisy(0.0, seed), TESTS, questions.rows, np.random.default_rng([5, seed]))
    return Asked(shown, unseen, told, tests, questions, seed)


def _comparisons(data: Asked) -> list[Feedback]:
    return list(data.comparisons)


def _with_ties(data: Asked) -> list[Feedback]:
    """Return the answers of a rater who says so where clips are about as good."""
    rater = ScriptedRater(RaterConfig(tie=TIE), "rater", data.seed)
    rng = np.random.default_rng([3, data.seed])
    return ask(data.shown, rater, len(data.comparisons), data.questions.rows, rng)


def _with_triplets(data: Asked) -> list[Feedback]:
    """Return the answers, and before them which clips look alike to the rater."""
    clips = [clip for entry in data.comparisons for clip in entry.clips()]
    rng, rater = np.random.default_rng([7, data.seed]), noisy(0.0, data.seed)
    said = [
        rater.triplet(data.shown, *(clips[i] for i in rng.choice(len(clips), 3, replace=False)))
        for _ in range(TRIPLETS)
    ]
    alike = [as_feedback(each, "rater", i, index=i) for i, each in enumerate(said) if each is not None]
    return [*alike, *data.comparisons]


def _factors(data: Asked) -> list[Feedback]:
    return [as_feedback(MATTERS, "rater", 0)]


@dataclass(frozen=True, slots=True)
class Entrant:
    """A learner, and what it is told."""

    make: Callable[[], Learner]
    told: Callable[[Asked], list[Feedback]] = _comparisons


ENTRANTS: Mapping[str, Entrant] = {
    "bradley_terry": Entrant(lambda: bradley_terry.BradleyTerry(bradley_terry.Config())),
    "bradley_terry_ties": Entrant(
        lambda: bradley_terry.BradleyTerry(bradley_terry.Config(replace(GUARDED, ties="davidson"))),
        _with_ties,
    ),
    "regret": Entrant(lambda: regret.Regret(regret.Config())),
    "factor_ranking": Entrant(lambda: factor_ranking.FactorRanking(factor_ranking.Config()), _factors),
    "similarity": Entrant(lambda: similarity.Similarity(similarity.Config()), _with_triplets),
    "variational": Entrant(lambda: variational.Variational(variational.Config())),
    "ideal_points": Entrant(lambda: ideal_points.IdealPoints(ideal_points.Config())),
}


def measure(data: Asked, learner: Learner, told: Sequence[Feedback]) -> dict[str, float]:
    """Fit a learner; return accuracy on held-out comparisons, rank correlation with truth, and seconds."""
    warm_up()
    began = time.perf_counter()
    scorer = learner.fit(data.shown, told, data.seed)
    seconds = time.perf_counter() - began
    return judged(scorer, data) | {"fit_s": seconds}


def warm_up() -> None:
    """Have torch load what its first optimiser loads, which takes seconds and is not fitting."""
    torch.optim.AdamW([torch.nn.Parameter(torch.zeros(1))])


def judged(scorer: Scorer, data: Asked) -> dict[str, float]:
    """Return how well a reward orders held-out clips, and the rows of held-out episodes."""
    found = {item.name: score_all(scorer, item.features) for item in data.unseen.trajectories}
    truth = [item.truth for item in data.unseen.trajectories if item.truth is not None]
    right = [
        (_sum(found, data.unseen, entry, 0) > _sum(found, data.unseen, entry, 1)) == (preferred > 0.5)
        for entry in data.tests
        if (preferred := getattr(entry.said, "preferred", 0.5)) != 0.5
    ]
    values = np.concatenate(list(found.values()))
    return {
        "accuracy_heldout": float(np.mean(right)),
        "rank_corr": rank_correlation(values, np.concatenate(truth)),
    }


def _sum(found: Mapping[str, FloatArray], episodes: Episodes, entry: Feedback, which: int) -> float:
    clip = entry.clips()[which]
    return float(found[clip.episode][episodes.rows(clip)].sum())


def measure_noise(data: Asked) -> dict[str, dict[str, float]]:
    """Measure, on answers some of which are the wrong way round, the ensemble and a single head beside it.

    The single head learns from every answer to the last epoch, as a network that nothing guards does.
    """
    single = FitConfig(members=1, bootstrap=False, held_out=0.0)
    both = {"ensemble": GUARDED, "single_head": single}
    return {
        name: measure(data, bradley_terry.BradleyTerry(bradley_terry.Config(fit)), data.comparisons)
        for name, fit in both.items()
    }
