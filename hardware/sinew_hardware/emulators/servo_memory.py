"""The registers of emulated servos: what can be read and written, and what the motors make of it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
from sinew_core.types import FloatArray

from sinew_hardware.arms.servo_joints import ServoJoints
from sinew_hardware.arms.servo_table import TURN, ServoTable
from sinew_hardware.buses.registers import Register
from sinew_hardware.emulators.motors import Motors

SIZE = 256  # bytes, of a control table
LONGEST = 250  # bytes that can be had at once


@dataclass(frozen=True, slots=True)
class Motion:
    """What the physics says of the joints at one moment; (n,)."""

    position: FloatArray
    velocity: FloatArray


@dataclass(frozen=True, slots=True)
class MemoryLayout:
    """What an emulated servo has beside the driver's table."""

    model: Register
    id: Register
    torque_limit: Register
    torque_unit: float  # share of the stall torque
    volatile_from: int  # the first address that a power cut clears
    guarded: bool = False  # whether what outlives a power cut can only be written without torque
    defaults: dict[int, tuple[int, int]] = field(default_factory=dict)  # address: (size, value)


class ServoMemory:
    """The control tables of the servos of an arm. `motion` tells where its joints are now."""

    def __init__(
        self,
        table: ServoTable,
        layout: MemoryLayout,
        joints: ServoJoints,
        motors: Motors,
        motion: Callable[[], Motion],
    ) -> None:
        self.table, self._layout, self._joints, self._motors, self._motion = (
            *(table, layout, joints),
            *(motors, motion),
        )
        self._tables = {servo: self._fresh(servo) for servo in joints.ids}
        self._kept = {servo: bytearray(memory) for servo, memory in self._tables.items()}
        self.errors: dict[int, int] = dict.fromkeys(joints.ids, 0)  # bits forced from outside

    @property
    def ids(self) -> tuple[int, ...]:
        """The servos that are there."""
        return tuple(self._tables)

    def has(self, address: int, size: int) -> bool:
        """Tell whether so many bytes can be read or written there."""
        return size <= LONGEST and address + size <= SIZE

    def read(self, servo: int, address: int, size: int) -> bytes:
        """Return bytes as they are now."""
        self._refresh(servo)
        return bytes(self._tables[servo][address : address + size])

    def write(self, servo: int, address: int, data: bytes, now: int) -> bool:
        """Write bytes at `now`, in ns, and do what follows; False, and nothing, where they may not go."""
        memory = self._tables[servo]
        torqued = self._layout.guarded and memory[self.table.torque.address] == 1
        if not self.has(address, len(data)) or (torqued and address < self._layout.volatile_from):
            return False
        memory[address : address + len(data)] = data
        lock = self.table.memory_lock
        if lock is None or memory[lock.address] == 0:
            self._kept[servo][address : address + len(data)] = data
        touched = range(address, address + len(data))
        i = self._joints.ids.index(servo)
        if self.table.torque.address in touched:
            on = memory[self.table.torque.address] == 1
            self._motors.enable(i, on, self._motion().position[i])
        if self._layout.torque_limit.address in touched:
            limit = self._layout.torque_limit.decode(memory[self._layout.torque_limit.address :])
            self._motors.limit(i, limit * self._layout.torque_unit)
        if self.table.goal.address in touched:
            self._motors.command(i, self._goal(servo, i), now)
        return True

    def error(self, servo: int) -> int:
        """Return the error bits of a servo, as its `errors` table names them."""
        i = self._joints.ids.index(servo)
        overload = next(bit for bit, name in self.table.errors.items() if name == "overload")
        return self.errors[servo] | (overload if self._motors.overloaded[i] else 0)

    def power_cycle(self, servo: int) -> None:
        """Let a servo lose its power and get it again: only what its memory keeps is left."""
        memory = bytearray(self._kept[servo])
        memory[self._layout.volatile_from :] = self._fresh(servo)[self._layout.volatile_from :]
        self._tables[servo] = memory
        i = self._joints.ids.index(servo)
        self._motors.enable(i, on=False, position=self._motion().position[i])
        self._motors.limit(i, 1.0)
        self.errors[servo] = 0

    def _fresh(self, servo: int) -> bytearray:
        memory = bytearray(SIZE)
        layout, table = self._layout, self.table
        for address, (size, value) in layout.defaults.items():
            memory[address : address + size] = value.to_bytes(size, "little")
        self._put(memory, layout.model, next(iter(table.models)))
        self._put(memory, layout.id, servo)
        if table.memory_lock is not None:
            self._put(memory, table.memory_lock, 1)
        return memory

    def _offset(self, servo: int) -> int:
        register = self.table.homing_offset
        return self.table.offset_sign * register.decode(self._tables[servo][register.address :])

    def _told(self, servo: int, ticks: int) -> int:
        """Return what a servo tells of its encoder's ticks; Feetech's tell of one turn only."""
        told = ticks + self._offset(servo)
        return told % TURN if self.table.position.sign is not None else told

    def _goal(self, servo: int, i: int) -> float:
        """Return a joint's goal: as far from where it is as the register is from what the servo tells."""
        ticks = self._joints.ticks(self._motion().position)
        wanted = self.table.goal.decode(self._tables[servo][self.table.goal.address :])
        there = np.array(ticks, dtype=np.float64)
        there[i] += wanted - self._told(servo, ticks[i])
        return float(self._joints.positions(there)[i])

    def _refresh(self, servo: int) -> None:
        table, motors, memory = self.table, self._motors, self._tables[servo]
        i = self._joints.ids.index(servo)
        motion = self._motion()
        ticks = self._joints.ticks(motors.encoder(motion.position))[i]
        given = self._joints.servos[i]
        speed = motion.velocity[i] * given.direction * given.gear
        self._put(memory, table.position, self._told(servo, ticks))
        self._put(memory, table.velocity, round(speed / table.velocity_unit))
        self._put(memory, table.load, round(motors.load[i] * given.direction / table.load_unit))
        self._put(memory, table.voltage, round(motors.voltage / table.voltage_unit))
        self._put(memory, table.temperature, round(motors.temperature[i]))
        if table.error_register is not None:
            self._put(memory, table.error_register, self.error(servo))

    @staticmethod
    def _put(memory: bytearray, register: Register, value: int) -> None:
        value = int(np.clip(value, *register.range))  # a blow may be faster than a register can tell
        memory[register.address : register.address + register.size] = bytes(register.encode(value))
