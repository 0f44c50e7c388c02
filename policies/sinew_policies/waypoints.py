"""An affordance's waypoints, moved along with the things that they were made for."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from sinew_core.types import Affordance, FloatArray

from sinew_policies.memory import ObjectView

BELONGS = 0.03  # m, horizontally: nearer waypoints belong to the object


@dataclass(frozen=True, slots=True)
class Anchors:
    """Where the grasped object and the target were when the affordance was made."""

    grasp: FloatArray | None  # (3,) m
    target: FloatArray | None  # (3,) m

    @classmethod
    def of(cls, affordance: Affordance, view: ObjectView) -> Anchors:
        """Return where both are now."""
        grasp, target = view.known(affordance.grasp), view.known(affordance.target)
        return cls(
            None if grasp is None else grasp.position.copy(),
            None if target is None else target.position.copy(),
        )

    def follow(self, affordance: Affordance, view: ObjectView) -> FloatArray:
        """Return the waypoints (k, 3), each moved sideways as far as what it belongs to has moved since."""
        now = Anchors.of(affordance, view)
        waypoints = affordance.waypoints.copy()
        for then, there in ((self.grasp, now.grasp), (self.target, now.target)):
            if then is None or there is None:
                continue
            near = np.linalg.norm(affordance.waypoints[:, :2] - then[:2], axis=1) < BELONGS
            waypoints[near, :2] += there[:2] - then[:2]
        return waypoints
