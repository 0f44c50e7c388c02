"""An arm of bus servos, whatever their make: reading, writing, torque, and what the servos complain of."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Mapping

from sinew_core.errors import ConfigError, DeviceError
from sinew_core.preflight import Check
from sinew_core.robot import Robot
from sinew_core.types import NANOSECONDS, JointCommand, JointState

from sinew_hardware.arms.servo_arm_config import ServoArmConfig
from sinew_hardware.arms.servo_check import check_servo, meet
from sinew_hardware.arms.servo_losses import Loss, Misses
from sinew_hardware.arms.servo_reading import ALERT, ServoReading, decode
from sinew_hardware.arms.servo_table import ServoTable
from sinew_hardware.buses.servo_bus import Answer, ServoBus

log = logging.getLogger(__name__)
ATTEMPTS = 2  # of a reading, within one control period
OPENING_ATTEMPTS = 5
TORQUE_EVERY = 3  # readings, from one servo that is asked for its torque to the next
RESET = 1.0  # s between attempts to make a servo forget its error


class ServoArm:
    """Speaks to the servos of one arm; `open_bus` opens their port, and again when it was gone.

    A reading that fails is tried again at once; a few in a row give the last one with its old stamp, which
    the station's watchdogs know how to take. After that, and for a servo that complains, `read` raises
    DeviceError until it is well again. Torque comes with the first command, at the pose the arm is in.
    """

    def __init__(
        self, config: ServoArmConfig, robot: Robot, table: ServoTable, open_bus: Callable[[], ServoBus]
    ) -> None:
        self.config, self.table, self.robot = config, table, robot
        self.joints = config.joints(robot, f"{table.make} arm: servos")
        self._open_bus, self._lock = open_bus, threading.RLock()  # a stop may come beside a reading
        self.bus: ServoBus = open_bus()
        self._last: JointState | None = None
        self._reading: ServoReading
        self._misses, self._loss = Misses(), Loss()
        self._turn, self._torqued, self._closed = 0, False, False
        self._failure, self._reset_at = "", 0.0
        try:
            self._begin()
        except BaseException:
            self.bus.close()
            raise

    def read(self) -> JointState:
        """Return the present joints; raises DeviceError for an arm that does not answer, or complains."""
        with self._lock:
            return self._read()

    def _read(self) -> JointState:
        if self._closed:
            raise DeviceError(f"{self.config.port}: the arm was closed.")
        if self._loss:
            self._reopen()
        try:
            answers, stamp = self._ask(ATTEMPTS)
        except DeviceError as error:
            self._lose(error)
            raise
        silent = [servo for servo, answer in answers.items() if answer.data is None]
        if silent:
            return self._miss(silent[0])
        self._misses.end()
        joints = self._take(answers, stamp)
        self._heed()
        self._check_torque()
        self._last = joints
        return _copy(joints)

    def write(self, command: JointCommand) -> None:
        """Send a target for every joint; what cannot be sent is told by the next reading."""
        with self._lock:
            if self.config.leader or self._failure or self._loss or self._closed:
                return
            try:
                if not self._torqued:
                    self.engage()
                goals = dict(zip(self.joints.ids, self.joints.ticks(command.position), strict=True))
                self.bus.write_all(self.table.goal, goals)
            except DeviceError as error:
                self._lose(error)

    def stop(self) -> None:
        """Hold where the arm is, if it has torque; safe to call at any time, and from any thread."""
        with self._lock:
            if not self._torqued or self._loss or self._closed:
                return
            try:
                self._hold_here()
            except DeviceError as error:
                self._lose(error)

    def engage(self) -> None:
        """Give torque at the pose that the arm is in now; raises DeviceError if a servo does not take it."""
        table, bus = self.table, self.bus
        self._hold_here()
        for servo, given in zip(self.joints.ids, self.joints.servos, strict=True):
            self.limit_torque(servo, given.torque_limit)
            bus.write(servo, table.acceleration, self.config.acceleration)
            bus.write(servo, table.torque, 1)
        self._torqued = True

    def limit_torque(self, servo: int, share: float) -> None:
        """Limit a servo's torque to a share of the most that it has."""
        raise NotImplementedError

    def reset(self, servo: int) -> None:
        """Make a servo forget an error whose cause is over."""
        raise NotImplementedError

    def release(self) -> None:
        """Take the torque away; the arm sinks."""
        self._torqued = False
        for servo in self.joints.ids:
            self.bus.write(servo, self.table.torque, 0)

    def ticks(self) -> tuple[float, ...]:
        """Read the servos once more; return their positions in ticks, in joint order."""
        self.read()
        return tuple(self._reading.ticks.tolist())

    def checks(self) -> list[Check]:
        """Return how each servo is."""
        return [
            check_servo(one, self.config.voltage, self.config.max_temperature) for one in self._reading.health
        ]

    def close(self) -> None:
        """Hold the arm if it holds, and release the port."""
        with self._lock:
            if not self._closed:
                self.stop()
                self._closed = True
                self.bus.close()

    def _begin(self) -> None:
        """Meet the servos and read them; raises DeviceError with what to do."""
        meet(self.bus, self.joints, self.table, self.config.baud)
        answers, stamp = self._ask(OPENING_ATTEMPTS)
        silent = [servo for servo, answer in answers.items() if answer.data is None]
        if silent:
            raise DeviceError(
                f"arm: {self.joints.name(silent[0])} answers alone and not among the others: is its id given "
                "to two servos? Connect them one by one and give each its own."
            )
        self._last = self._take(answers, stamp)

    def _ask(self, attempts: int) -> tuple[dict[int, Answer], int]:
        answers: dict[int, Answer] = {}
        stamp = 0
        for _ in range(attempts):
            begun = time.time_ns()
            answers = self.bus.read_all(self.joints.ids, self.table.state)
            stamp = (begun + time.time_ns()) // 2
            if all(answer.data is not None for answer in answers.values()):
                break
        return answers, stamp

    def _take(self, answers: Mapping[int, Answer], stamp: int) -> JointState:
        reading = self._reading = decode(self.table, self.joints, answers)
        effort = self.joints.directions * reading.load * self.robot.effort
        return JointState(stamp, reading.position, reading.velocity, effort)

    def _heed(self) -> None:
        """Raise for a servo that complains, after doing what the hardware file says."""
        sick = next((one for one in self._reading.health if one.error), None)
        if sick is None:
            self._failure = ""
            return
        error, register = sick.error, self.table.error_register
        if register is not None:
            error = self.table.error_names(self.bus.read(sick.id, register)) or ALERT
        if not self._failure:
            self._give_up()
        if time.monotonic() - self._reset_at > RESET:
            self._reset_at = time.monotonic()
            self.reset(sick.id)
        self._failure = f"arm: {self.joints.name(sick.id)} reports {error}"
        raise DeviceError(f"{self._failure}. Take the load off and look after it, then arm again.")

    def _check_torque(self) -> None:
        """Ask one servo after the other, now and then, whether it has the torque that it was given."""
        self._turn += 1
        which, pause = divmod(self._turn, TORQUE_EVERY)
        if pause or not self._torqued:
            return
        servo = self.joints.ids[which % len(self.joints.ids)]
        if self.bus.glance(servo, self.table.torque) == 0:
            self._torqued = False
            raise DeviceError(f"arm: {self.joints.name(servo)} has lost its torque: was its power cut?")

    def _give_up(self) -> None:
        log.error("arm: a servo gives up: %s", "the arm goes limp" if self._limp else "the others hold")
        if self._limp:
            self.release()
        elif self._torqued:
            self._hold_here()
        self._torqued = False  # the sick one has let go: torque comes anew with the next command

    @property
    def _limp(self) -> bool:
        return self.config.on_error == "limp"

    def _hold_here(self) -> None:
        """Send every servo to where it is now; to where it was, if one of them does not say."""
        answers, stamp = self._ask(1)
        if all(answer.data is not None for answer in answers.values()):
            self._take(answers, stamp)
        goals = {servo: int(t) for servo, t in zip(self.joints.ids, self._reading.ticks, strict=True)}
        self.bus.write_all(self.table.goal, goals)

    def _miss(self, servo: int) -> JointState:
        """Return the last reading for a while; then raise DeviceError, naming the servo."""
        assert self._last is not None
        name = self.joints.name(servo)
        if self._misses.add(name):
            silent = self.bus.ping(servo) is None
            how = "does not answer" if silent else "answers with something garbled"
            self._misses.sentence = f"arm: {name} {how}"
            self._torqued = False  # it may have lost its power
        if self._misses.patient:
            return _copy(self._last)
        silence = (time.time_ns() - self._last.stamp) / NANOSECONDS
        raise DeviceError(f"{self._misses.sentence}, for {silence:.2f} s now. Check its cable and its power.")

    def _lose(self, error: DeviceError) -> None:
        self._loss.begin(error)
        self._torqued = False

    def _reopen(self) -> None:
        """Begin anew with a lost arm, now and then; raises DeviceError with why as long as it is lost."""
        self._loss.try_again()
        self.bus.close()
        try:
            self.bus = self._open_bus()
        except (DeviceError, ConfigError) as error:
            raise DeviceError(self._loss.sentence) from error
        try:
            self._begin()
        except DeviceError as error:  # the port is there again, and an arm on it is not
            self._loss.sentence = str(error)
            raise
        log.warning("%s: the port is there again", self.config.port)
        self._loss.end()


def _copy(joints: JointState) -> JointState:
    effort = None if joints.effort is None else joints.effort.copy()
    return JointState(joints.stamp, joints.position.copy(), joints.velocity.copy(), effort)
