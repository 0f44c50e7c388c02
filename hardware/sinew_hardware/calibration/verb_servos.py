"""`sinew calibrate servos`: the limp arm is moved by hand, each joint from end to end."""

from __future__ import annotations

import argparse
import select
import sys
import threading
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime

import numpy as np
from rich.console import Console
from rich.live import Live
from rich.table import Table
from sinew_core.calibration_file import write_calibration
from sinew_core.errors import ConfigError
from sinew_core.hardware import Hardware, load_hardware
from sinew_core.types import FloatArray

from sinew_hardware.arms.servo_arm import ServoArm
from sinew_hardware.calibration.homing import Homing, stops
from sinew_hardware.calibration.servos import ServoCalibration, fields
from sinew_hardware.devices import Devices

INTERVAL = 0.02  # s between readings
DONE = 0.97  # share of a joint's travel that is shown as all of it
STEPS = 120  # of an emulated hand from end to end


def calibrate_servos(arguments: argparse.Namespace, console: Console) -> int:
    """Run the verb."""
    hardware = load_hardware(arguments.hardware)
    with Devices.of(hardware) as devices:
        arm = uncalibrated(devices, hardware)
        console.print("[bold]The arm goes limp. Hold it![/]")
        if devices.emulated is None:
            console.input("Press Enter when you hold it. ")
        calibration = ServoCalibration(arm)
        if devices.emulated is None:
            _by_hand(calibration, arm, console)
        else:
            talk = devices.emulated.talk
            by_emulated_hand(calibration, hardware, lambda p: talk("put", position=p.tolist()))
        homings = calibration.result()
        if arguments.dry:
            _tell(homings, console)
            return 0
        calibration.store(homings)
    path = write_calibration(hardware.path, fields(homings, datetime.now(UTC).date()))
    _tell(homings, console)
    console.print(f"written: {path}, and into the servos' own memories")
    return 0


def uncalibrated(devices: Devices, hardware: Hardware) -> ServoArm:
    """Open the arm without its old calibration, which is about to be replaced."""
    servos = hardware.config.station["arm"].get("servos", {})
    without = {
        name: {k: v for k, v in servo.items() if k != "homing_offset"} for name, servo in servos.items()
    }
    arm = devices.arm(servos=without)
    if not isinstance(arm, ServoArm):
        raise ConfigError(f"{hardware.path}: this arm is no arm of bus servos; its maker homes it.")
    return arm


def by_emulated_hand(
    calibration: ServoCalibration, hardware: Hardware, put: Callable[[FloatArray], object]
) -> None:
    """Move each joint from end to end, as a hand would."""
    for position in hand_path(hardware):
        put(position)
        calibration.look()


def hand_path(hardware: Hardware) -> Iterator[FloatArray]:
    """Yield joint positions (n,): each joint to its lower end, to its upper end and back to the middle."""
    lower, upper = stops(hardware.robot)
    middle = (lower + upper) / 2
    there_and_back = np.concatenate(
        [np.linspace(0, -1, STEPS // 4), np.linspace(-1, 1, STEPS // 2), np.linspace(1, 0, STEPS // 4)]
    )
    for i in range(len(middle)):
        for share in there_and_back:
            position = middle.copy()
            position[i] += share * (upper[i] - lower[i]) / 2
            yield position


def _by_hand(calibration: ServoCalibration, arm: ServoArm, console: Console) -> None:
    done = threading.Event()
    console.print("Move every joint slowly from one end of its travel to the other. Enter when all are full.")
    with Live(console=console, refresh_per_second=10) as live:
        while not done.is_set():
            live.update(_bars(arm, calibration.look()))
            if select.select([sys.stdin], [], [], 0.0)[0]:
                sys.stdin.readline()
                done.set()
            time.sleep(INTERVAL)


def _bars(arm: ServoArm, shares: FloatArray) -> Table:
    table = Table(box=None, pad_edge=False)
    for title in ("joint", "servo", "of its travel", ""):
        table.add_column(title)
    for name, servo, share in zip(arm.joints.names, arm.joints.ids, shares, strict=True):
        filled = round(20 * min(1.0, share))
        colour = "green" if share >= DONE else "yellow"
        bar = f"[{colour}]{'#' * filled}[/]{'.' * (20 - filled)}"
        table.add_row(name, str(servo), bar, f"{100 * share:.0f} %")
    return table


def _tell(homings: list[Homing], console: Console) -> None:
    for homing in homings:
        console.print(
            f"  {homing.joint:16} servo {homing.servo}: offset {homing.offset:+5d}, "
            f"{100 * homing.travel:.1f} % of the travel seen"
        )
