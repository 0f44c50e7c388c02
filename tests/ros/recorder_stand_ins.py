"""Policies that leave behind what they have seen, and what an observation comes to in one line."""

from __future__ import annotations

import dataclasses
import hashlib
import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from graph_stand_ins import Wave
from sinew_core.hardware import Hardware
from sinew_core.robot import Robot
from sinew_core.types import ActionChunk, Observation

SEEN = "RECORDER_TEST_SEEN"  # the environment variable that names the file of what was seen


class Witness(Wave):
    """Sees keypoints and joints."""

    def infer(self, observation: Observation) -> ActionChunk:
        with Path(os.environ[SEEN]).open("a") as file:
            file.write(f"{observation.stamp} {len(observation.frames)} {fingerprint(observation)}\n")
        return super().infer(observation)


class ImageWitness(Witness):
    """Sees the cameras' frames, too."""

    needs_frames = True


@dataclass(frozen=True, slots=True)
class WeightyConfig:
    weights: Path


class Weighty(Wave):
    """Has weights."""

    def __init__(self, config: WeightyConfig, robot: Robot, hardware: Hardware) -> None:
        super().__init__(robot, hardware)


def fingerprint(observation: Observation) -> str:
    """The SHA-256 of every bit of an observation, with the types and shapes of its arrays."""
    digest = hashlib.sha256()
    for part in _parts(observation):
        digest.update(part)
    return digest.hexdigest()


def _parts(value: Any) -> Iterator[bytes]:
    if isinstance(value, np.ndarray):
        yield f"{value.dtype.str}{value.shape}".encode()
        yield np.ascontiguousarray(value).tobytes()
    elif isinstance(value, Mapping):
        for name in sorted(value):
            yield f"{name}=".encode()
            yield from _parts(value[name])
    elif dataclasses.is_dataclass(value):
        yield from _parts({item.name: getattr(value, item.name) for item in dataclasses.fields(value)})
    elif isinstance(value, float):
        yield value.hex().encode()  # also numpy's
    else:
        yield str(value).encode()


def read_seen(path: Path) -> dict[int, tuple[int, str]]:
    """The number of frames and the fingerprint of each observation that a witness had, by stamp."""
    lines = (line.split() for line in path.read_text().splitlines())
    return {int(stamp): (int(frames), digest) for stamp, frames, digest in lines}
