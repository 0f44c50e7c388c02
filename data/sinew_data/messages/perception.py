"""What perception saw as messages."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from sinew_core.types import Keypoint, Percept

from sinew_data.messages.header import (
    Make,
    floats,
    header,
    header_stamp,
    or_nan,
    or_none,
    point,
    point_array,
)


def percept_to_msg(make: Make, percept: Percept, frame: str) -> Any:
    """Return what was seen as a message."""
    return make["sinew_msgs/msg/Keypoints"](
        header=header(make, percept.stamp, frame),
        keypoints=[_keypoint_to_msg(make, name, keypoint) for name, keypoint in percept.keypoints.items()],
        features=[
            make["sinew_msgs/msg/Feature"](name=name, value=floats(v)) for name, v in percept.features.items()
        ],
        lost=list(percept.lost),
    )


def percept_from_msg(message: Any) -> Percept:
    """Return a message as what was seen."""
    return Percept(
        header_stamp(message),
        {keypoint.name: _keypoint_from_msg(keypoint) for keypoint in message.keypoints},
        {feature.name: np.array(feature.value) for feature in message.features},
        tuple(getattr(message, "lost", ())),
    )


def _keypoint_to_msg(make: Make, name: str, keypoint: Keypoint) -> Any:
    return make["sinew_msgs/msg/Keypoint"](
        name=name,
        position=point(make, keypoint.position),
        pixel=np.zeros(2) if keypoint.pixel is None else np.asarray(keypoint.pixel, np.float64),
        has_pixel=keypoint.pixel is not None,
        confidence=float(keypoint.confidence),
        yaw=or_nan(keypoint.yaw),
        extent=np.full(3, math.nan) if keypoint.extent is None else np.asarray(keypoint.extent, np.float64),
        visible=keypoint.visible,
        held=keypoint.held,
    )


def _keypoint_from_msg(message: Any) -> Keypoint:
    return Keypoint(
        point_array(message.position),
        np.array(message.pixel) if message.has_pixel else None,
        message.confidence,
        or_none(message.yaw),
        None if np.isnan(message.extent).all() else np.array(message.extent),
        getattr(message, "visible", True),  # episodes recorded before there were trackers have neither
        getattr(message, "held", False),
    )
