"""What affordance, reward and policy nodes share: they build observations, as the in-process loop does."""

from __future__ import annotations

from typing import Generic, TypeVar

from sensor_msgs.msg import JointState as JointStateMsg
from sinew_core.estimates import needs_frames
from sinew_core.hardware import due_cameras
from sinew_core.observations import ObservationBuffer
from sinew_core.types import Affordance, CameraFrame, Observation, Task
from sinew_msgs.msg import Affordance as AffordanceMsg
from sinew_msgs.msg import Keypoints

from sinew_nodes import convert, qos
from sinew_nodes.assembly import JOINTS, LockstepAssembler, Parts, RealtimeAssembler
from sinew_nodes.episode_node import EpisodeNode
from sinew_nodes.frames import FrameInbox
from sinew_nodes.parameters import GraphParameters

P = TypeVar("P", bound=GraphParameters)
KEYPOINTS = "keypoints"


class ObserverNode(EpisodeNode[P], Generic[P]):
    """Calls `observe` with each observation of an episode, once its affordance is known.

    A model that declares `needs_frames = True` gets camera frames in its observations; the others do
    not pay for them.
    """

    def open_observations(self, model: object, *, affordance: bool) -> None:
        """Subscribe to what observations are made of; with `affordance`, wait for it first."""
        self._model_name = type(model).__name__
        self._waits = affordance
        self._buffer: ObservationBuffer | None = None
        self._answer: AffordanceMsg | None = None
        cameras = {name: camera for name, camera in self.hardware.config.cameras.items() if camera.every}
        with_frames = needs_frames(model)

        def wanted(index: int) -> list[str]:
            due = due_cameras(cameras, index)
            return [KEYPOINTS, *(due if with_frames else [])] if due else []

        period = self.hardware.period
        self.assembler = (
            LockstepAssembler(wanted, period)
            if self.pace == "lockstep"
            else RealtimeAssembler(wanted, period, self.max_age)
        )
        profile = qos.sensor(self.pace)
        self.listen(JointStateMsg, "joint_states", self._on_joints, profile)
        self.listen(Keypoints, "keypoints", self._on_keypoints, profile)
        if with_frames:
            self._inbox = FrameInbox(self, cameras.items(), profile, self._on_frame)
        if affordance:
            self.listen(AffordanceMsg, "affordance", self._on_affordance, qos.latched())
        self.follow_episodes()

    @property
    def percept_stamp(self) -> int:
        """The capture stamp of the keypoints in the last observation, 0 for none."""
        return 0 if self._buffer is None else self._buffer.percept_stamp

    def observe(self, observation: Observation) -> None:
        """Take the observation of one control period."""
        raise NotImplementedError

    def begin(self, task: Task) -> None:
        """Forget the last episode; a subclass resets its model, too."""
        self._buffer = ObservationBuffer(task, self.max_age)
        self._adopt_affordance()

    def work(self) -> None:
        """Observe every complete control period, unless the affordance is still to come."""
        buffer = self._buffer
        if buffer is None or (self._waits and buffer.affordance is None):
            return
        while (parts := self.assembler.take()) is not None:
            self._observe(buffer, parts)

    def _observe(self, buffer: ObservationBuffer, parts: Parts) -> None:
        values = dict(parts.values)
        percept = values.pop(KEYPOINTS, None)
        buffer.add_joints(parts.joints)
        buffer.add_frames(values)
        if percept is not None:
            buffer.add_percept(percept)
        observation = buffer.build()
        assert observation is not None
        self.observe(observation)

    def _on_joints(self, message: JointStateMsg) -> None:
        joints = convert.joints_from_msg(message, self.joint_names)
        self.take_part(JOINTS, joints.stamp, joints)

    def _on_keypoints(self, message: Keypoints) -> None:
        percept = convert.percept_from_msg(message)
        self.take_part(KEYPOINTS, percept.stamp, percept)

    def _on_frame(self, name: str, frame: CameraFrame) -> None:
        self.take_part(name, frame.stamp, frame)

    def _on_affordance(self, message: AffordanceMsg) -> None:
        self._answer = message
        self._adopt_affordance()
        if self.active and self.episode is not None:
            self.work()

    def _adopt_affordance(self) -> None:
        """Take the answer over if it belongs to this episode; it may come before the episode's start."""
        answer = self._answer
        if answer is None or self._buffer is None or self.episode is None:
            return
        if answer.episode == self.episode.number:
            affordance = convert.affordance_from_msg(answer)
            self._buffer.affordance = affordance if isinstance(affordance, Affordance) else None
