"""Images as messages, and as DDS and episode files carry them: half the copies, half the time.

The layout is OMG CDR of sensor_msgs/Image, written little-endian; the tests hold it to what rclpy writes.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from sinew_core.types import NANOSECONDS, CameraModel, DepthArray, ImageArray

from sinew_data.messages.header import Make, header

DEPTH_MAX = 65.535  # m, the farthest that 16 bits of millimetres reach
ENCAPSULATION = b"\x00\x01\x00\x00"  # CDR, little-endian


@dataclass(frozen=True, slots=True)
class _Numbers:
    """The numbers of an image's head in one byte order."""

    stamp: struct.Struct
    pair: struct.Struct
    length: struct.Struct


def _numbers(order: str) -> _Numbers:
    return _Numbers(*(struct.Struct(order + layout) for layout in ("iI", "II", "I")))


BYTE_ORDERS = {b"\x00\x00": _numbers(">"), b"\x00\x01": _numbers("<")}  # by how the message begins


@dataclass(frozen=True, slots=True)
class ImageView:
    """A received image; `data` lies in the received bytes."""

    stamp: int  # ns
    frame: str
    height: int
    width: int
    encoding: str
    is_bigendian: int
    step: int
    data: memoryview


def image_to_wire(stamp: int, pixels: npt.NDArray[np.generic], frame: str, encoding: str) -> bytes:
    """Return pixels (h, w) or (h, w, channels) as a serialised sensor_msgs/Image."""
    pixels = np.ascontiguousarray(pixels)
    head = bytearray(struct.pack("<iI", stamp // NANOSECONDS, stamp % NANOSECONDS))
    _put_string(head, frame)
    _align(head)
    head += struct.pack("<II", *pixels.shape[:2])
    _put_string(head, encoding)
    head += b"\x00"  # is_bigendian
    _align(head)
    head += struct.pack("<II", pixels.strides[0], pixels.nbytes)
    return b"".join((ENCAPSULATION, head, pixels.data.cast("B")))


def image_from_wire(wire: bytes | memoryview) -> ImageView:
    """Return a serialised sensor_msgs/Image, of whatever sender, as a view; ValueError if it is none."""
    numbers = BYTE_ORDERS.get(bytes(wire[:2]))
    if numbers is None:
        raise ValueError(f"image: begins with {bytes(wire[:4])!r}, which is no plain CDR.")
    try:
        return _parse(memoryview(wire)[4:], numbers)
    except struct.error as error:
        raise ValueError(f"image: cut off after {len(wire)} bytes.") from error


def _parse(body: memoryview, numbers: _Numbers) -> ImageView:
    seconds, nanoseconds = numbers.stamp.unpack_from(body)
    frame, at = _get_string(body, 8, numbers)
    height, width = numbers.pair.unpack_from(body, at := _aligned(at))
    encoding, at = _get_string(body, at + 8, numbers)
    step, size = numbers.pair.unpack_from(body, after := _aligned(at + 1))
    data = body[after + 8 : after + 8 + size]
    stamp = seconds * NANOSECONDS + nanoseconds
    return ImageView(stamp, frame, height, width, encoding, body[at], step, data)


def _put_string(head: bytearray, text: str) -> None:
    _align(head)
    encoded = text.encode() + b"\x00"
    head += struct.pack("<I", len(encoded)) + encoded


def _get_string(body: memoryview, at: int, numbers: _Numbers) -> tuple[str, int]:
    (length,) = numbers.length.unpack_from(body, at)
    return bytes(body[at + 4 : at + 3 + length]).decode(), at + 4 + length


def _align(head: bytearray) -> None:
    head += b"\x00" * (_aligned(len(head)) - len(head))


def _aligned(at: int) -> int:
    return (at + 3) & ~3


def rgb_to_wire(stamp: int, rgb: ImageArray, frame: str) -> bytes:
    """Return a colour image (h, w, 3) as a serialised rgb8 Image."""
    return image_to_wire(stamp, rgb, frame, "rgb8")


def rgb_from_msg(message: Any) -> ImageArray:
    """Return an rgb8 image, a message or an ImageView, as (h, w, 3), which may be read-only."""
    _check_encoding(message, "rgb8", 3)
    return np.frombuffer(message.data, np.uint8).reshape(message.height, message.width, 3)


def depth_to_wire(stamp: int, depth: DepthArray, frame: str) -> bytes:
    """Return a depth image (h, w), in m, as a serialised 16UC1 Image.

    What is not finite, negative or too far counts as no depth.
    """
    metres = depth
    if not float(metres.max(initial=0.0)) <= DEPTH_MAX or not float(metres.min(initial=0.0)) >= 0.0:
        metres = np.where((depth >= 0) & (depth <= DEPTH_MAX), depth, np.float32(0))
    millimetres = (metres * np.float32(1000) + np.float32(0.5)).astype(np.uint16)
    return image_to_wire(stamp, millimetres, frame, "16UC1")


def depth_from_msg(message: Any) -> DepthArray:
    """Return a 16UC1 image, a message or an ImageView, as depth, (h, w), in m."""
    _check_encoding(message, "16UC1", 2)
    millimetres = np.frombuffer(message.data, ">u2" if message.is_bigendian else "<u2")
    metres: DepthArray = np.divide(millimetres, np.float32(1000), dtype=np.float32)
    return metres.reshape(message.height, message.width)


def _check_encoding(message: Any, encoding: str, pixel_bytes: int) -> None:
    if message.encoding != encoding or message.step != message.width * pixel_bytes:
        raise ValueError(
            f"image of encoding '{message.encoding}' with rows of {message.step} bytes; expected "
            f"'{encoding}' with {message.width * pixel_bytes}."
        )


def camera_info_to_msg(make: Make, stamp: int, model: CameraModel, frame: str) -> Any:
    """Return a pinhole model without distortion as a sensor_msgs/CameraInfo."""
    fx, fy, cx, cy = model.fx, model.fy, model.cx, model.cy
    return make["sensor_msgs/msg/CameraInfo"](
        header=header(make, stamp, frame),
        width=model.width,
        height=model.height,
        distortion_model="plumb_bob",
        d=[0.0] * 5,
        k=[fx, 0.0, cx, 0.0, fy, cy, 0.0, 0.0, 1.0],
        r=[1.0, 0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0, 1.0],
        p=[fx, 0.0, cx, 0.0, 0.0, fy, cy, 0.0, 0.0, 0.0, 1.0, 0.0],
    )
