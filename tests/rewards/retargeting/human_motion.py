"""A human arm that moves smoothly, by its own forward kinematics, with lengths like a grown person's."""

import numpy as np
from sinew_core.types import FloatArray
from sinew_rewards.retargeting.human_arm import HumanArm

LENGTHS = (0.30, 0.27, 0.16)  # m
SHOULDER = np.array([0.1, 0.2, 1.4])  # m


def human_motion(seed: int, moments: int = 45, rate: float = 30.0) -> HumanArm:
    """Return a motion in front of the body, forward being x and up z."""
    rng, t = np.random.default_rng(seed), np.arange(moments) / rate

    def wave(middle: float, size: float) -> FloatArray:
        return middle + size * np.sin(2 * np.pi * rng.uniform(0.1, 0.35) * t + rng.uniform(0, 2 * np.pi))

    azimuth, elevation, flexion = wave(rng.uniform(-0.5, 0.5), 0.4), wave(-0.6, 0.35), wave(1.4, 0.4)
    swivel, bend = wave(0.3, 0.3), wave(0.2, 0.2)
    upper = np.stack(
        [np.cos(elevation) * np.cos(azimuth), np.cos(elevation) * np.sin(azimuth), np.sin(elevation)], 1
    )
    side = np.cross(upper, [0.0, 0.0, 1.0])
    side /= np.linalg.norm(side, axis=1, keepdims=True)
    towards = np.cos(swivel)[:, None] * np.cross(side, upper) + np.sin(swivel)[:, None] * side
    fore, hand = (
        np.cos(a)[:, None] * upper + np.sin(a)[:, None] * towards for a in (flexion, flexion - bend)
    )
    along = np.stack([length * part for length, part in zip(LENGTHS, (upper, fore, hand), strict=True)], 1)
    points = np.concatenate([np.zeros((moments, 1, 3)), np.cumsum(along, 1)], 1) + SHOULDER
    return HumanArm((t * 1e9).astype(np.int64), points)
