"""Registers of a servo: where a number lies in its control table, and how its sign is written."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Register:
    """One number, lowest byte first. `sign` is the sign's bit where it has one of its own."""

    address: int
    size: int  # bytes
    sign: int | None = None
    two: bool = False  # signed in two's complement

    @property
    def range(self) -> tuple[int, int]:
        """The least and the greatest number that fit."""
        most = (1 << (self.sign if self.sign is not None else 8 * self.size - int(self.two))) - 1
        return -most if self.sign is not None or self.two else 0, most

    def decode(self, data: Sequence[int]) -> int:
        """Return the number that bytes stand for."""
        value = int.from_bytes(bytes(data[: self.size]), "little", signed=self.two)
        if self.sign is not None and value & (1 << self.sign):
            return -(value & ((1 << self.sign) - 1))
        return value

    def encode(self, value: int) -> list[int]:
        """Return the bytes of a number; raises ValueError for one that does not fit."""
        least, most = self.range
        if not least <= value <= most:
            raise ValueError(f"{value} does not fit into the {self.size} bytes at address {self.address}.")
        if self.sign is not None:
            value = abs(value) | ((value < 0) << self.sign)
        return list(value.to_bytes(self.size, "little", signed=self.two))


@dataclass(frozen=True, slots=True)
class Block:
    """Registers that lie together and are read in one go."""

    address: int
    size: int  # bytes

    @classmethod
    def of(cls, *registers: Register) -> Block:
        """Return the block from the first of some registers to the last."""
        first = min(register.address for register in registers)
        return cls(first, max(register.address + register.size for register in registers) - first)

    def value(self, register: Register, data: Sequence[int]) -> int:
        """Return a register's number from the block's bytes."""
        return register.decode(data[register.address - self.address :])
