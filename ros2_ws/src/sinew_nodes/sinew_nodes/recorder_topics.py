"""What a recorder listens to, and how, so that it loses nothing and costs the senders nothing."""

from __future__ import annotations

import importlib
from collections.abc import Mapping

from rclpy.qos import QoSProfile
from rclpy.serialization import serialize_message
from sinew_core.hardware import Hardware
from sinew_data import topics

from sinew_nodes import convert, qos

OPTIONAL = (topics.HUMAN_CHUNK, topics.FAULT)  # which a graph may well be without


def recorded_topics(hardware: Hardware) -> dict[str, QoSProfile]:
    """Return the topics of an episode, by absolute name, with the quality of service to ask for.

    A camera that delivers only when asked is not asked. Intrinsics are not among them: they stand in the
    hardware file, and a station would have to send them with every frame.
    """
    pace = hardware.config.pace
    sensor, command = qos.sensor(pace), qos.command(pace)
    offered = {
        topics.EPISODE: qos.latched(),
        topics.AUTHORITY: qos.latched(),
        topics.AFFORDANCE: qos.latched(),
        topics.FAULT: qos.fault(),
        topics.JOINTS: sensor,
        topics.KEYPOINTS: sensor,
        topics.POLICY_CHUNK: command,
        topics.HUMAN_CHUNK: command,
        topics.OBSERVED: qos.event(),
        topics.REWARD: qos.event(),
        topics.EXECUTED: qos.event(),
    }
    for name, camera in hardware.config.cameras.items():
        if camera.every:
            offered[topics.color_topic(name)] = sensor
            if camera.depth:
                offered[topics.depth_topic(name)] = sensor
    return {topic: qos.recorder(profile, pace) for topic, profile in offered.items()}


def message_class(topic: str) -> type:
    """Return rclpy's class of a topic's messages."""
    package, _, name = topics.type_of(topic).partition("/msg/")
    kind: type = getattr(importlib.import_module(f"{package}.msg"), name)
    return kind


def intrinsics(hardware: Hardware, stamp: int) -> Mapping[str, bytes]:
    """Return the cameras' intrinsics at a stamp as serialised messages, by topic."""
    models = {name: model for name, model in hardware.cameras.items() if hardware.config.cameras[name].every}
    return {
        topics.info_topic(name): serialize_message(
            convert.camera_info_to_msg(stamp, model, f"{name}_optical_frame")
        )
        for name, model in models.items()
    }
