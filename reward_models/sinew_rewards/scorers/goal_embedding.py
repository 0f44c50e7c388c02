"""How near a step is to the goal in an embedding, and what that pays."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

import numpy as np
from sinew_core.types import FloatArray

from sinew_rewards.learned.network import Ensemble, ensemble_of
from sinew_rewards.learned.scoring import Arrays, Score

Form = Literal["value", "difference"]


class GoalScorer:
    """Minus the distance to the goal (members, f), as a share of `far` (members,), or how much it fell.

    Without a network, features are the embedding. Progress is the rest of `far` that has been gone, 0 to 1;
    uncertainty is the spread over members. Term: distance, in units of the embedding, about a control period
    each where the way is as long as the demonstrations'.
    """

    def __init__(self, network: Ensemble | None, goal: FloatArray, far: FloatArray, form: Form) -> None:
        self._network, self._goal, self._far, self._form = network, goal, far, form
        self._before: float | None = None

    def reset(self) -> None:
        """Forget the step before."""
        self._before = None

    def score(self, features: FloatArray) -> Score:
        """Score a step; as a difference, the first one of an episode is worth nothing."""
        found = features[None] if self._network is None else self._network.of(features[None])[:, 0]
        distance = np.linalg.norm(found - self._goal, axis=1)
        left = distance / self._far
        here = -float(left.mean())
        before = here if self._before is None else self._before
        self._before = here
        return Score(
            here - before if self._form == "difference" else here,
            progress=float(np.clip(1.0 + here, 0.0, 1.0)),
            uncertainty=float(left.std()),
            terms={"distance": float(distance.mean())},
        )

    def settings(self) -> Mapping[str, Any]:
        """Return what is no array."""
        return {"form": self._form}

    def arrays(self) -> Arrays:
        """Return the goal, and the network where there is one."""
        own = {"goal": self._goal.copy(), "far": self._far.copy()}
        return own | (dict(self._network.arrays()) if self._network is not None else {})

    @classmethod
    def restore(cls, settings: Mapping[str, Any], arrays: Arrays) -> GoalScorer:
        """Return the scorer of these; ValueError for shapes that do not fit together."""
        rest = dict(arrays)
        goal, far = np.array(rest.pop("goal")), np.array(rest.pop("far"))
        network = ensemble_of(rest) if rest else None
        if goal.ndim != 2 or far.shape != goal.shape[:1] or not (far > 0).all():
            raise ValueError(f"a goal of {goal.shape} and ways of {far.shape} do not fit together")
        if network is not None and network.of(np.zeros((1, len(network.mean))))[:, 0].shape != goal.shape:
            raise ValueError(f"a goal of {goal.shape} is no embedding of the network's")
        form: Form = "difference" if settings["form"] == "difference" else "value"
        return cls(network, goal, far, form)
