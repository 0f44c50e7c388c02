"""What every message has: stamps, headers, points and arrays of numbers."""

from __future__ import annotations

import array
import math
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from sinew_core.types import NANOSECONDS, FloatArray

Make = Mapping[str, Callable[..., Any]]
"""Constructors of messages by type name: `make["std_msgs/msg/Header"](stamp=..., frame_id=...)`.

Fields that are left out are zero or empty.
"""


def stamp_to_msg(make: Make, stamp: int) -> Any:
    """Return a stamp in ns as a ROS time."""
    return make["builtin_interfaces/msg/Time"](sec=stamp // NANOSECONDS, nanosec=stamp % NANOSECONDS)


def stamp_from_msg(time: Any) -> int:
    """Return a ROS time in ns."""
    return int(time.sec) * NANOSECONDS + int(time.nanosec)


def header(make: Make, stamp: int, frame: str = "") -> Any:
    """Return a header."""
    return make["std_msgs/msg/Header"](stamp=stamp_to_msg(make, stamp), frame_id=frame)


def header_stamp(message: Any) -> int:
    """Return the stamp of any message with a header, in ns."""
    return stamp_from_msg(message.header.stamp)


def floats(values: object) -> array.array[float]:
    """Return numbers as a float64[]: rclpy takes an array.array as it is, and checks anything else."""
    return array.array("d", np.ascontiguousarray(values, dtype=np.float64).tobytes())


def point(make: Make, position: FloatArray) -> Any:
    """Return a position (3,) as a point."""
    return make["geometry_msgs/msg/Point"](x=float(position[0]), y=float(position[1]), z=float(position[2]))


def point_array(message: Any) -> FloatArray:
    """Return a point as a position (3,)."""
    return np.array([message.x, message.y, message.z])


def or_nan(value: float | None) -> float:
    """Return NaN for what is not known."""
    return math.nan if value is None else float(value)


def or_none(value: float) -> float | None:
    """Return None for NaN."""
    return None if math.isnan(value) else value
