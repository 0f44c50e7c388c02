"""The policy that a training leaves: an ordinary `policy:=` for the graph."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch
from sinew_core.hardware import Hardware
from sinew_core.homing import way_home
from sinew_core.types import ActionChunk, FloatArray, Observation, Task

from sinew_policies.learned.checkpoint import Acting, find_shipped, load_acting
from sinew_policies.learned.tip_actions import TipActions

PATIENCE = 1.0  # s without knowing where things are, after which the arm goes where it hides nothing


@dataclass(frozen=True, slots=True)
class Config:
    """Which file, and whether actions are the most likely ones or drawn."""

    weights: Path | None = None  # policy.safetensors, with its JSON beside it; None: the one shipped
    greedy: bool = True


class ActingPolicy:
    """Lets an agent act on observations: one decision, then its rows until they are used up.

    A decision lasts several control periods; asked within it, the policy answers with the rows that are
    left, the gripper's target brought up to date. Where it would have to decide without what its encoding
    wants, as the places of things that an affordance names, it holds; after a second it goes home, where
    the arm hides nothing, until it knows. Not thread-safe.
    """

    def __init__(self, acting: Acting, hardware: Hardware, *, greedy: bool) -> None:
        self._agent = acting.agent
        self._encoding = acting.encoding
        self.needs_frames = acting.encoding.needs_frames
        self._actions = TipActions(acting.actions, hardware)
        self._robot, self._dt, self._greedy = hardware.robot, hardware.config.control_period, greedy
        self._sent: FloatArray | None = None  # (n,) the last row handed out
        self._rows: FloatArray = np.zeros((0, 0))  # (k, n) those of this decision that are left
        self._plan: FloatArray = np.zeros((0, 0))  # (k, a) the agent's further actions
        self._gripper = 1.0
        self._blind = 0  # control periods in a row without what a decision wants
        self._home: FloatArray = np.zeros((0, 0))  # (k, n) what is left of the way there

    def reset(self, task: Task) -> None:
        """Forget what was decided; the next decision starts from where the arm is."""
        self._sent = None
        self._rows, self._plan = np.zeros((0, 0)), np.zeros((0, 0))
        self._blind, self._home = 0, np.zeros((0, 0))

    def infer(self, observation: Observation) -> ActionChunk:
        """Return the rows (k, n) of the present decision that are left."""
        measured = observation.joints.position
        if self._sent is None:
            self._sent = measured.copy()
        if len(self._rows) == 0 and not self._encoding.complete(observation):
            return self._search(observation, self._sent)
        if len(self._rows) == 0:
            self._blind, self._home = 0, np.zeros((0, 0))
            action = self._decide(observation)
            self._rows = self._actions.rows(action, self._sent, measured)
            self._gripper = float(action[-1])
        rows = self._rows.copy()
        rows[:, self._robot.gripper_index] = self._actions.gripper(self._gripper, measured)
        self._sent, self._rows = rows[0].copy(), self._rows[1:]
        return ActionChunk(observation.stamp, self._dt, rows)

    def _search(self, observation: Observation, sent: FloatArray) -> ActionChunk:
        """Return the row of holding, or of going home once this has lasted too long."""
        self._plan = np.zeros((0, 0))
        self._blind += 1
        if self._blind == round(PATIENCE / self._dt) and observation.affordance is not None:
            self._home = way_home(self._robot, replace(observation.joints, position=sent), self._dt).position
        if len(self._home):
            sent, self._home = self._home[0].copy(), self._home[1:]
        self._sent = sent
        return ActionChunk(observation.stamp, self._dt, sent[None].copy())

    def _decide(self, observation: Observation) -> FloatArray:
        if len(self._plan) == 0:
            columns = self._encoding.encode(observation)
            seen = {name: torch.from_numpy(column)[None] for name, column in columns.items()}
            self._plan = self._agent.act(seen, greedy=self._greedy)[0].double().numpy()
        action: FloatArray = self._plan[0]
        self._plan = self._plan[1:]
        return action


class Learned(ActingPolicy):
    """A trained policy from its file; without one, the policy shipped for the task and the robot.

    Raises ConfigError for a file of another robot, format or shape, and where nothing is shipped.
    """

    def __init__(self, config: Config, hardware: Hardware, task: str) -> None:
        path = config.weights if config.weights is not None else find_shipped(task, hardware.robot)
        super().__init__(load_acting(path, hardware), hardware, greedy=config.greedy)
