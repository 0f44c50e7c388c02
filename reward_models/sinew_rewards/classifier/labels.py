"""What each frame of an episode teaches: success, no success, or nothing because nobody can tell."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from sinew_core.errors import ConfigError

from sinew_rewards.classifier.frames import EpisodeFacts, EpisodeFrames

Labels = npt.NDArray[np.int8]  # 1 success, 0 none, -1 left out
FAILED = ("failure", "timeout")  # every other outcome but success says nothing about the task


@dataclass(frozen=True, slots=True)
class LabelRule:
    """How many of the last control periods of a successful episode show success.

    What is just before them is left out: there the task may be done already, or not quite. So are, on
    either side of a change of a simulator's truth, the frames in which no picture tells one from the other.
    """

    positives: int = 5  # control periods
    gap: int = 15  # control periods
    blur: int = 4  # control periods

    def __post_init__(self) -> None:
        """Check the numbers."""
        if self.positives < 1 or min(self.gap, self.blur) < 0:
            raise ValueError(f"expected positives >= 1, gap and blur >= 0, got {self}.")


@dataclass(frozen=True, slots=True)
class Labelled:
    """An episode and its labels."""

    frames: EpisodeFrames
    labels: Labels

    @property
    def name(self) -> str:
        """The episode's name."""
        return self.frames.facts.name

    @property
    def positives(self) -> int:
        """How many frames show success."""
        return int((self.labels == 1).sum())

    @property
    def negatives(self) -> int:
        """How many frames show none."""
        return int((self.labels == 0).sum())


def verdict(facts: EpisodeFacts) -> bool | None:
    """Whether an episode ended in success; None where nobody knows. A person's mark wins."""
    said = facts.mark or facts.outcome
    if said == "success":
        return True
    return False if said in FAILED else None


def labels_of(frames: EpisodeFrames, rule: LabelRule) -> Labels | None:
    """Return a label for each frame, None for an episode that says nothing about the task.

    Where a simulator told the truth of each frame, that is the label, unless a person marked the episode.
    """
    if frames.truth is not None and not frames.facts.mark:
        return _blurred(frames.truth, frames.step, rule.blur)
    success = verdict(frames.facts)
    if success is None:
        return None
    out = np.zeros(len(frames), np.int8)
    if success and len(frames):
        before_end = frames.step[-1] - frames.step
        out[before_end < rule.positives + rule.gap] = -1
        out[before_end < rule.positives] = 1
    return out


def _blurred(truth: Labels, step: npt.NDArray[np.int32], blur: int) -> Labels:
    """Return the truth without the frames near its changes."""
    out = truth.copy()
    for change in step[1:][truth[1:] != truth[:-1]]:
        out[(step >= change - blur) & (step < change + blur)] = -1
    return out


def label_all(episodes: Sequence[EpisodeFrames], rule: LabelRule) -> tuple[list[Labelled], dict[str, int]]:
    """Return the episodes that teach something, and the outcomes of those that do not, counted.

    ConfigError where there are no episodes, or all frames are of one class.
    """
    found = [(item, labels_of(item, rule)) for item in episodes]
    kept = [Labelled(item, labels) for item, labels in found if labels is not None and len(labels)]
    outcomes = (item.facts.mark or item.facts.outcome for item, labels in found if labels is None)
    left_out = dict(Counter(outcomes).most_common())
    if not kept:
        why = f"; {sum(left_out.values())} are left out ({_counts(left_out)})" if left_out else ""
        raise ConfigError(f"there are no episodes to learn from{why}.")
    positives, negatives = sum(e.positives for e in kept), sum(e.negatives for e in kept)
    if positives == 0 or negatives == 0:
        there, absent = ("success", "no success") if positives else ("no success", "success")
        raise ConfigError(
            f"all {positives + negatives} frames of {len(kept)} episodes show {there}: a classifier needs "
            f"frames of {absent}, too. In `sinew teleop`, y marks a success and n a failure."
        )
    return kept, left_out


def _counts(left_out: dict[str, int]) -> str:
    return ", ".join(f"{count} {outcome}" for outcome, count in left_out.items())
