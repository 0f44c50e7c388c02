"""The motors inside emulated servos: profile, play in the gears, delay, noise, torque limit and heat."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass

import numpy as np
from sinew_core.robot import Robot
from sinew_core.types import NANOSECONDS, FloatArray

OVERLOAD_SHARE, OVERLOAD_TIME = 0.8, 2.0  # of the stall torque, and s of it, until a servo protects itself
# deg that a servo is then away from its goal at least: its firmware judges by the duty of its own loop, which
# is softer than the simulated one.
OVERLOAD_ERROR = 2.2
PROTECTED = 0.2  # share of the stall torque that it then has


@dataclass(frozen=True, slots=True)
class MotorsConfig:
    """What makes a servo unlike an ideal one."""

    backlash: float = 0.5  # deg, whole play of the gears
    delay: float = 0.02  # s from a command's arrival until the motor heeds it
    noise: float = 0.05  # deg, standard deviation of the encoder beside its resolution
    stall_torque: float = 0.0  # N m (or N), of every servo; 0: each joint's effort limit
    speed: float = 1.5  # of the joint's velocity limit: as fast as a motor turns
    voltage: float = 12.0  # V, unloaded
    sag: float = 0.6  # V, that one servo at its stall torque takes
    ambient: float = 25.0  # deg C
    heating: float = 0.9  # K/s at the stall torque
    cooling: float = 120.0  # s, time constant

    def __post_init__(self) -> None:
        """Check the signs."""
        if min(self.backlash, self.delay, self.noise, self.stall_torque, self.sag, self.heating) < 0:
            raise ValueError("backlash, delay, noise, stall_torque, sag and heating: expected at least 0.")
        if min(self.speed, self.voltage, self.cooling) <= 0:
            raise ValueError("speed, voltage and cooling: expected more than 0.")


class Motors:
    """The motors of n joints; arrays are (n,), rad or m on the joint's side. `per_radian` of a servo.

    `step` belongs to the physics' thread; `command`, `enable` and `limit` may come from another.
    """

    def __init__(self, config: MotorsConfig, robot: Robot, per_radian: FloatArray, seed: int) -> None:
        n, position = len(robot.joint_names), robot.home
        self.config = config
        self.stall = np.full(n, config.stall_torque) if config.stall_torque else robot.effort.copy()
        self._speed = config.speed * robot.velocity
        self._play = np.radians(config.backlash) / 2 * per_radian
        self._overload_error = np.radians(OVERLOAD_ERROR) * per_radian
        self._noise = np.radians(config.noise) * per_radian
        self._rng = np.random.default_rng(seed)
        self._due: deque[tuple[int, int, float]] = deque()  # ns, joint, goal
        self._goal, self._setpoint, self.drive = position.copy(), position.copy(), position.copy()
        self.on = np.zeros(n, dtype=bool)
        self.share = np.ones(n)  # of the stall torque, as commanded
        self.load = np.zeros(n)  # share of the stall torque, signed
        self.temperature = np.full(n, config.ambient)
        self.overloaded = np.zeros(n, dtype=bool)
        self._straining = np.zeros(n)  # s

    def command(self, joint: int, goal: float, now: int) -> None:
        """Give a goal, which is heeded after the delay; `now` in ns."""
        self._due.append((now + round(self.config.delay * NANOSECONDS), joint, goal))

    def enable(self, joint: int, on: bool, position: float) -> None:
        """Switch a motor; it holds where it is until it gets a goal."""
        if on and not self.on[joint]:
            self._setpoint[joint] = self._goal[joint] = self.drive[joint] = position
        if not on:
            self.overloaded[joint], self._straining[joint] = False, 0.0
        self.on[joint] = on

    def limit(self, joint: int, share: float) -> None:
        """Limit a motor's torque to a share of its stall torque."""
        self.share[joint] = np.clip(share, 0.0, 1.0)

    @property
    def torque(self) -> FloatArray:
        """The most torque that each motor gives now, N m (or N)."""
        share = np.where(self.overloaded, np.minimum(self.share, PROTECTED), self.share)
        torque: FloatArray = np.where(self.on, share, 0.0) * self.stall
        return torque

    @property
    def voltage(self) -> float:
        """What all of them leave of the supply's voltage, V."""
        return float(self.config.voltage - self.config.sag * np.abs(self.load).sum())

    def step(self, dt: float, now: int, force: FloatArray, away: FloatArray | None = None) -> FloatArray:
        """Let `dt` s pass under forces (n,); return where each output is driven to.

        `away` (n,) is how far the outputs are from there now; without it a strong force is a strain at any
        distance.
        """
        while self._due and self._due[0][0] <= now:
            _, joint, goal = self._due.popleft()
            self._goal[joint] = goal
        most = self._speed * dt
        self._setpoint += np.clip(self._goal - self._setpoint, -most, most)
        # The output lags within the play until the teeth of the other side take it along.
        self.drive = np.clip(self.drive, self._setpoint - self._play, self._setpoint + self._play)
        self.load = force / self.stall
        heat = self.config.heating * self.load**2
        self.temperature += dt * (heat - (self.temperature - self.config.ambient) / self.config.cooling)
        strained = np.abs(self.load) > OVERLOAD_SHARE
        if away is not None:
            strained &= np.abs(away) > self._overload_error
        self._straining = np.where(strained, self._straining + dt, 0.0)
        self.overloaded |= self._straining > OVERLOAD_TIME
        return self.drive

    def encoder(self, position: FloatArray) -> FloatArray:
        """Return what the encoders, on the motor's side of the play, tell of the joints' positions."""
        noise = self._rng.normal(0.0, self._noise)
        side = np.where(self.on, self._setpoint - self.drive, 0.0)
        told: FloatArray = position + side + noise
        return told
