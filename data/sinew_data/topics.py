"""The topics of an episode file, named as in the graph."""

from __future__ import annotations

from sinew_core.authority import HUMAN, POLICY

JOINTS = "/joint_states"
KEYPOINTS = "/keypoints"
AFFORDANCE = "/affordance"
REWARD = "/reward"
EXECUTED = "/executed_command"
POLICY_CHUNK = "/policy/chunk"
HUMAN_CHUNK = "/human/chunk"
CHUNKS = {POLICY: POLICY_CHUNK, HUMAN: HUMAN_CHUNK}  # by the source that asks
OBSERVED = "/policy/observed"
EPISODE = "/episode"
AUTHORITY = "/authority"
FAULT = "/fault"

IMAGE = "sensor_msgs/msg/Image"
TYPES = {
    JOINTS: "sensor_msgs/msg/JointState",
    KEYPOINTS: "sinew_msgs/msg/Keypoints",
    AFFORDANCE: "sinew_msgs/msg/Affordance",
    REWARD: "sinew_msgs/msg/RewardEstimate",
    EXECUTED: "sinew_msgs/msg/ExecutedCommand",
    POLICY_CHUNK: "trajectory_msgs/msg/JointTrajectory",
    HUMAN_CHUNK: "trajectory_msgs/msg/JointTrajectory",
    OBSERVED: "sinew_msgs/msg/Observed",
    EPISODE: "sinew_msgs/msg/EpisodeEvent",
    AUTHORITY: "sinew_msgs/msg/Authority",
    FAULT: "diagnostic_msgs/msg/DiagnosticStatus",
}


def color_topic(camera: str) -> str:
    """Return the topic of a camera's colour images."""
    return f"/camera/{camera}/color/image_raw"


def depth_topic(camera: str) -> str:
    """Return the topic of a camera's depth images."""
    return f"/camera/{camera}/depth/image_raw"


def info_topic(camera: str) -> str:
    """Return the topic of a camera's intrinsics."""
    return f"/camera/{camera}/camera_info"


def type_of(topic: str) -> str:
    """Return the message type of a topic; KeyError if it is none of an episode's."""
    if topic.startswith("/camera/"):
        return "sensor_msgs/msg/CameraInfo" if topic.endswith("/camera_info") else IMAGE
    return TYPES[topic]


def camera_of(topic: str) -> tuple[str, str] | None:
    """Return camera and kind, `color` or `depth`, of an image topic; None of another topic."""
    parts = topic.split("/")
    return (parts[2], parts[3]) if parts[1:2] == ["camera"] and parts[4:] == ["image_raw"] else None
