"""Who takes part: which learner, looking at what, and what it has to reach."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from sinew_core.errors import ConfigError, did_you_mean
from sinew_core.plugins import build, plugin_spec
from sinew_rewards.learned.scoring import Learner

HOME = "sinew_rewards.learners"
Look = Literal["keypoints", "pictures"]
AT_LEAST, AT_MOST = "at least", "at most"


@dataclass(frozen=True, slots=True)
class Claim:
    """What a figure has to be, in the worse of the tasks."""

    figure: str
    limit: float
    side: str = AT_LEAST

    def holds(self, value: float | None) -> bool:
        """Tell whether a figure that was measured is good enough."""
        if value is None:
            return False
        return value >= self.limit if self.side == AT_LEAST else value <= self.limit


@dataclass(frozen=True, slots=True)
class Entrant:
    """A learner as it takes part."""

    spec: Mapping[str, Any]  # "plugin" and the fields of its Config
    look: Look = "keypoints"
    claims: tuple[Claim, ...] = ()

    def learner(self) -> Learner:
        """Build it; ConfigError for what does not fit."""
        return build(self.spec, Learner, f"learner {self.spec.get('plugin')}")


@dataclass(frozen=True, slots=True)
class _Known:
    """How a learner takes part that the bench knows."""

    keypoints: Mapping[str, Any] = field(default_factory=dict)
    pictures: Mapping[str, Any] | None = None  # None: it does not look at pictures
    claims: tuple[Claim, ...] = ()  # on keypoints


SHORT = {"cut": {"interval": 8}}  # the paper's 18 frames are most of a push that takes 45
ORDERS = Claim("rank_corr", 0.8)
KNOWN: Mapping[str, _Known] = {
    "perceptual_steps": _Known(pictures={}, claims=(ORDERS,)),
    "goal_embedding": _Known(pictures={"embedding": "given"}, claims=(ORDERS,)),
    "subgoals": _Known(SHORT, SHORT, (Claim("cut_error_frames", 10.0, AT_MOST),)),
    "adversarial_irl": _Known(claims=(Claim("pair_accuracy", 0.9),)),
    "maximum_entropy": _Known(claims=(Claim("pair_accuracy", 0.9),)),
}


def all_entrants() -> dict[str, Entrant]:
    """Return every way in which a known learner takes part, by name."""
    return {
        label(name, look): entrant(name, look)
        for look in ("keypoints", "pictures")
        for name, known in KNOWN.items()
        if look == "keypoints" or known.pictures is not None
    }


def label(name: str, look: Look) -> str:
    """Return the name of a learner that looks at something."""
    return name if look == "keypoints" else f"{name}:pictures"


def entrant(name: str, look: Look) -> Entrant:
    """Return a learner by its short name, `module:Class`, or a YAML file with its settings.

    ConfigError for an unknown one. What the bench knows of a learner holds for its short name alone.
    """
    spec = plugin_spec(name, HOME, "learner")
    known = KNOWN.get(name)
    if known is None:
        return Entrant(spec, look)
    if look == "keypoints":
        return Entrant({**spec, **known.keypoints}, look, known.claims)
    if known.pictures is None:
        seeing = [other for other, facts in KNOWN.items() if facts.pictures is not None]
        raise ConfigError(f"learner {name}: does not look at pictures here.{did_you_mean(name, seeing)}")
    return Entrant({**spec, **known.pictures}, look)
