"""What emulated servos are asked, whatever the protocol, and the seam to a protocol."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal, Protocol

from sinew_hardware.arms.servo_table import ServoTable
from sinew_hardware.emulators.servo_memory import MemoryLayout

BROADCAST = 0xFE
Refusal = Literal["instruction", "access"]  # not known, or not to be done there


@dataclass(frozen=True, slots=True)
class Instruction:
    """One packet from the driver."""

    name: str  # ping, read, write, sync_read, sync_write, reboot, unknown
    servos: tuple[int, ...]
    address: int = 0
    size: int = 0
    data: Mapping[int, bytes] = field(default_factory=dict)  # by servo


class BusProtocol(Protocol):
    """The packets of a make."""

    @property
    def table(self) -> ServoTable:
        """The registers."""

    @property
    def layout(self) -> MemoryLayout:
        """What the memory holds beside them."""

    def take(self, buffer: bytearray) -> Instruction | None:
        """Cut the next whole instruction from a buffer; None if there is none."""

    def status(self, servo: int, error: int, data: bytes) -> bytes:
        """Return a servo's answer, its error bits as the table has them."""

    def refusal(self, servo: int, error: int, why: Refusal) -> bytes:
        """Return a servo's answer to what it does not do; b"" if it has none."""

    def pinged(self, memory: bytes) -> bytes:
        """Return what a ping is answered with, of the first bytes of a servo's memory."""


def by_servo(parameters: bytes, size: int) -> dict[int, bytes] | None:
    """Return what a grouped write has for each servo: id and `size` bytes, again and again; None if not."""
    if len(parameters) % (size + 1):
        return None
    chunks = [parameters[k : k + size + 1] for k in range(0, len(parameters), size + 1)]
    return {chunk[0]: chunk[1:] for chunk in chunks}
