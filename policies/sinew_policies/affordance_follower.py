"""Carries out an affordance: pick and place, push or reach, with a look afterwards and another try."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from sinew_core.hardware import Hardware
from sinew_core.types import ActionChunk, Affordance, Observation, Task

from sinew_policies.pick_and_place import PlaceConfig, at_target, pick_and_place
from sinew_policies.pushing import PushConfig, push
from sinew_policies.skills import Script, SkillConfig, TipSkills
from sinew_policies.straight_lines import TipGoal
from sinew_policies.waypoints import Anchors

UNDONE_LOOKS = 10  # control periods of seeing the object away from the target until it counts


@dataclass(frozen=True, slots=True)
class Config:
    """The settings of every skill, and how often to try; the defaults serve every robot."""

    skills: SkillConfig = field(default_factory=SkillConfig)
    place: PlaceConfig = field(default_factory=PlaceConfig)
    push: PushConfig = field(default_factory=PushConfig)
    max_attempts: int = 6

    def __post_init__(self) -> None:
        """Check that there is a first attempt."""
        if self.max_attempts < 1:
            raise ValueError(f"max_attempts: expected at least 1, got {self.max_attempts}.")


class AffordanceFollower:
    """Follows the newest affordance; without one it holds. Deterministic; chunks of one row.

    The objects' places are those of the keypoints at the time, and a hidden one is where it was last
    seen. Nothing of a robot enters but its URDF and YAML.
    """

    def __init__(self, config: Config, hardware: Hardware) -> None:
        self._config, self._dt = config, hardware.config.control_period
        self._skills = TipSkills(config.skills, hardware)
        self._script: Script[None] | None = None
        self._following: tuple[int, str] | None = None
        self._began = False

    def reset(self, task: Task) -> None:
        """Forget the affordance and every object."""
        self._script, self._following, self._began = None, None, False

    def infer(self, observation: Observation) -> ActionChunk:
        """Return the joint targets of the next control period, (1, n)."""
        skills = self._skills
        if not self._began:
            skills.begin(observation)
            self._began = True
        skills.see(observation)
        if observation.affordance is None:
            joints = skills.motion.joints
        else:
            joints = skills.motion.advance(self._next_goal(observation.affordance))
        return ActionChunk(observation.stamp, self._dt, joints[None].copy())

    def _next_goal(self, affordance: Affordance) -> TipGoal:
        key = (affordance.stamp, affordance.instruction)
        if self._script is None or key != self._following:
            self._following, self._script = key, self._carry_out(affordance)
        return next(self._script)

    def _carry_out(self, affordance: Affordance) -> Script[None]:
        """Try until it is done, stay, and try again should it be undone; never ends."""
        anchors = Anchors.of(affordance, self._skills.view)
        for _ in range(self._config.max_attempts):
            if (yield from self._attempt(affordance, anchors)):
                yield from self._stay_while_done(affordance)
        goal = self._skills.stay()
        while True:
            yield goal

    def _stay_while_done(self, affordance: Affordance) -> Script[None]:
        """Stay for as long as the object is not plainly seen elsewhere than at the target."""
        goal, tolerance, undone = self._skills.stay(), self._config.place.tolerance, 0
        while undone < UNDONE_LOOKS:
            yield goal
            undone = 0 if at_target(self._skills.view, affordance, tolerance) else undone + 1

    def _attempt(self, affordance: Affordance, anchors: Anchors) -> Script[bool]:
        if affordance.grasp is not None:
            return (yield from pick_and_place(self._skills, self._config.place, affordance, anchors))
        if affordance.moves is not None:
            return (yield from push(self._skills, self._config.push, affordance))
        return (yield from self._reach(affordance, anchors))

    def _reach(self, affordance: Affordance, anchors: Anchors) -> Script[bool]:
        """Bring the tip along the waypoints; there is nothing to look for afterwards."""
        waypoints = anchors.follow(affordance, self._skills.view)
        for point, closed in zip(waypoints, affordance.closed, strict=True):
            passing = 0.0 if np.array_equal(point, waypoints[-1]) else 0.015
            goal = TipGoal(point, self._skills.motion.yaw, 0.0 if closed else 1.0, passing=passing)
            yield from self._skills.go(goal)
        return True
