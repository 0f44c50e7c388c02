"""Camera frames in, keypoints out."""

from __future__ import annotations

import sys
import time
from collections import deque

from sensor_msgs.msg import JointState as JointStateMsg
from sinew_core.hardware import due_cameras
from sinew_core.models import make_perception
from sinew_core.protocols import PerceptionModel
from sinew_core.runtime import guarded
from sinew_core.types import CameraFrame, Task
from sinew_msgs.msg import Keypoints

from sinew_nodes import convert, qos
from sinew_nodes.assembly import JOINTS, LockstepAssembler, Parts, RealtimeAssembler
from sinew_nodes.component_node import run_node
from sinew_nodes.episode_node import EpisodeNode
from sinew_nodes.frames import FrameInbox
from sinew_nodes.parameters import GraphParameters


class PerceptionNode(EpisodeNode[GraphParameters]):
    """Runs the perception model on each complete set of frames."""

    Parameters = GraphParameters

    def __init__(self) -> None:
        super().__init__("perception_node")
        self._recent: deque[int] = deque(maxlen=16)  # ns, stamps of frames

    def setup(self) -> None:
        """Load the model and subscribe."""
        self.open_episodes()
        self._model: PerceptionModel = make_perception(self.hardware, self.parameters.task)
        cameras = {name: camera for name, camera in self.hardware.config.cameras.items() if camera.every}
        fastest = min((camera.every for camera in cameras.values()), default=0)
        always = [name for name, camera in cameras.items() if camera.every == fastest]
        period = self.hardware.period
        self.assembler = (
            LockstepAssembler(lambda index: due_cameras(cameras, index), period)
            if self.pace == "lockstep"
            else RealtimeAssembler(lambda _: always, period, self.max_age)
        )
        profile = qos.sensor(self.pace)
        self._publisher = self.create_publisher(Keypoints, "keypoints", profile)
        self.listen(JointStateMsg, "joint_states", self._on_joints, profile)
        self._inbox = FrameInbox(self, cameras.items(), profile, self._on_frame)
        self.follow_episodes()

    def begin(self, task: Task) -> None:
        """Reset the model."""
        guarded(self._model, self._model.reset, task)
        assert self.episode is not None
        early = sum(stamp >= self.episode.start for stamp in self._recent)
        self.meter.counts["frames"] = early  # frames may overtake the episode's start

    def work(self) -> None:
        """Look at every complete set."""
        while (parts := self.assembler.take()) is not None:
            if parts.values:
                self._look(parts)

    def _look(self, parts: Parts) -> None:
        started = time.perf_counter()
        percept = guarded(self._model, self._model.process, parts.values, parts.joints)
        self._publisher.publish(convert.percept_to_msg(percept, self.base))
        self.meter.done(time.perf_counter() - started, parts.joints.stamp)

    def _on_joints(self, message: JointStateMsg) -> None:
        joints = convert.joints_from_msg(message, self.joint_names)
        self.take_part(JOINTS, joints.stamp, joints)

    def _on_frame(self, name: str, frame: CameraFrame) -> None:
        self._recent.append(frame.stamp)
        self.meter.counts["frames"] += 1
        self.take_part(name, frame.stamp, frame)


def main() -> int:
    """Run the node."""
    return run_node(PerceptionNode)


if __name__ == "__main__":
    sys.exit(main())
