"""Observations as policies and reward models meet them, the awkward ones included."""

from collections.abc import Iterator, Mapping

import numpy as np
from sinew_core.hardware import Hardware
from sinew_core.types import Affordance, JointState, Keypoint, Observation, Task

TASK = Task("pick_place", "put the red cube in the blue bowl")
STAMP, PERIOD = 1_000_000_000, 50_000_000


def observe(
    hardware: Hardware,
    keypoints: Mapping[str, Keypoint] | None = None,
    affordance: Affordance | None = None,
    step: int = 0,
    position: np.ndarray | None = None,
) -> Observation:
    stamp = STAMP + step * PERIOD
    home = hardware.robot.home if position is None else position
    joints = JointState(stamp, home.copy(), np.zeros_like(home))
    return Observation(stamp, joints, {}, keypoints or {}, affordance, {}, TASK)


def scene(hardware: Hardware) -> dict[str, Keypoint]:
    area = hardware.config.scene
    x = (area.lower[0] + area.upper[0]) / 2
    cube = Keypoint(np.array([x, 0.05, 0.015]), yaw=0.3, extent=np.array([0.03, 0.03, 0.03]))
    bowl = Keypoint(np.array([x, -0.06, 0.014]), extent=np.array([0.1, 0.1, 0.028]))
    return {"red_cube": cube, "blue_bowl": bowl}


def affordances(hardware: Hardware) -> Iterator[Affordance]:
    """A grasp, a push and a reach; by name and by point."""
    seen = scene(hardware)
    cube, bowl = seen["red_cube"].position, seen["blue_bowl"].position
    up = np.array([0.0, 0.0, 0.08])
    way, yes = np.array([cube + up, bowl + up]), np.array([True, True])
    yield Affordance(STAMP, "put", "red_cube", way, "blue_bowl", "test", yes, "red_cube")
    yield Affordance(STAMP, "put there", cube, way, bowl, "test", yes)
    yield Affordance(STAMP, "push", None, way, "blue_bowl", "test", yes, "red_cube")
    yield Affordance(STAMP, "reach", None, way[:1], "red_cube", "test", np.array([False]))
    yield Affordance(STAMP, "nothing", None, np.zeros((0, 3)), None, "test", np.zeros(0, dtype=bool))


def episode(hardware: Hardware, affordance: Affordance | None, steps: int) -> Iterator[Observation]:
    """Objects that are seen, then hidden, then seen again, before an arm that does not move."""
    for step in range(steps):
        hidden = steps // 3 <= step < 2 * steps // 3
        yield observe(hardware, {} if hidden else scene(hardware), affordance, step)
