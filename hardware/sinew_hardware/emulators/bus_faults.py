"""What goes wrong on an emulated bus, on demand: lost bytes, wrong checksums, silence, two of one id."""

from __future__ import annotations

import random
from dataclasses import dataclass
from typing import Literal

Kind = Literal["lost_byte", "bad_checksum", "silent", "twin"]
KINDS: tuple[Kind, ...] = ("lost_byte", "bad_checksum", "silent", "twin")


@dataclass(frozen=True, slots=True)
class BusFault:
    """One fault, until a time; of one servo, or of all where `servo` is 0."""

    kind: Kind
    until: int  # ns
    servo: int = 0
    share: float = 1.0  # of the packets that it befalls


class BusFaults:
    """The faults of a bus; `add` and `clear` may come from another thread."""

    def __init__(self, rng: random.Random) -> None:
        self._rng = rng
        self._present: tuple[BusFault, ...] = ()

    def add(self, fault: BusFault) -> None:
        """Begin a fault."""
        self._present = (*self._present, fault)

    def clear(self) -> None:
        """End all of them."""
        self._present = ()

    def silent(self, servo: int, now: int) -> bool:
        """Tell whether a servo does not answer at `now`, in ns."""
        return self._befalls("silent", servo, now)

    def spoil(self, servo: int, packet: bytes, now: int) -> bytes:
        """Return what of a servo's packet arrives."""
        if self._befalls("lost_byte", servo, now):
            lost = self._rng.randrange(len(packet))
            packet = packet[:lost] + packet[lost + 1 :]
        if self._befalls("bad_checksum", servo, now):
            packet = packet[:-1] + bytes([packet[-1] ^ 0x5A])
        if self._befalls("twin", servo, now):  # both drive the wire: a low bit of either wins
            packet = packet[:5] + bytes(b & self._rng.randrange(256) for b in packet[5:])
        return packet

    def _befalls(self, kind: Kind, servo: int, now: int) -> bool:
        return any(
            fault.kind == kind
            and fault.servo in {0, servo}
            and now < fault.until
            and self._rng.random() < fault.share
            for fault in self._present
        )
