"""Follows the graph for whoever drives: who owns the arm, the episode, the last command, the recorder."""

from __future__ import annotations

import time
from dataclasses import replace

import numpy as np
from diagnostic_msgs.msg import DiagnosticArray, DiagnosticStatus
from sensor_msgs.msg import JointState as JointStateMsg
from sinew_core.hardware import Hardware
from sinew_core.observations import ObservationBuffer
from sinew_core.types import NANOSECONDS, Affordance, FloatArray, JointState, Observation, Task
from sinew_msgs.msg import Affordance as AffordanceMsg
from sinew_msgs.msg import Authority, EpisodeEvent, ExecutedCommand, Keypoints
from sinew_teleop.source import TARGET

from sinew_nodes import convert
from sinew_nodes.teleop_situation import Situation

RECORDER = "recorder_node"
SMALL_STEP = 1e-3  # s, over which the tip's speed is taken


class TeleopView:
    """The newest of everything but images; fed by the executor's thread, looked at from any."""

    def __init__(self, hardware: Hardware, task: str) -> None:
        self._hardware, self._robot = hardware, hardware.robot
        self._max_age = round(hardware.config.max_age * NANOSECONDS)
        self.task = Task(task, "")
        self._buffer = ObservationBuffer(self.task, self._max_age)
        self._answer: AffordanceMsg | None = None
        self._target: FloatArray | None = None
        self._target_from = 0  # ns; what was sent before counts no more
        self._joints: JointState | None = None
        self._arrived = time.monotonic()
        self._situation = Situation()

    @property
    def stamp(self) -> int:
        """The stamp of the newest joints, 0 before any."""
        return 0 if self._joints is None else self._joints.stamp

    def observe(self, message: JointStateMsg) -> Observation | None:
        """Take joints and return what is known at them; None where their stamp goes backwards."""
        joints = convert.joints_from_msg(message, self._robot.joint_names)
        if self._joints is None and self._belongs_before(joints.stamp):
            return None
        if self._joints is not None and joints.stamp < self._joints.stamp:
            if self._joints.stamp - joints.stamp < self._max_age:
                return None
            self._begin(self.task, joints.stamp)  # another station, on a clock of its own
        self._joints, self._arrived = joints, time.monotonic()
        self._buffer.add_joints(joints)
        observation = self._buffer.build()
        assert observation is not None
        if self._target is None:
            return observation
        return replace(observation, features={**observation.features, TARGET: self._target.copy()})

    def _belongs_before(self, stamp: int) -> bool:
        """Whether joints are of before the last beginning, which they have let themselves be overtaken by."""
        return 0 < self._target_from - stamp < self._max_age

    def on_executed(self, message: ExecutedCommand) -> None:
        """Take the command that was really sent."""
        executed = convert.executed_from_msg(message)
        if executed.stamp >= self._target_from and executed.position.shape == self._robot.home.shape:
            self._target = executed.position
        self._situation = replace(self._situation, limits=executed.reasons)

    def on_keypoints(self, message: Keypoints) -> None:
        """Take what perception saw."""
        percept = convert.percept_from_msg(message)
        if percept.stamp >= self._buffer.percept_stamp:
            self._buffer.add_percept(percept)

    def on_affordance(self, message: AffordanceMsg) -> None:
        """Take the answer of the affordance model."""
        self._answer = message
        self._adopt_answer()

    def on_episode(self, event: EpisodeEvent) -> None:
        """Take the beginning or the end of an episode: at both the station begins from where the arm is."""
        started = event.kind == EpisodeEvent.STARTED
        if started:
            task = Task(event.task, event.instruction, int(event.max_steps))
            self._situation = replace(
                self._situation, episode=int(event.episode), instruction=event.instruction
            )
        else:
            task = self.task
            said = f": {event.message}" if event.message else ""
            self._situation = replace(self._situation, episode=0, last=f"{event.outcome}{said}")
        self._begin(task, convert.header_stamp(event))
        self._adopt_answer()

    def on_authority(self, message: Authority) -> None:
        """Take who owns the arm."""
        self._situation = replace(
            self._situation,
            owner=message.owner,
            previous=message.previous,
            reason=message.reason,
            took=float(message.took),
            causes=tuple(message.causes),
            holds=tuple(message.holds),
        )

    def on_diagnostics(self, message: DiagnosticArray) -> None:
        """Take what the recorder tells of itself."""
        for status in message.status:
            if status.name == RECORDER:
                values = {entry.key: entry.value for entry in status.values}
                well = status.level == DiagnosticStatus.OK
                said = f"{values.get('episodes', '0')} episodes written" if well else status.message
                self._situation = replace(self._situation, recorder=said, recorder_well=well)

    def situation(self) -> Situation:
        """Return what there is to see now."""
        joints = self._joints
        if joints is None:
            return replace(self._situation, silence=time.monotonic() - self._arrived)
        chain, link = self._robot.chain, self._robot.tip_link
        tip = np.array(chain.point(link, joints.position))
        soon = np.array(chain.point(link, joints.position + SMALL_STEP * joints.velocity))
        return replace(
            self._situation,
            tip=tip,
            tip_speed=float(np.linalg.norm(soon - tip)) / SMALL_STEP,
            aperture=self._robot.aperture(joints.position),
            silence=time.monotonic() - self._arrived,
        )

    def _begin(self, task: Task, stamp: int) -> None:
        self.task = task
        self._buffer = ObservationBuffer(task, self._max_age)
        self._target, self._target_from = None, stamp
        self._joints = None

    def _adopt_answer(self) -> None:
        answer = self._answer
        if answer is not None and answer.episode == self._situation.episode:
            affordance = convert.affordance_from_msg(answer)
            self._buffer.affordance = affordance if isinstance(affordance, Affordance) else None
