"""Whether names stay with their objects, and how far from them the visible keypoints are."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from sinew_core.types import FloatArray, Percept

Truth = Mapping[str, tuple[FloatArray, float]]  # centre (3,) m, and the share of it that is seen

NEAR = 0.02  # m between a keypoint and the object that it is named after, at the beginning
SAME = 0.025  # m between them later; objects are 25 mm wide and more
SEEN = 0.5  # share of an object from which on it counts as seen again
HIDDEN = 0.35  # and below which as hidden
STILL = 0.001  # m from one set of frames to the next
AGAIN = 5  # sets of frames, within which the name has to be back


@dataclass
class Score:
    """What the sequences of one kind gave."""

    errors: list[float] = field(default_factory=list)  # m, of visible keypoints
    believed: list[float] = field(default_factory=list)  # m, of those not visible
    kept: int = 0  # identities, after something has happened to their object
    asked: int = 0
    hidden: list[int] = field(default_factory=list)  # sets of frames that each occlusion took
    ghosts: int = 0  # visible keypoints that are nobody's
    keypoints: int = 0
    missing: int = 0  # objects that are seen well enough and have no visible keypoint
    shown: int = 0
    unnamed: int = 0  # objects that have no keypoint at a sequence's beginning; nothing is asked of them
    sequences: int = 0
    stories: list[str] = field(default_factory=list)  # of identities that were not kept

    def add(self, other: Score) -> None:
        """Take another score in."""
        self.errors += other.errors
        self.believed += other.believed
        self.stories += other.stories
        self.hidden += other.hidden
        for name in ("kept", "asked", "ghosts", "keypoints", "missing", "shown", "unnamed", "sequences"):
            setattr(self, name, getattr(self, name) + getattr(other, name))

    def summary(self) -> dict[str, Any]:
        """Return the figures; of occlusions the shortest, the median and the longest."""
        errors = 1000 * np.array(self.errors or [np.nan])
        believed = 1000 * np.array(self.believed or [np.nan])
        return {
            "median_mm": round(float(np.median(errors)), 2),
            "p95_mm": round(float(np.percentile(errors, 95)), 2),
            "believed_median_mm": None if not self.believed else round(float(np.median(believed)), 2),
            "identity_kept": round(self.kept / self.asked, 4) if self.asked else None,
            "identities": self.asked,
            "occlusions": len(self.hidden),
            "occlusion_sets": [int(n) for n in np.percentile(self.hidden or [0], (0, 50, 100))],
            "ghosts": round(self.ghosts / max(self.keypoints, 1), 4),
            "missing": round(self.missing / max(self.shown, 1), 4),
            "unnamed": self.unnamed,
            "sequences": self.sequences,
        }


class Judge:
    """Follows one sequence: which name is whose, and who has to be known again."""

    def __init__(self, label: str) -> None:
        self.score = Score(sequences=1)
        self._label = label
        self._names: dict[str, str] = {}  # of the objects
        self._asked_at: dict[str, FloatArray] = {}  # (3,) m, where an object was known again last
        self._place: dict[str, FloatArray] = {}  # (3,) m, in the last set of frames
        self._still: dict[str, int] = {}  # sets of frames since an object moved
        self._hidden: dict[str, int] = {}  # since how many sets of frames
        self._waiting: dict[str, int] = {}  # sets of frames since an object is seen again
        self._index = 0

    def see(self, truth: Truth, percept: Percept) -> None:
        """Compare one percept with the truth of its moment."""
        if not self._names:
            self._name(truth, percept)
        self._measure(truth, percept)
        for thing, (_, seen) in truth.items():
            if thing in self._names:
                self._uncovered(thing, seen, truth, percept)
                self._come_to_rest(thing, seen, truth, percept)
        self._index += 1

    def _name(self, truth: Truth, percept: Percept) -> None:
        for thing, (position, _) in truth.items():
            self._asked_at[thing] = self._place[thing] = position
            near = {n: float(np.linalg.norm(k.position - position)) for n, k in percept.keypoints.items()}
            name = min(near, key=lambda n: near[n], default=None)
            if name is not None and near[name] < NEAR:
                self._names[thing] = name
        self.score.unnamed = len(truth) - len(self._names)

    def _measure(self, truth: Truth, percept: Percept) -> None:
        things = {name: thing for thing, name in self._names.items()}
        score = self.score
        for name, keypoint in percept.keypoints.items():
            thing = things.get(name)
            if keypoint.visible:
                score.keypoints += 1
                away = min(np.linalg.norm(keypoint.position - position) for position, _ in truth.values())
                score.ghosts += bool(away > 2 * SAME)
            if thing is not None and thing in truth:
                error = float(np.linalg.norm(keypoint.position - truth[thing][0]))
                (score.errors if keypoint.visible else score.believed).append(error)
        for thing, (_, seen) in truth.items():
            if seen >= SEEN and thing in self._names:
                keypoint_ = percept.keypoints.get(self._names[thing])
                score.shown += 1
                score.missing += keypoint_ is None or not keypoint_.visible

    def _uncovered(self, thing: str, seen: float, truth: Truth, percept: Percept) -> None:
        """An object that was hidden and is seen again has to have its name back, within AGAIN sets."""
        if seen < HIDDEN:
            self._hidden[thing] = self._hidden.get(thing, 0) + 1
            self._waiting.pop(thing, None)
        elif seen >= SEEN and thing in self._hidden:
            self._waiting[thing] = self._waiting.get(thing, 0) + 1
            kept = self._is_kept(thing, truth, percept)
            if kept or self._waiting[thing] >= AGAIN:
                self._ask(thing, kept)
                self.score.hidden.append(self._hidden.pop(thing))
                del self._waiting[thing]

    def _come_to_rest(self, thing: str, seen: float, truth: Truth, percept: Percept) -> None:
        """An object that has moved on and lies still again has to have its name."""
        position = truth[thing][0]
        still = np.linalg.norm(position - self._place[thing]) < STILL
        self._still[thing] = self._still.get(thing, 0) + 1 if still else 0
        self._place[thing] = position
        moved = np.linalg.norm(position - self._asked_at[thing]) > SAME
        if moved and seen >= SEEN and self._still[thing] >= AGAIN:
            self._ask(thing, self._is_kept(thing, truth, percept))
            self._asked_at[thing] = position

    def _is_kept(self, thing: str, truth: Truth, percept: Percept) -> bool:
        """Whether the object's own name is visible at its place, and at no other object of its kind."""
        keypoint = percept.keypoints.get(self._names[thing])
        if keypoint is None or not keypoint.visible:
            return False
        away = {other: float(np.linalg.norm(keypoint.position - p)) for other, (p, _) in truth.items()}
        return away[thing] < SAME and all(
            away[thing] <= away[other] for other in truth if kind(other) == kind(thing)
        )

    def _ask(self, thing: str, kept: bool) -> None:
        self.score.asked += 1
        self.score.kept += kept
        if not kept:
            self.score.stories.append(f"{self._label}: {thing} at set {self._index}")


def kind(thing: str) -> str:
    """Return colour and shape of "red_cube_2"."""
    return "_".join(thing.split("_")[:2])
