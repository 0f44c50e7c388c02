"""Camera images in, the same images out with what the robot makes of them drawn on."""

from __future__ import annotations

import contextlib
import sys
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import rclpy
from rclpy.executors import ExternalShutdownException
from rclpy.node import Node
from sensor_msgs.msg import Image
from sensor_msgs.msg import JointState as JointStateMsg
from sinew_core.errors import ConfigError
from sinew_core.types import NANOSECONDS, JointState
from sinew_msgs.msg import Affordance, Authority, EpisodeEvent, Keypoints, RewardEstimate
from sinew_perception.drawing.annotate import Annotator
from sinew_perception.drawing.view import View

from sinew_nodes import convert, qos
from sinew_nodes.episode_node import hardware_for
from sinew_nodes.frames import color_topic
from sinew_nodes.image_wire import ImageView, image_from_wire
from sinew_nodes.parameters import GraphParameters, read_parameters
from sinew_nodes.transport import set_up_transport

KEPT = 32  # joint states, to find those of an image
LOOK = 0.5  # s between looks at whether somebody watches


@dataclass(frozen=True, slots=True)
class ViewParameters(GraphParameters):
    """Of view_node."""

    task: str = ""


class ViewNode(Node):
    """Publishes `camera/<name>/annotated/image_raw` (rgb8) for each camera, while somebody listens to it.

    It belongs to no graph's life: it may come, go and fail as it likes, and an arm moves on. An image is
    drawn once the keypoints seen in it are there; where nothing perceives, at once.
    """

    def __init__(self) -> None:
        super().__init__("view_node", automatically_declare_parameters_from_overrides=True)
        hardware = hardware_for(read_parameters(self, ViewParameters))
        self._names = hardware.robot.joint_names
        self._max_age = round(hardware.config.max_age * NANOSECONDS)
        self._profile = qos.sensor(hardware.config.pace)
        self._joints: deque[JointState] = deque(maxlen=KEPT)
        self._view = View(JointState(0, hardware.robot.home, 0 * hardware.robot.home))
        self._episode = 0
        self._perceived = 0  # ns, stamp of the newest keypoints
        self._images: dict[str, ImageView] = {}  # by camera, those not drawn yet
        self._watched: dict[str, Any] = {}  # subscriptions by camera
        self._outlets = {
            name: (Annotator(hardware, name), self.create_publisher(Image, annotated_topic(name), 2))
            for name in hardware.cameras
        }
        self._listen(JointStateMsg, "joint_states", self._on_joints, self._profile)
        self._listen(Keypoints, "keypoints", self._on_keypoints, self._profile)
        self._listen(Affordance, "affordance", self._on_affordance, qos.latched())
        self._listen(RewardEstimate, "reward", self._on_reward, qos.event())
        self._listen(Authority, "authority", self._on_authority, qos.latched())
        self._listen(EpisodeEvent, "episode", self._on_episode, qos.latched())
        self.create_timer(LOOK, self._look_who_watches)

    def _listen(self, kind: type[Any], topic: str, callback: Callable[..., None], profile: Any) -> None:
        self.create_subscription(kind, topic, callback, profile)

    def _look_who_watches(self) -> None:
        """Take a camera's images exactly while its pictures have somebody to look at them."""
        for name, (_, outlet) in self._outlets.items():
            wanted = outlet.get_subscription_count() > 0
            if wanted and name not in self._watched:
                self._watched[name] = self.create_subscription(
                    Image, color_topic(name), partial(self._on_image, name), self._profile, raw=True
                )
            elif not wanted and name in self._watched:
                self.destroy_subscription(self._watched.pop(name))
                self._images.pop(name, None)

    def _on_image(self, name: str, wire: bytes) -> None:
        if name in self._images:  # its keypoints have not come
            self._draw(name)
        self._images[name] = image_from_wire(wire)
        if self._images[name].stamp - self._perceived > self._max_age:
            self._draw(name)

    def _on_keypoints(self, message: Keypoints) -> None:
        percept = convert.percept_from_msg(message)
        self._perceived = percept.stamp
        self._view = replace(self._view, keypoints=percept.keypoints)
        for name in [name for name, image in self._images.items() if image.stamp <= percept.stamp]:
            self._draw(name)

    def _draw(self, name: str) -> None:
        image = self._images.pop(name)
        annotator, outlet = self._outlets[name]
        joints = min(self._joints, key=lambda j: abs(j.stamp - image.stamp), default=self._view.joints)
        view = replace(self._view, joints=joints)
        if image.stamp - self._perceived > self._max_age:
            view = replace(view, keypoints={})
        drawn = annotator.draw(convert.rgb_from_msg(image), view)
        outlet.publish(convert.rgb_to_wire(image.stamp, drawn, f"{name}_optical_frame"))

    def _on_joints(self, message: JointStateMsg) -> None:
        self._joints.append(convert.joints_from_msg(message, self._names))

    def _on_affordance(self, message: Affordance) -> None:
        if message.episode >= self._episode:
            self._view = replace(self._view, answer=convert.affordance_from_msg(message))

    def _on_reward(self, message: RewardEstimate) -> None:
        if message.episode == self._episode:
            self._view = replace(self._view, reward=convert.reward_from_msg(message))

    def _on_authority(self, message: Authority) -> None:
        self._view = replace(self._view, owner=message.owner)

    def _on_episode(self, event: EpisodeEvent) -> None:
        """Begin a picture of a new episode, or leave the last one's as it was."""
        if event.kind == EpisodeEvent.ENDED:
            return
        answer = self._view.answer if self._episode == event.episode else None
        self._episode = int(event.episode)
        self._view = replace(self._view, instruction=event.instruction, answer=answer, reward=None)


def annotated_topic(camera: str) -> str:
    """Return the topic of a camera's annotated images, relative to the graph's namespace."""
    return f"camera/{camera}/annotated/image_raw"


def main() -> int:
    """Run the node until it is interrupted."""
    set_up_transport()
    rclpy.init()
    try:
        node = ViewNode()
    except ConfigError as error:
        print(f"view_node: {error}", file=sys.stderr)
        return 2
    with contextlib.suppress(KeyboardInterrupt, ExternalShutdownException):
        rclpy.spin(node)
    rclpy.try_shutdown()
    return 0


if __name__ == "__main__":
    sys.exit(main())
