"""What emulated devices move and see: a MuJoCo scene on the wall clock, its joints driven by motors."""

from __future__ import annotations

import threading
import time

import numpy as np
from sinew_core.hardware import Hardware
from sinew_core.types import NANOSECONDS, FloatArray, Task
from sinew_sim.mujoco_station import MujocoStationConfig, MujocoWorld

from sinew_hardware.emulators.motors import Motors, MotorsConfig
from sinew_hardware.emulators.servo_memory import Motion

TIMESTEP = 0.002  # s
LAG = 0.05  # s that the physics may lag behind the clock before it lets time go
HELD = NANOSECONDS // 2  # ns that a hand keeps the arm where it has put it
LIMP_DAMPING = 0.15  # of a servo's damping, that its gears have without torque


class Plant:
    """The physics. One thread advances it; `lock` guards what others take from the simulator itself."""

    def __init__(
        self, hardware: Hardware, task: str, config: MotorsConfig, per_radian: FloatArray, seed: int
    ) -> None:
        robot = hardware.robot
        self.lock = threading.RLock()
        self.world = MujocoWorld(MujocoStationConfig(TIMESTEP), hardware, task)
        self.motors = Motors(config, robot, per_radian, seed)
        self._stiffness, self._damping = robot.stiffness, robot.damping
        self.motion = Motion(self.world.position, self.world.velocity)
        self._until: int | None = None
        self._held_until = 0  # ns, by a hand
        self._closed = threading.Event()
        self._thread = threading.Thread(target=self._run, name="physics", daemon=True)

    def start(self) -> None:
        """Let time pass."""
        self._thread.start()

    def close(self) -> None:
        """End the thread."""
        self._closed.set()
        if self._thread.is_alive():
            self._thread.join(timeout=2.0)

    def lay_out(self, seed: int, instruction: str) -> Task:
        """Lay out the scene of a seed, as a person would: the arm stays where it is."""
        with self.lock:
            before = self.world.position
            task = self.world.reset(seed, instruction)
            self._put(before)
            return task

    def ask(self, instruction: str) -> Task:
        """Ask for something else in the scene as it lies."""
        with self.lock:
            return self.world.ask(instruction)

    def put(self, position: FloatArray) -> None:
        """Put the joints (n,) somewhere, as a hand that moves a limp arm does, and holds it for a moment."""
        with self.lock:
            self._put(position)
            self._held_until = time.monotonic_ns() + HELD

    def success(self) -> bool:
        """Tell whether the task is done."""
        with self.lock:
            return self.world.success()

    def advance(self, now: int) -> None:
        """Let the physics come up to `now`, in ns of a steady clock."""
        if self._until is None or now - self._until > LAG * NANOSECONDS:
            self._until = now
        with self.lock:
            if now < self._held_until:
                self._until = now
            while self._until + TIMESTEP * NANOSECONDS <= now:
                self._until += round(TIMESTEP * NANOSECONDS)
                self._step(self._until)
            self.motion = Motion(self.world.position, self.world.velocity)

    def _step(self, now: int) -> None:
        model, data, motors = self.world.model, self.world.data, self.motors
        torque = motors.torque
        share = np.where(torque > 0, 1.0, 0.0)
        limp = torque == 0
        most = np.where(limp, motors.stall, torque)  # a limp servo still brakes
        model.actuator_forcerange[:] = np.stack([-most, most], axis=1)
        model.actuator_gainprm[:, 0] = share * self._stiffness
        model.actuator_biasprm[:, 1] = -share * self._stiffness
        model.actuator_biasprm[:, 2] = -np.where(limp, LIMP_DAMPING, 1.0) * self._damping
        force, away = np.where(limp, 0.0, data.actuator_force), motors.drive - self.world.position
        data.ctrl[:] = motors.step(TIMESTEP, now, force, away)
        self.world.step(round(TIMESTEP * NANOSECONDS))

    def _put(self, position: FloatArray) -> None:
        self.world.put(position)
        self.motion = Motion(self.world.position, self.world.velocity)

    def _run(self) -> None:
        while not self._closed.wait(TIMESTEP):
            self.advance(time.monotonic_ns())
