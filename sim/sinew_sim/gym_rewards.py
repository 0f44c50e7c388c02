"""Where the environment's reward comes from: bare success, or any reward model through its protocol."""

from __future__ import annotations

from dataclasses import replace
from typing import Protocol

from sinew_core.hardware import Hardware
from sinew_core.models import make_affordance, make_reward
from sinew_core.observations import ObservationBuffer
from sinew_core.runtime import guarded
from sinew_core.types import NANOSECONDS, JointState, Observation, Refusal, Task

from sinew_sim.gym_observations import Eye

AFFORDANCE = "rule_grounding"


class EnvReward(Protocol):
    """What a step pays."""

    def reset(self, task: Task, joints: JointState) -> None:
        """Begin an episode at these joints."""

    def value(self, joints: JointState, success: bool) -> float:
        """Return the reward of the control period that has just passed."""


class SparseSuccess:
    """1 on success, else 0."""

    def reset(self, task: Task, joints: JointState) -> None:
        """Nothing to remember."""

    def value(self, joints: JointState, success: bool) -> float:
        """Return 1 or 0."""
        return float(success)


class ModelReward:
    """A reward model, fed as it is on a robot: with frames, keypoints and the affordance, never the truth."""

    def __init__(self, name: str, hardware: Hardware, task: str, eye: Eye) -> None:
        self._model = make_reward(name, hardware, task)
        self._affordance = make_affordance(AFFORDANCE, hardware, task)
        self._eye = eye
        self._max_age = round(hardware.config.max_age * NANOSECONDS)
        self._buffer: ObservationBuffer

    def reset(self, task: Task, joints: JointState) -> None:
        """Begin an episode; models that reward change grade the first observation, too."""
        self._buffer = ObservationBuffer(task, self._max_age)
        self._model.reset(task)
        self.value(joints, success=False)

    def value(self, joints: JointState, success: bool) -> float:
        """Return the model's value for what the cameras see now."""
        observation = self._observe(joints)
        if observation.affordance is None:
            answer = self._affordance.propose(observation, observation.task.instruction)
            if not isinstance(answer, Refusal):
                self._buffer.affordance = answer
                observation = replace(observation, affordance=answer)
        return guarded(self._model, self._model.estimate, observation).value

    def _observe(self, joints: JointState) -> Observation:
        frames, percept = self._eye.look(joints)
        self._buffer.add_joints(joints)
        self._buffer.add_frames(frames)
        self._buffer.add_percept(percept)
        observation = self._buffer.build()
        assert observation is not None
        return observation
