"""A reward that is taken away as far as it may be owed to an artefact: nothing is gained by fooling it.

What is hidden, frozen or unlike anything known makes a reward look good without reason; each such score is
a plugin of its own in `artefacts`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from sinew_core.errors import InferenceError
from sinew_core.estimates import needs_frames
from sinew_core.hardware import Hardware
from sinew_core.plugins import build
from sinew_core.types import Observation, RewardEstimate, Task

from sinew_rewards.wrappers.artefacts.score import ArtefactScore
from sinew_rewards.wrappers.member import context_of, make_member, together


@dataclass(frozen=True, slots=True)
class Config:
    """Which reward, which artefacts, and what they take away.

    `withhold` moves the value towards `lowest` by the score, so that limits stay as they were; `subtract`
    takes weight * score away.
    """

    source: Mapping[str, Any]  # the plugin whose reward it is
    artefacts: Mapping[str, Mapping[str, Any]]  # ArtefactScore plugins by name; the highest score counts
    form: Literal["withhold", "subtract"] = "withhold"
    lowest: float = -1.0  # the value of what is surely an artefact, in the source's units
    weight: float = 1.0  # in the source's units
    distrust: float = 0.5  # score from which on success and progress count as unknown

    def __post_init__(self) -> None:
        """Check that there is an artefact, and the ranges."""
        bad = [name for name in self.artefacts if not name or "." in name]
        if bad or not self.artefacts:
            raise ValueError(f"artefacts: expected at least one, names without a dot, got {bad or 'none'}.")
        if self.weight < 0 or not 0.0 < self.distrust <= 1.0:
            raise ValueError(
                f"expected weight of at least 0 and 0 < distrust <= 1, got {self.weight} and {self.distrust}."
            )


class ArtefactPenalty:
    """Values as the form says; what was taken away counts as uncertainty.

    From the score `distrust` on, success and progress are unknown. An artefact that cannot be scored takes
    nothing away, and its possible effect counts as uncertainty. Terms: `taken`; `artefact.NAME` where it is
    known; `unscored`, how many are not; and the source's under `artefact_penalty.`.
    """

    def __init__(self, config: Config, hardware: Hardware, task: str | None = None) -> None:
        self._config = config
        name = "artefact_penalty"
        self._source = make_member(config.source, name, f"{name}: source", hardware, task)
        context = context_of(hardware, task)
        self._artefacts = {
            key: build(spec, ArtefactScore, f"{name}: artefacts.{key}", **context)
            for key, spec in config.artefacts.items()
        }
        self.needs_frames = needs_frames(self._source, *self._artefacts.values())

    def reset(self, task: Task) -> None:
        """Begin an episode of the reward and of every score."""
        self._source.reset(task)
        for artefact in self._artefacts.values():
            artefact.reset(task)

    def estimate(self, observation: Observation) -> RewardEstimate:
        """Return what is left of the reward."""
        said = self._source.estimate(observation)
        scores = self._scores(observation, said)
        known = {name: score for name, score in scores.items() if score is not None}
        unscored, highest = len(scores) - len(known), max(known.values(), default=0.0)
        value, trusted = float(said.value), highest < self._config.distrust
        taken = self._taken(value, highest)
        terms = {f"artefact.{name}": score for name, score in known.items()}
        terms |= {"taken": taken, "unscored": float(unscored), **self._source.terms(said)}
        return RewardEstimate(
            observation.stamp,
            value - taken,
            said.success if trusted else None,
            said.progress if trusted else None,
            together(
                said.uncertainty,
                taken if taken > 0 or not trusted else None,
                self._taken(value, 1.0) - taken if unscored else None,
            ),
            terms,
        )

    def _taken(self, value: float, score: float) -> float:
        c = self._config
        return c.weight * score if c.form == "subtract" else score * max(value - c.lowest, 0.0)

    def _scores(self, observation: Observation, said: RewardEstimate) -> dict[str, float | None]:
        found: dict[str, float | None] = {}
        for name, artefact in self._artefacts.items():
            score = artefact.score(observation, said)
            if score is not None and not 0.0 <= score <= 1.0:
                raise InferenceError(
                    f"artefact_penalty: {type(artefact).__name__} scored {score!r}, expected 0 to 1 or None."
                )
            found[name] = score
        return found
