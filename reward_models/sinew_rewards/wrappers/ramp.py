"""A reading as a share: 0 at one reading, 1 at another, straight between them and cut off beyond."""

from __future__ import annotations


def ramp(reading: float, zero: float, one: float) -> float:
    """Return the share, 0 to 1; `zero` may be the greater one."""
    return min(max((reading - zero) / (one - zero), 0.0), 1.0)


def check_ramp(zero: float, one: float, what: str) -> None:
    """Raise ValueError where both ends are the same."""
    if zero == one:
        raise ValueError(f"{what}: expected two readings that differ, got {zero} twice.")
