"""Camera frames from topics: a colour and a depth image with one stamp make one frame."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable
from functools import partial

from rclpy.qos import QoSProfile
from sensor_msgs.msg import Image
from sinew_core.cameras import CameraConfig
from sinew_core.types import CameraFrame, DepthArray, ImageArray
from sinew_data import topics

from sinew_nodes import convert
from sinew_nodes.component_node import ComponentNode
from sinew_nodes.image_wire import image_from_wire

WAITING = 2  # images of a camera that wait for their other half, before the oldest is dropped
OnFrame = Callable[[str, CameraFrame], None]


class FrameInbox:
    """Subscribes to cameras and calls `on_frame` for each complete frame."""

    def __init__(
        self,
        node: ComponentNode,  # type: ignore[type-arg]
        cameras: Iterable[tuple[str, CameraConfig]],
        profile: QoSProfile,
        on_frame: OnFrame,
    ) -> None:
        self._on_frame = on_frame
        self._rgb: dict[str, dict[int, ImageArray]] = defaultdict(dict)  # by camera and stamp
        self._depth: dict[str, dict[int, DepthArray]] = defaultdict(dict)
        for name, camera in cameras:
            take_rgb = self._take_rgb if camera.depth else self._take_rgb_alone
            node.listen(Image, color_topic(name), partial(take_rgb, name), profile, raw=True)
            if camera.depth:
                node.listen(Image, depth_topic(name), partial(self._take_depth, name), profile, raw=True)

    def _take_rgb_alone(self, name: str, wire: bytes) -> None:
        image = image_from_wire(wire)
        self._on_frame(name, CameraFrame(image.stamp, convert.rgb_from_msg(image)))

    def _take_rgb(self, name: str, wire: bytes) -> None:
        image = image_from_wire(wire)
        self._rgb[name][image.stamp] = convert.rgb_from_msg(image)
        self._join(name, image.stamp)

    def _take_depth(self, name: str, wire: bytes) -> None:
        image = image_from_wire(wire)
        self._depth[name][image.stamp] = convert.depth_from_msg(image)
        self._join(name, image.stamp)

    def _join(self, name: str, stamp: int) -> None:
        rgb, depth = self._rgb[name], self._depth[name]
        if stamp in rgb and stamp in depth:
            self._on_frame(name, CameraFrame(stamp, rgb.pop(stamp), depth.pop(stamp)))
        for halves in (rgb, depth):
            while len(halves) > WAITING:
                del halves[min(halves)]


def color_topic(camera: str) -> str:
    """Return the topic of a camera's colour images, relative to the graph's namespace."""
    return topics.color_topic(camera).removeprefix("/")


def depth_topic(camera: str) -> str:
    """Return the topic of a camera's depth images, likewise."""
    return topics.depth_topic(camera).removeprefix("/")


def info_topic(camera: str) -> str:
    """Return the topic of a camera's intrinsics, likewise."""
    return topics.info_topic(camera).removeprefix("/")
