"""Success as a trained classifier sees it in camera images."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from pathlib import Path

from sinew_core.errors import ConfigError, did_you_mean
from sinew_core.hardware import Hardware
from sinew_core.types import Observation, RewardEstimate, Task

from sinew_rewards.classifier.card import Card, card_path, load_card, reasons_against
from sinew_rewards.classifier.pictures import CameraView, missing_cameras
from sinew_rewards.classifier.scorer import ClassifierFacts, Scorer, load_scorer

log = logging.getLogger(__name__)
BELOW_HALF = 0.499  # still below one half as a float32
UNKNOWN = 0.5  # standard deviation of a value that is 0 or 1, and nobody knows which


@dataclass(frozen=True, slots=True)
class Config:
    """Which weights, and what their success may do."""

    weights: Path
    threshold: float | None = None  # of the probability; None: the one that its report card is about
    ends_episode: bool = True  # False: `success` stays unsaid, and the value alone is given
    force: bool = False  # use it even where its report card fails

    def __post_init__(self) -> None:
        """Check the range."""
        if self.threshold is not None and not 0.0 < self.threshold <= 1.0:
            raise ValueError(f"threshold: expected 0 < threshold <= 1, got {self.threshold}.")


class SuccessClassifier:
    """Values: 1 where the probability reaches the threshold, else 0.

    `success` is the probability, kept on the verdict's side of one half: whoever takes one half for a success
    then takes what the report card speaks of.

    Where a camera's frame is missing, or its light is unlike any that training knew (a lens cap, a lamp
    that failed), success is not said: the value is 0 with `uncertainty` 0.5.

    Whoever ends episodes, ends them by `success`. So that a poor classifier cannot, one whose report card
    fails is refused, unless `ends_episode` is false or it is forced.
    """

    needs_frames = True

    def __init__(self, config: Config, hardware: Hardware) -> None:
        self._config = config
        self._scorer: Scorer = load_scorer(config.weights)
        facts = self._scorer.facts
        _check_fit(config.weights, facts, hardware)
        path = card_path(config.weights)
        card = load_card(path) if path.is_file() else None
        carded = facts.threshold if card is None else card.threshold
        self._threshold = carded if config.threshold is None else config.threshold
        _check_card(config, facts, card, self._threshold)
        self._verdict, self._flips = False, 0

    def reset(self, task: Task) -> None:
        """Begin an episode."""
        self._verdict, self._flips = False, 0
        trained = self._scorer.facts.task
        if trained and task.name != trained:
            log.warning("%s was trained for '%s', not '%s'", self._config.weights, trained, task.name)

    def estimate(self, observation: Observation) -> RewardEstimate:
        """Return the verdict; terms: probability, seen, and flips, how often it has changed its mind.

        Raises ValueError for a frame that is not of its camera's size.
        """
        if missing_cameras(observation.frames, self._scorer.facts.spec):
            return self._unknown(observation)
        pictures = self._scorer.see(observation.frames)
        if self._scorer.unlike(pictures):
            return self._unknown(observation)
        probability = float(self._scorer.probabilities(pictures[None])[0])
        verdict = probability >= self._threshold
        self._flips += verdict != self._verdict
        self._verdict = verdict
        return RewardEstimate(
            stamp=observation.stamp,
            value=float(verdict),
            success=_reported(probability, verdict) if self._config.ends_episode else None,
            terms={"probability": probability, "seen": 1.0, "flips": float(self._flips)},
        )

    def _unknown(self, observation: Observation) -> RewardEstimate:
        terms = {"probability": 0.0, "seen": 0.0, "flips": float(self._flips)}
        return RewardEstimate(observation.stamp, 0.0, uncertainty=UNKNOWN, terms=terms)


def _reported(probability: float, verdict: bool) -> float:
    """Return the probability, on the verdict's side of one half: a judge that takes that takes the card's."""
    return max(probability, 0.5) if verdict else min(probability, BELOW_HALF)


def _check_card(config: Config, facts: ClassifierFacts, card: Card | None, threshold: float) -> None:
    """Raise ConfigError if it may end episodes and should not."""
    if not config.ends_episode:
        return
    reasons = reasons_against(card, card_path(config.weights), facts.weights_sha256, threshold)
    if reasons and not config.force:
        raise ConfigError(
            f"{config.weights}: this classifier may not end episodes: {'; '.join(reasons)}. Give it more "
            "episodes, use `ends_episode: false` for its value alone, or `force: true` at your own risk."
        )
    if reasons:
        log.warning("%s is forced to end episodes although: %s", config.weights, "; ".join(reasons))


def _check_fit(weights: Path, facts: ClassifierFacts, hardware: Hardware) -> None:
    """Raise ConfigError unless the robot and the cameras are those that the classifier was trained on."""
    if facts.robot != hardware.robot.name:
        raise ConfigError(
            f"{weights}: was trained on pictures of the robot '{facts.robot}', and {hardware.path} has "
            f"'{hardware.robot.name}'."
        )
    for view in facts.spec.views:
        _check_camera(weights, view, hardware)


def _check_camera(weights: Path, view: CameraView, hardware: Hardware) -> None:
    if view.name not in hardware.cameras:
        raise ConfigError(
            f"{weights}: looks at camera '{view.name}', which {hardware.path} does not have."
            f"{did_you_mean(view.name, hardware.cameras)}"
        )
    model = hardware.cameras[view.name]
    if (model.width, model.height) != (view.width, view.height):
        raise ConfigError(
            f"{weights}: was trained on images of camera '{view.name}' at {view.width}x{view.height}, and "
            f"{hardware.path} has it at {model.width}x{model.height}."
        )
    if not hardware.config.cameras[view.name].every:
        raise ConfigError(
            f"{weights}: looks at camera '{view.name}', which delivers no frames by itself in "
            f"{hardware.path} (every: 0); set `every` there."
        )
