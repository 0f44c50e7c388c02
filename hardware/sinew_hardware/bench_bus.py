"""how fast an arm's driver reads and writes its servos, and how much of what the wire allows that is"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Sequence
from contextlib import suppress
from typing import Any

import numpy as np
from sinew_core.errors import ConfigError, DeviceError
from sinew_core.hardware import Hardware, load_hardware
from sinew_core.types import JointCommand

from sinew_hardware.arms.servo_arm import ServoArm
from sinew_hardware.devices import Devices
from sinew_hardware.emulators.emulated_bus import RETURN_DELAY

REACH = 0.05  # rad, by which the arm sways meanwhile
FLAT_OUT = 3.0  # s without a pause


def main(argv: Sequence[str]) -> int:
    """Run `sinew bench bus`; JSON on the last line."""
    parser = argparse.ArgumentParser(
        prog="sinew bench bus",
        description="Read and write every servo of an emulated arm at a rate, then as fast as can be.",
    )
    parser.add_argument("--hardware", default="so101_emulated", help="an emulated station's file")
    parser.add_argument("--rate", type=float, default=100.0, help="Hz (100)")
    parser.add_argument("--seconds", type=float, default=20.0)
    parser.add_argument("--json", action="store_true", help="print the JSON line alone")
    arguments = parser.parse_args(argv)
    figures = measure(load_hardware(arguments.hardware), arguments.rate, arguments.seconds)
    if not arguments.json:
        for name, value in figures.items():
            print(f"{name:24} {value}")
    print(json.dumps(figures))
    return 0


def measure(hardware: Hardware, rate: float, seconds: float) -> dict[str, Any]:
    """Return the figures of an emulated arm: read, then write, in every cycle."""
    if rate <= 0 or rate * seconds < 2:
        raise ConfigError(f"expected a rate and at least two cycles, got {rate:g} Hz for {seconds:g} s.")
    with Devices.of(hardware) as devices:
        if devices.emulated is None:
            raise ConfigError(f"{hardware.path}: expected a station with an emulator, as so101_emulated has.")
        arm = devices.arm()
        assert isinstance(arm, ServoArm)
        ends = _cycles(arm, hardware, 1 / rate, seconds)
        flat = _cycles(arm, hardware, 0.0, FLAT_OUT)
    taken, late = ends[:, 1] - ends[:, 0], ends[:, 1] > ends[:, 2]
    limit = 1 / wire_time(arm)
    fastest = len(flat) / (flat[-1, 1] - flat[0, 0])
    return {
        "hz": round((len(ends) - 1) / (ends[-1, 0] - ends[0, 0]), 2),
        "late_percent": round(100 * float(late.mean()), 3),
        "share_of_bus_limit": round(fastest / limit, 3),
        "cycles": len(ends),
        "cycle_p50_ms": round(1e3 * float(np.median(taken)), 3),
        "cycle_p99_ms": round(1e3 * float(np.percentile(taken, 99)), 3),
        "flat_out_hz": round(fastest, 1),
        "bus_limit_hz": round(limit, 1),
        "servos": len(arm.joints.ids),
        "baud": arm.config.baud,
    }


def _cycles(arm: ServoArm, hardware: Hardware, period: float, seconds: float) -> np.ndarray:
    """Return when each cycle began, when it ended, and when it had to; (k, 3) s."""
    rows: list[tuple[float, float, float]] = []
    start = due = time.perf_counter()
    last = arm.read().stamp
    while due - start < seconds if period else time.perf_counter() - start < seconds:
        begun = time.perf_counter()
        stamp = last
        with suppress(DeviceError):  # a reading that failed is as good as late
            stamp = arm.read().stamp
            sway = REACH * np.sin(2 * np.pi * (begun - start))
            arm.write(JointCommand(stamp, hardware.robot.home + sway))
        ended = time.perf_counter()
        fresh, last = stamp > last, stamp
        due += period
        rows.append((begun, ended, (due if period else ended) if fresh else 0.0))
        time.sleep(max(0.0, due - time.perf_counter()))
    return np.array(rows)


def wire_time(arm: ServoArm) -> float:
    """Return the s that one read and one write of all servos take on the wire, with no pause between."""
    n, state, goal = len(arm.joints.ids), arm.table.state.size, arm.table.goal.size
    if arm.table.make == "Feetech":  # FF FF id length ... checksum
        sizes = (8 + n, n * (6 + state), 8 + n * (1 + goal))
    else:  # FF FF FD 00 id length length ... CRC CRC
        sizes = (14 + n, n * (11 + state), 14 + n * (1 + goal))
    return sum(sizes) * 10 / arm.config.baud + n * RETURN_DELAY
