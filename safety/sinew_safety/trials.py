"""Random motions into table, obstacles, the arm itself and the walls, through the real control path."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

import mujoco
import numpy as np
from sinew_core.control import ControlPath
from sinew_core.errors import ConfigError
from sinew_core.hardware import load_hardware
from sinew_core.safety import FilterChain, default_filter
from sinew_core.types import ActionChunk, FloatArray

from sinew_safety.barrier import BarrierFilter
from sinew_safety.config import CONSTRAINTS
from sinew_safety.furniture import with_obstacles
from sinew_safety.judge import Judge
from sinew_safety.watched import Timed, Watched

DRAWS = 1000  # random poses to choose one from
SAFE = 0.02  # m that everything is away at the start
AWAY = 1.2  # rad, of every joint, that its start lies from its goal at most
DEEP = -0.01  # m, as deep as a motion's first goal lies at least
PERIODS = (40, 15)  # control periods towards the first goal, then towards another one
SLOWEST = 0.1  # share of the velocity limits
SETTLE = 300_000_000  # ns for an arm to come to rest


@dataclass(frozen=True, slots=True)
class Motion:
    """One random motion."""

    seed: int
    constraint: str  # what the first goal violates
    start: FloatArray  # (n,)
    goals: tuple[FloatArray, ...]  # (n,) each
    speed: float  # share of the velocity limits, of the joint that moves the most


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of a motion, and of the filter's calls in it."""

    target: dict[str, float]  # m, the smallest distance of each constraint over all targets
    arm: dict[str, float]  # the same over the measured arm, between control periods, too
    seconds: list[float]  # of each of the filter's calls, on the wall clock
    cpu_seconds: list[float]  # the same of the thread that made them
    reasons: tuple[str, ...]


class Trials:
    """One robot's random motions, each with the filter and without.

    The physics is the hardware's MuJoCo station, with gravity, inertia and servos, but without contacts:
    they would hold the arm at the table, where it is to be seen how far it would have gone. The servos
    have all the torque they ask for, unless told otherwise: an arm that its motors cannot hold falls,
    whatever its target.
    """

    def __init__(self, name: str, limited_torque: bool = False) -> None:
        hardware = load_hardware(name).with_pace("lockstep")
        self.config = with_obstacles(hardware)
        self.hardware = replace(
            hardware, config=replace(hardware.config, safety=replace(hardware.config.safety, filters=()))
        )
        self.judge = Judge(self.hardware, self.config.obstacles)
        self._filter = BarrierFilter(self.config, self.hardware)
        self._station = self.hardware.open_station("reach")
        world: Any = self._station.world
        if not hasattr(world, "model"):
            self.close()
            raise ConfigError(f"hardware '{name}' is no MuJoCo station, which these motions need.")
        world.reset(0)
        _free(world.model, limited_torque)
        self._world = world

    def close(self) -> None:
        """Release the simulators."""
        self._station.close()
        self.judge.close()

    def motions(self, count: int, seed: int, fastest: float = 1.0) -> Iterator[Motion]:
        """Draw motions, against each constraint in turn; motion i is that of seed + i."""
        for i in range(count):
            yield self._motion(np.random.default_rng(seed + i), seed + i, CONSTRAINTS[i % 4], fastest)

    def _motion(self, rng: np.random.Generator, seed: int, aim: str, fastest: float) -> Motion:
        robot = self.hardware.robot
        while True:
            goal = self._draw(rng, robot.lower, robot.upper, lambda near: near[aim] < DEEP, aim == "walls")
            if goal is None:
                continue
            lower, upper = np.maximum(robot.lower, goal - AWAY), np.minimum(robot.upper, goal + AWAY)
            start = self._draw(rng, lower, upper, lambda near: min(near.values()) > SAFE)
            if start is not None:
                other = rng.uniform(robot.lower, robot.upper)
                return Motion(seed, aim, start, (goal, other), rng.uniform(SLOWEST, fastest))

    def _draw(
        self,
        rng: np.random.Generator,
        lower: FloatArray,
        upper: FloatArray,
        wanted: Callable[[dict[str, float]], bool],
        outside: bool = False,
    ) -> FloatArray | None:
        """Return random joint positions as wanted, the tip in the workspace or not; None if none is found."""
        robot, box = self.hardware.robot, self.hardware.config.safety
        for position in rng.uniform(lower, upper, (DRAWS, len(lower))):
            tip = np.array(robot.chain.point(robot.tip_link, position))
            inside = (tip > box.workspace_lower).all() and (tip < box.workspace_upper).all()
            if inside != outside and wanted(self.judge.smallest(position)):
                found: FloatArray = position.copy()
                return found
        return None

    def run(self, motion: Motion, filtered: bool) -> Outcome:
        """Carry out a motion with or without the barrier filter."""
        hardware, period = self.hardware, self.hardware.config.control_period
        timed = Timed(self._filter)
        members = default_filter(hardware).filters
        chain = FilterChain([*members, timed] if filtered else members)
        self._place(motion.start)
        station = Watched(self._station.arm, self._world)
        path = ControlPath(station, hardware, chain)
        state = station.arm.read()
        path.reset(state)
        target, targets = state.position, []
        for goal, periods in zip(motion.goals, PERIODS, strict=True):
            for _ in range(periods):
                state = station.arm.read()
                wanted = target + _towards(goal - target, motion.speed * hardware.robot.velocity * period)
                path.offer("policy", ActionChunk(state.stamp, period, wanted[None]), state.stamp)
                target = path.execute(state).position
                targets.append(target)
        target_near, arm_near = self._smallest(targets), self._smallest(station.looks)
        return Outcome(target_near, arm_near, timed.seconds, timed.cpu_seconds, tuple(timed.reasons))

    def _place(self, position: FloatArray) -> None:
        """Put the arm somewhere and let it come to rest; with followers, and with its servos' targets."""
        robot, world = self.hardware.robot, self._world
        named = dict(zip(robot.joint_names, position.tolist(), strict=True))
        for follower, (leader, scale, offset) in robot.mimic.items():
            named[follower] = scale * named[leader] + offset
        world.data.qvel[:] = 0.0
        for name, value in named.items():
            world.data.joint(name).qpos[0] = value
        world.data.ctrl[:] = position
        world.step(SETTLE)

    def _smallest(self, positions: Sequence[FloatArray]) -> dict[str, float]:
        near = [self.judge.smallest(position) for position in positions]
        return {name: min(each[name] for each in near) for name in CONSTRAINTS}


def _towards(way: FloatArray, fast: FloatArray) -> FloatArray:
    """Return the first step of a way (n,), straight in joint space, no joint faster than `fast` (n,)."""
    return way / max(1.0, float(np.max(np.abs(way) / fast)))


def _free(model: mujoco.MjModel, limited_torque: bool) -> None:
    model.opt.disableflags |= int(mujoco.mjtDisableBit.mjDSBL_CONTACT)
    if not limited_torque:
        model.actuator_forcelimited[:] = 0
        model.jnt_actfrclimited[:] = 0
