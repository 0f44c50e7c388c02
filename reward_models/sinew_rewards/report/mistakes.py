"""The worst errors of a reward, with what they looked like: for a person to see what it got wrong."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from sinew_core.types import FloatArray
from sinew_data.feedback.types import Clip

from sinew_rewards.learned.saved import Spread
from sinew_rewards.learned.trajectory import Episodes
from sinew_rewards.report.ordering import how_far
from sinew_rewards.report.preferences import Predicted
from sinew_rewards.report.ranks import ranks
from sinew_rewards.report.standing import By, Case

SHOWN = 4  # of a kind
TOLD = 5  # features of each


@dataclass(frozen=True, slots=True)
class Moment:
    """A row of an episode."""

    episode: str
    row: int
    stamp: int  # ns
    features: tuple[tuple[str, float, float], ...] = ()  # name, value, standard deviations from training's
    role: str = ""  # in a comparison


@dataclass(frozen=True, slots=True)
class Mistake:
    """Something that a reward got wrong, and the moments to look at."""

    kind: str  # comparison | failure | step
    sentence: str
    moments: tuple[Moment, ...]


class Describer:
    """Says what rows looked like in features."""

    def __init__(self, names: Sequence[str], spreads: Sequence[Spread]) -> None:
        self._names, self._mean = names, np.array([s.mean for s in spreads])
        self._std = np.maximum([s.std for s in spreads], 1e-6)

    def unusual(self, row: npt.NDArray[np.floating]) -> tuple[tuple[str, float, float], ...]:
        """Return the features of a row (d,) that are furthest from what training had."""
        return self._told(row, np.abs(self._z(row)))

    def differing(
        self, row: npt.NDArray[np.floating], other: npt.NDArray[np.floating]
    ) -> tuple[tuple[str, float, float], ...]:
        """Return the features of a row (d,) that differ most from those of another one."""
        return self._told(row, np.abs(self._z(row) - self._z(other)))

    def _z(self, row: npt.NDArray[np.floating]) -> FloatArray:
        return np.asarray((row - self._mean) / self._std, np.float64)

    def _told(
        self, row: npt.NDArray[np.floating], weight: FloatArray
    ) -> tuple[tuple[str, float, float], ...]:
        z = self._z(row)
        order = np.argsort(-weight, kind="stable")[:TOLD]
        return tuple((self._names[i], float(row[i]), float(z[i])) for i in order)


def worst(
    cases: Sequence[Case], by: By, predicted: Sequence[Predicted], episodes: Episodes, describe: Describer
) -> list[Mistake]:
    """Return the worst errors of each kind: comparisons, failures that stand high, steps out of order."""
    return [
        *_comparisons(predicted, episodes, describe),
        *_failures(cases, by, describe),
        *_steps(cases, by, describe),
    ]


def _comparisons(predicted: Sequence[Predicted], episodes: Episodes, describe: Describer) -> list[Mistake]:
    """Return the comparisons that it is most convinced of and wrong about."""
    wrong = [p for p in predicted if not p.comparison.tied and not p.right]
    found = []
    for p in sorted(wrong, key=lambda p: -abs(p.logit))[:SHOWN]:
        c = p.comparison
        better, worse = (c.first, c.second) if c.preferred > 0.5 else (c.second, c.first)
        said = max(p.probability, 1 - p.probability)
        moments = (
            _clip(better, worse, "preferred", episodes, describe),
            _clip(worse, better, "its choice", episodes, describe),
        )
        found.append(
            Mistake("comparison", f"the reward is {100 * said:.0f} % sure of the other one", moments)
        )
    return found


def _clip(clip: Clip, other: Clip, role: str, episodes: Episodes, describe: Describer) -> Moment:
    """Return the end of a clip, with the means of the features in which it differs from the other one."""
    last = episodes.rows(clip).stop - 1
    means = [episodes.features(each).mean(0, dtype=np.float64) for each in (clip, other)]
    return Moment(clip.episode, last, int(episodes.of(clip).stamps[last]), describe.differing(*means), role)


def _failures(cases: Sequence[Case], by: By, describe: Describer) -> list[Mistake]:
    """Return failures whose end stands higher than that of some success, the highest first."""
    done = [case.final(by) for case in cases if case.trajectory.success]
    failed = [case for case in cases if case.trajectory.success is False]
    high = [(case.final(by), case) for case in failed if done and case.final(by) >= min(done)]
    found = []
    for final, case in sorted(high, key=lambda pair: -pair[0])[:SHOWN]:
        above = sum(final >= other for other in done)
        sentence = f"a failure that ends no lower than {above} of {len(done)} successes"
        found.append(Mistake("failure", sentence, (_of(case, len(case.estimates) - 1, describe),)))
    return found


def _steps(cases: Sequence[Case], by: By, describe: Describer) -> list[Mistake]:
    """Return the rows whose place within their episode is furthest from the true one, one an episode."""
    found: list[tuple[float, Mistake]] = []
    for case in cases:
        along = how_far(case)
        if along is None:
            continue
        last = max(len(along) - 1, 1)
        apart = (ranks(case.standing(by)) - ranks(along)) / last
        row = int(np.argmax(np.abs(apart)))
        place = "too high" if apart[row] > 0 else "too low"
        sentence = f"stands {100 * abs(apart[row]):.0f} % of the episode's steps {place}"
        mistake = Mistake("step", sentence, (_of(case, row, describe),))
        found.append((abs(float(apart[row])), mistake))
    found.sort(key=lambda pair: -pair[0])
    return [mistake for apart, mistake in found[:SHOWN] if apart > 0]


def _of(case: Case, row: int, describe: Describer) -> Moment:
    t = case.trajectory
    return Moment(t.name, row, int(t.stamps[row]), describe.unusual(t.features[row]))
