"""The barrier filter: the command nearest to the wanted one that lets no distance close too fast."""

from __future__ import annotations

import logging
import threading

import numpy as np
from sinew_core.errors import ConfigError, did_you_mean
from sinew_core.hardware import Hardware
from sinew_core.protocols import MotionState, SafeCommand
from sinew_core.types import FloatArray, JointCommand

from sinew_safety.config import CONSTRAINTS, BarrierConfig, alpha_fault
from sinew_safety.gaps import Gaps
from sinew_safety.limits import TOLERANCE, StepBounds, StepLimits
from sinew_safety.places import Move, Rule
from sinew_safety.search import Found, Search

logger = logging.getLogger(__name__)

PARAMETERS = tuple(f"alpha_{name}" for name in CONSTRAINTS)


class BarrierFilter:
    """A discrete-time control barrier function per distance, all in one quadratic program a period.

    For every distance h of the arm's links to the table, to obstacles and to one another, and of the
    gripper's tip to the walls of its workspace, a step dq of the target obeys
    J dq >= -alpha dt (h - margin), so that h never comes below its margin (Ames et al. 2019, Control
    barrier functions: theory and applications; Agrawal and Sreenath 2017 for discrete time). A distance
    that is below it already does not shrink. The robot's own limits bound the same program.

    The answer depends on the arguments and the parameters alone. Thread-safe.
    """

    def __init__(self, config: BarrierConfig, hardware: Hardware) -> None:
        robot = hardware.robot
        self._robot, self._period = robot, hardware.config.control_period
        self._alpha = {f"alpha_{name}": config.alpha(name) for name in CONSTRAINTS}
        for name, alpha in self._alpha.items():
            fault = alpha_fault(name, alpha, self._period)
            if fault is not None:
                raise ConfigError(f"{hardware.path}: safety.filters: {fault}")
        self.gaps = Gaps(hardware, config.obstacles)
        for label, why in self.gaps.pairs.left_out.items():
            logger.debug("%s: the barrier does not watch %s: %s", hardware.path, label, why)
        self._margin = np.array([config.margin(name) for name in CONSTRAINTS])[self.gaps.constraint]
        self._limits = StepLimits.of(robot, self._period)
        self._servo_rate = robot.stiffness / np.maximum(robot.damping, 1e-9)  # 1/s
        self._lock = threading.Lock()  # of the scratch memory behind the distances

    def parameters(self) -> dict[str, float]:
        """Return the rates that may be changed while running, 1/s."""
        return dict(self._alpha)

    def set_parameter(self, name: str, value: float) -> None:
        """Change a rate from the next call of `filter` on; ValueError, with a sentence, if it cannot be."""
        if name not in self._alpha:
            raise ValueError(f"unknown parameter '{name}'.{did_you_mean(name, self._alpha)}")
        fault = alpha_fault(name, value, self._period)
        if fault is not None:
            raise ValueError(fault)
        self._alpha = {**self._alpha, name: float(value)}  # replaced whole, so a filter sees one or other

    def filter(self, command: JointCommand, state: MotionState) -> SafeCommand:
        """Return the command, changed as little as can be, with `barrier:<constraint>:<what>` if changed."""
        robot, limits = self._robot, self._limits_at(state.dt)
        bounds = limits.bounds(state.target, state.velocity * state.dt)
        wanted = command.position - state.target
        with self._lock:
            found = self._find(wanted, state, limits, bounds)
        if np.abs(found.step - wanted).max() <= TOLERANCE:  # never of what is not a number
            return SafeCommand(command)
        position = np.minimum(np.maximum(state.target + found.step, robot.lower), robot.upper)
        reasons = limits.reasons(state.target, wanted, bounds)
        reasons += [self.gaps.reasons[i] for i in found.which]
        reasons += [f"barrier:brake:{found.brake}"] if found.brake else []
        return SafeCommand(JointCommand(command.stamp, position), tuple(dict.fromkeys(reasons)))

    def _find(self, wanted: FloatArray, state: MotionState, limits: StepLimits, bounds: StepBounds) -> Found:
        gaps, dt, arm = self.gaps, state.dt, state.joints.position
        if not np.isfinite(wanted).all():
            return Found(bounds.stop, (), "command")
        gaps.at(state.target)
        rule = Rule(self._rates(dt), self._margin, gaps.levers(), gaps.turning, limits.change)
        servos = Move(arm, state.target - arm, 1.0 - np.exp(-dt * self._servo_rate))
        last = state.velocity * dt
        return Search(gaps, rule, servos, bounds, limits.full, state.target, last).run(wanted)

    def _limits_at(self, dt: float) -> StepLimits:
        return self._limits if dt == self._period else StepLimits.of(self._robot, dt)

    def _rates(self, dt: float) -> FloatArray:
        alpha = self._alpha
        rates = np.array([min(alpha[name] * dt, 1.0) for name in PARAMETERS])
        per_gap: FloatArray = rates[self.gaps.constraint]
        return per_gap
