"""The physics timestep of a simulated station, and whole numbers of it."""

from __future__ import annotations

from sinew_core.errors import ConfigError
from sinew_core.hardware import Hardware
from sinew_core.types import NANOSECONDS

SETTLE = 300_000_000  # ns that objects have to come to rest before an episode


def timestep_ns(timestep: float) -> int:
    """Return a timestep in s as whole ns; raises ValueError where it is not."""
    tick = round(timestep * NANOSECONDS)
    if timestep <= 0 or abs(timestep * NANOSECONDS - tick) > 1e-3:
        raise ValueError(f"timestep: expected whole nanoseconds above 0, got {timestep} s.")
    return tick


def check_period(hardware: Hardware, tick: int) -> None:
    """Raise ConfigError unless the control period is a multiple of the timestep, `tick` ns."""
    if hardware.period % tick:
        raise ConfigError(
            f"{hardware.path}: control_period: {hardware.config.control_period} s is no multiple of "
            f"the physics timestep, {tick / NANOSECONDS} s."
        )


def whole_steps(duration: int, tick: int) -> int:
    """Return how many timesteps of `tick` ns a duration is; raises ConfigError unless it is whole."""
    steps, rest = divmod(duration, tick)
    if rest or steps < 1:
        raise ConfigError(
            f"cannot advance by {duration} ns: expected a positive multiple of the timestep, {tick} ns."
        )
    return steps
