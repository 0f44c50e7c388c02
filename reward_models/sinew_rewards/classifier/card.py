"""A classifier's report card: how right it is on episodes it never saw, and whether that will do."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from sinew_core.config import from_mapping, to_mapping
from sinew_core.errors import ConfigError

from sinew_rewards.classifier.calibration import Bin
from sinew_rewards.files import read_json, write_json

FORMAT = "sinew-classifier-card/1"
MADE_BY = "`sinew classifier card`"
Interval = tuple[float, float]


@dataclass(frozen=True, slots=True)
class Criteria:
    """What a classifier must reach before its success may end episodes."""

    precision: float = 0.95  # at least
    recall: float = 0.8  # at least
    calibration_error: float = 0.1  # at most
    latency_ms: float = 20.0  # at most, in the median
    episodes: int = 5  # held out, at least

    def __post_init__(self) -> None:
        """Check the ranges."""
        for name in ("precision", "recall", "calibration_error"):
            if not 0.0 <= getattr(self, name) <= 1.0:
                raise ValueError(f"{name}: expected 0 to 1, got {getattr(self, name)}.")
        if self.latency_ms <= 0 or self.episodes < 1:
            raise ValueError("expected latency_ms > 0 and episodes >= 1.")


@dataclass(frozen=True, slots=True)
class Rate:
    """Some of a number of cases, as a share with its 95 % Wilson interval; no share where there are none."""

    count: int
    of: int
    share: float | None
    wilson_95: Interval


@dataclass(frozen=True, slots=True)
class Confusion:
    """Frames by what they show and what was said of them."""

    true_positive: int
    false_positive: int
    false_negative: int
    true_negative: int


@dataclass(frozen=True, slots=True)
class Figures:
    """What was measured on held-out episodes."""

    episodes: int
    frames: int
    confusion: Confusion
    precision: Rate  # of the frames called a success, those that are one
    recall: Rate  # of the frames of success, those that are called one
    false_positives: Rate  # of the frames without success, those that are called one
    found: Rate  # of the episodes with success, those in which it is seen at least once
    alarmed: Rate  # of the episodes without any success, those with a false one
    calibration_error: float
    latency_ms: float  # median of one answer, from camera images on
    latency_95_ms: float  # 95th percentile


@dataclass(frozen=True, slots=True)
class Mistake:
    """A frame that the classifier was wrong about, or came near to being."""

    episode: str
    step: int  # control period
    probability: float


@dataclass(frozen=True, slots=True)
class Card:
    """The figures, what they were measured against, and the frames to look at."""

    weights_sha256: str
    threshold: float
    criteria: Criteria
    figures: Figures
    reliability: tuple[Bin, ...]
    false_positives: tuple[Mistake, ...]  # the most convinced first
    near_positives: tuple[Mistake, ...]  # frames without success that were most nearly called one
    false_negatives: tuple[Mistake, ...]  # the most convinced first
    held_out: tuple[str, ...]  # names of the episodes
    provenance: Mapping[str, Any] = field(default_factory=dict)

    def failures(self) -> list[str]:
        """Return a sentence for each figure that misses its criterion."""
        c, f = self.criteria, self.figures
        found = [
            _too_low("precision", f.precision.share, c.precision, "nothing was called a success"),
            _too_low("recall", f.recall.share, c.recall, "no frame shows success"),
            _too_high("calibration error", f.calibration_error, c.calibration_error, ""),
            _too_high("latency", f.latency_ms, c.latency_ms, " ms"),
            _too_low("held-out episodes", f.episodes, c.episodes, ""),
        ]
        return [sentence for sentence in found if sentence]

    @property
    def passed(self) -> bool:
        """Whether the classifier may end episodes."""
        return not self.failures()


def _too_low(name: str, value: float | None, least: float, absent: str) -> str:
    if value is None:
        return f"{name} is unknown, {absent} (at least {least:g})"
    return f"{name} {value:.3g} (at least {least:g})" if value < least else ""


def _too_high(name: str, value: float, most: float, unit: str) -> str:
    return f"{name} {value:.3g}{unit} (at most {most:g}{unit})" if value > most else ""


def card_path(weights: Path) -> Path:
    """Return the card beside a weights file."""
    return weights.with_suffix(".card.json")


def card_facts(card: Card) -> dict[str, Any]:
    """Return a card as plain data, with its verdict in words."""
    verdict = {"passed": card.passed, "failures": card.failures()}
    return {"format": FORMAT, **verdict, **to_mapping(card)}


def save_card(path: Path, card: Card) -> None:
    """Write a card as JSON."""
    write_json(path, card_facts(card))


def load_card(path: Path) -> Card:
    """Return a card; its verdict is made from its figures, whatever the file says of it."""
    data = read_json(path, MADE_BY)
    made = data.pop("format", None)
    if made != FORMAT:
        raise ConfigError(f"{path}: is a card of version {made!r}, expected '{FORMAT}'; {MADE_BY} makes one.")
    data.pop("passed", None)
    data.pop("failures", None)
    return from_mapping(Card, data, str(path))


def reasons_against(card: Card | None, path: Path, weights_sha256: str, threshold: float) -> list[str]:
    """Return why the success of these weights at this threshold may not end episodes; empty if it may.

    `path` is where the card is, or should be.
    """
    if card is None:
        return [f"there is no report card ({path.name}); {MADE_BY} makes one"]
    if card.weights_sha256 != weights_sha256:
        return [f"{path.name} is about other weights; {MADE_BY} makes a card of these"]
    found = card.failures()
    if abs(card.threshold - threshold) > 1e-9:
        again = f"{MADE_BY} --threshold {threshold:g}"
        found.append(f"the card is about threshold {card.threshold:g}, not {threshold:g} ({again})")
    return found
