"""Quality of service by purpose, for every topic of the graph.

In lockstep nothing may be lost, or the graph would wait for ever: every topic is reliable and keeps its
newest messages for a reader whose discovery is still under way.
"""

from __future__ import annotations

from rclpy.duration import Duration
from rclpy.qos import (
    QoSDurabilityPolicy,
    QoSHistoryPolicy,
    QoSLivelinessPolicy,
    QoSProfile,
    QoSReliabilityPolicy,
)
from sinew_core.hardware import Pace

LEASE = Duration(seconds=3)
RECORDER_DEPTH = 90  # messages: 3 s of a camera at 30 Hz


def sensor(pace: Pace) -> QoSProfile:
    """Joints, images and keypoints: in real time the newest two, in lockstep every one.

    Two, so that one late wake-up loses no frame.
    """
    return _best_effort(2) if pace == "realtime" else _reliable(2, latched=True)


def command(pace: Pace) -> QoSProfile:
    """Action chunks."""
    return _reliable(2, latched=pace == "lockstep")


def event() -> QoSProfile:
    """What happened at each step, deep enough that a recorder loses none."""
    return _reliable(1000, latched=True)


def latched() -> QoSProfile:
    """What holds until the next one: the affordance, the episode."""
    return _reliable(1, latched=True)


def fault() -> QoSProfile:
    """Failures, also for who comes later to ask why."""
    return _reliable(10, latched=True)


def weights() -> QoSProfile:
    """What to act with: the newest, also for an actor that comes later."""
    return _reliable(1, latched=True)


def transitions() -> QoSProfile:
    """From actor to learner; what is lost all the same is sent again."""
    return _reliable(256, latched=False)


def acknowledgements() -> QoSProfile:
    """From learner to actors; deep enough for a few of these."""
    return _reliable(16, latched=True)


def recorder(offered: QoSProfile, pace: Pace) -> QoSProfile:
    """A reader of what is offered so that comes last on a busy machine: some seconds deep.

    In lockstep, steps come as fast as the machine allows.
    """
    return QoSProfile(
        history=QoSHistoryPolicy.KEEP_LAST,
        depth=max(RECORDER_DEPTH if pace == "realtime" else 4 * RECORDER_DEPTH, offered.depth),
        reliability=offered.reliability,
        durability=offered.durability,
    )


def alive() -> QoSProfile:
    """A topic that carries nothing: its publisher's liveliness is the message."""
    profile = _reliable(1, latched=False)
    profile.liveliness = QoSLivelinessPolicy.AUTOMATIC
    profile.liveliness_lease_duration = LEASE
    return profile


def _best_effort(depth: int) -> QoSProfile:
    return QoSProfile(
        history=QoSHistoryPolicy.KEEP_LAST,
        depth=depth,
        reliability=QoSReliabilityPolicy.BEST_EFFORT,
        durability=QoSDurabilityPolicy.VOLATILE,
    )


def _reliable(depth: int, *, latched: bool) -> QoSProfile:
    return QoSProfile(
        history=QoSHistoryPolicy.KEEP_LAST,
        depth=depth,
        reliability=QoSReliabilityPolicy.RELIABLE,
        durability=QoSDurabilityPolicy.TRANSIENT_LOCAL if latched else QoSDurabilityPolicy.VOLATILE,
    )
