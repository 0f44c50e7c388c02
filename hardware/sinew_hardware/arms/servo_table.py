"""What a make of servo calls its registers, in which units, and what its error bits mean."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from sinew_hardware.buses.registers import Block, Register

TURN = 4096  # ticks, of the servos of both makes


@dataclass(frozen=True, slots=True)
class ServoTable:
    """The part of a control table that an arm needs."""

    make: str
    models: Mapping[int, str]  # model number: name
    torque: Register
    goal: Register
    speed_limit: Register  # of the motion towards the goal
    acceleration: Register
    homing_offset: Register
    offset_sign: int  # position = encoder + offset_sign * homing offset
    memory_lock: Register | None  # 0 before what must outlive a power cut can be written
    position: Register
    velocity: Register
    load: Register
    voltage: Register
    temperature: Register
    velocity_unit: float  # rad/s
    load_unit: float  # share of the torque limit
    voltage_unit: float  # V
    errors: Mapping[int, str]  # by bit of `error_byte` or of `error_register`
    error_mask: int  # bits of the status packet's error byte that tell of the servo's own state
    error_register: Register | None  # where they are told in full; None: in the error byte itself

    @property
    def state(self) -> Block:
        """The block that is read in every control period."""
        return Block.of(self.position, self.velocity, self.load, self.voltage, self.temperature)

    def error_names(self, bits: int) -> str:
        """Return what error bits say, ', ' between them; '' for none."""
        return ", ".join(name for bit, name in self.errors.items() if bits & bit)


# Feetech, "ST3215 memory table": STS3215 of the SO-100 and SO-101. Position, velocity and load carry
# their sign in a bit of their own.
FEETECH_STS = ServoTable(
    make="Feetech",
    models={777: "STS3215", 2825: "STS3250", 2569: "SM8512BL"},
    torque=Register(40, 1),
    goal=Register(42, 2, sign=15),
    speed_limit=Register(46, 2, sign=15),
    acceleration=Register(41, 1),
    homing_offset=Register(31, 2, sign=11),
    offset_sign=-1,
    memory_lock=Register(55, 1),
    position=Register(56, 2, sign=15),
    velocity=Register(58, 2, sign=15),
    load=Register(60, 2, sign=10),
    voltage=Register(62, 1),
    temperature=Register(63, 1),
    velocity_unit=2 * np.pi / TURN,
    load_unit=0.001,
    voltage_unit=0.1,
    errors={1: "wrong voltage", 2: "encoder error", 4: "overheating", 8: "overcurrent", 32: "overload"},
    error_mask=0x2F,
    error_register=None,
)

# Robotis e-Manual, control table of the X series with protocol 2.0: XL330, XL430, XM430, XM540.
DYNAMIXEL_X = ServoTable(
    make="Dynamixel",
    models={
        1020: "XM430-W350",
        1030: "XM430-W210",
        1060: "XL430-W250",
        1120: "XM540-W270",
        1130: "XM540-W150",
        1190: "XL330-M077",
        1200: "XL330-M288",
    },
    torque=Register(64, 1),
    goal=Register(116, 4, two=True),
    speed_limit=Register(112, 4),
    acceleration=Register(108, 4),
    homing_offset=Register(20, 4, two=True),
    offset_sign=1,
    memory_lock=None,
    position=Register(132, 4, two=True),
    velocity=Register(128, 4, two=True),
    load=Register(126, 2, two=True),
    voltage=Register(144, 2),
    temperature=Register(146, 1),
    velocity_unit=0.229 * 2 * np.pi / 60,
    load_unit=0.001,
    voltage_unit=0.1,
    errors={1: "wrong voltage", 4: "overheating", 8: "encoder error", 16: "electrical shock", 32: "overload"},
    error_mask=0x80,
    error_register=Register(70, 1),
)
