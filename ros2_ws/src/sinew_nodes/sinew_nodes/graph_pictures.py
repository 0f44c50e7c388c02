"""A run's video frames through the ROS graph, with what its topics tell of their time drawn on them."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from dataclasses import replace
from typing import TypeVar

import numpy as np
from sensor_msgs.msg import Image
from sensor_msgs.msg import JointState as JointStateMsg
from sinew_core.hardware import Hardware, Pace
from sinew_core.types import Affordance, ImageArray, JointState, Keypoint, Refusal, RewardEstimate
from sinew_eval.overlay import Overlay
from sinew_eval.records import RunConfig, StepRecord
from sinew_msgs.msg import Affordance as AffordanceMsg
from sinew_msgs.msg import Keypoints
from sinew_perception.drawing.view import View

from sinew_nodes import convert, qos
from sinew_nodes.affordance_node import PICTURE
from sinew_nodes.graph_process import GraphProcess

T = TypeVar("T")
KEPT = 64  # stamps of joints and of keypoints


class GraphPictures:
    """Remembers what is needed to draw; fed by the executor's thread, asked by the run's."""

    def __init__(self, config: RunConfig, hardware: Hardware) -> None:
        self._overlay = Overlay(config, hardware)
        self._names = hardware.robot.joint_names
        self._lock = threading.Lock()
        self._joints: dict[int, JointState] = {}  # by stamp
        self._keypoints: dict[int, dict[str, Keypoint]] = {}
        self._answer: Affordance | Refusal | None = None
        self._picture: ImageArray | None = None  # the affordance model's own

    def listen(self, graph: GraphProcess, pace: Pace) -> None:
        """Subscribe to what is drawn."""
        profile = qos.sensor(pace)
        graph.listen(JointStateMsg, "joint_states", self._on_joints, profile)
        graph.listen(Keypoints, "keypoints", self._on_keypoints, profile)
        graph.listen(AffordanceMsg, "affordance", self._on_affordance, qos.latched())

    def listen_to_answers(self, graph: GraphProcess) -> None:
        """Subscribe to the affordance model's own picture."""
        graph.listen(Image, PICTURE, self._on_picture, qos.latched())

    def forget(self) -> None:
        """Begin an episode: the last one's answer is not its own."""
        with self._lock:
            self._answer = self._picture = None

    def answer(self) -> ImageArray | None:
        """Return the affordance model's picture of this episode, if one has come."""
        with self._lock:
            return self._picture

    def draw(self, record: StepRecord, reward: RewardEstimate | None) -> StepRecord:
        """Return a step with its frame, if it has one, drawn on."""
        if record.frame is None:
            return record
        with self._lock:
            joints = self._joints.get(record.stamp)
            keypoints = _latest(self._keypoints, record.stamp) or {}
            answer = self._answer
        view = View(
            joints=joints or JointState(record.stamp, record.position, np.zeros_like(record.position)),
            instruction="" if answer is None else answer.instruction,
            keypoints=keypoints,
            answer=answer,
            reward=reward,
            owner=record.source,
        )
        return replace(record, frame=self._overlay.draw(record.frame, view))

    def _on_joints(self, message: JointStateMsg) -> None:
        joints = convert.joints_from_msg(message, self._names)
        with self._lock:
            _keep(self._joints, joints.stamp, joints)

    def _on_keypoints(self, message: Keypoints) -> None:
        percept = convert.percept_from_msg(message)
        with self._lock:
            _keep(self._keypoints, percept.stamp, dict(percept.keypoints))

    def _on_picture(self, message: Image) -> None:
        with self._lock:
            self._picture = convert.rgb_from_msg(message)

    def _on_affordance(self, message: AffordanceMsg) -> None:
        with self._lock:
            self._answer = convert.affordance_from_msg(message)


def _latest(store: Mapping[int, T], stamp: int) -> T | None:
    """Return the newest value up to a stamp: what devices see has stamps of its own."""
    past = [known for known in store if known <= stamp]
    return store[max(past)] if past else None


def _keep(store: dict[int, T], stamp: int, value: T) -> None:
    store[stamp] = value
    while len(store) > KEPT:
        del store[min(store)]
