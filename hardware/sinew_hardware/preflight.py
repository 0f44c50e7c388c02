"""Pre-flight of a station of real devices: joints, servos, calibrations, cameras, limits and the stop."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from datetime import date
from functools import partial
from typing import TypeVar

import numpy as np
from sinew_core.errors import ConfigError, DeviceError
from sinew_core.hardware import Hardware
from sinew_core.preflight import Check, Checked
from sinew_core.protocols import Arm, Camera, Station
from sinew_core.types import NANOSECONDS, JointState
from sinew_core.watchdogs import joints_fault

from sinew_hardware.devices import Devices

T = TypeVar("T")
RECENT = 180  # days, after which a calibration is worth another look
OUTSIDE = 0.10  # rad or m, that a joint may stand outside of its limits: a limp arm rests on its stops
LIVE = 1.0  # s within which a camera must deliver something new


def look_at_devices(hardware: Hardware, today: date) -> list[Check]:
    """Open each device by itself, so that one that fails hides no other, and look at everything.

    Raises ConfigError for a hardware file that has no devices.
    """
    failed: list[Check] = []
    with Devices.of(hardware) as devices:
        cameras = {name: _tried(name, partial(devices.camera, name), failed) for name in hardware.cameras}
        arm = _tried("arm", devices.arm, failed)
        there = {name: camera for name, camera in cameras.items() if camera is not None}
        checks = [*(_arm(arm, hardware) if arm is not None else ()), *_calibrations(hardware, today)]
        checks += [_camera(name, camera, hardware) for name, camera in there.items()]
    return [*failed, *checks, _limits(hardware)]


def _tried(name: str, opened: Callable[[], T], failed: list[Check]) -> T | None:
    """Open a device; note why it cannot be, and return None."""
    try:
        return opened()
    except (DeviceError, ConfigError) as error:
        failed.append(Check("arm" if name == "arm" else f"camera {name}", "wrong", str(error)))
        return None


def preflight(station: Station, hardware: Hardware, today: date) -> list[Check]:
    """Look at everything; nothing moves, and what fails is told rather than raised."""
    return [
        *_arm(station.arm, hardware),
        *_calibrations(hardware, today),
        *(_camera(name, camera, hardware) for name, camera in station.cameras.items()),
        _limits(hardware),
    ]


def _arm(arm: Arm, hardware: Hardware) -> Iterator[Check]:
    try:
        joints = arm.read()
    except DeviceError as error:
        yield Check("joints", "wrong", str(error))
        return
    fault = joints_fault(joints, hardware.robot.joint_names)
    yield Check("joints", "wrong", fault) if fault else _joints(joints, hardware)
    if isinstance(arm, Checked):
        yield from arm.checks()
    yield _stop(arm, joints)


def _joints(joints: JointState, hardware: Hardware) -> Check:
    robot = hardware.robot
    beyond = np.maximum(robot.lower - joints.position, joints.position - robot.upper)
    worst = int(np.argmax(beyond))
    if beyond[worst] > OUTSIDE:
        return Check(
            "joints",
            "wrong",
            f"{robot.joint_names[worst]} stands at {joints.position[worst]:.2f}, outside of its limits "
            f"[{robot.lower[worst]}, {robot.upper[worst]}]: is this arm calibrated? Run `sinew calibrate "
            f"servos --hardware {hardware.name}`.",
        )
    return Check("joints", "ok", f"{len(robot.joint_names)} joints answer, all within their limits")


def _stop(arm: Arm, before: JointState) -> Check:
    """Try the way that every stop takes, on an arm that has no torque yet."""
    try:
        arm.stop()
        after = arm.read()
    except DeviceError as error:
        return Check("stop", "wrong", f"a stop does not reach the arm: {error}")
    moved = float(np.abs(after.position - before.position).max())
    return Check("stop", "ok", f"a stop reaches the arm (moved by {moved:.3f} meanwhile)")


def _calibrations(hardware: Hardware, today: date) -> Iterator[Check]:
    known = hardware.config.calibrated
    for name in ("arm", *hardware.config.cameras):
        which = "servos" if name == "arm" else "camera"
        mend = f"run `sinew calibrate {which} --hardware {hardware.name}`"
        day = known.get(name)
        if day is None:
            yield Check(f"calibration of {name}", "note", f"never calibrated; {mend}")
            continue
        age = (today - date.fromisoformat(day)).days
        fresh = age <= RECENT
        sentence = f"of {day}" if fresh else f"{age} days old; {mend}"
        yield Check(f"calibration of {name}", "ok" if fresh else "note", sentence)


def _camera(name: str, camera: Camera, hardware: Hardware) -> Check:
    what, config = f"camera {name}", hardware.config.cameras[name]
    try:
        first = camera.read()
        deadline = time.monotonic() + LIVE
        frame = first
        while frame.stamp == first.stamp and time.monotonic() < deadline:
            time.sleep(0.005)
            frame = camera.read()
    except DeviceError as error:
        return Check(what, "wrong", str(error))
    if frame.stamp == first.stamp:
        return Check(what, "wrong", f"nothing new within {LIVE:g} s. Is it plugged in, and nobody else's?")
    size = frame.rgb.shape[1], frame.rgb.shape[0]
    if size != (config.width, config.height):
        return Check(what, "wrong", f"delivers {size}, expected {(config.width, config.height)}.")
    if config.depth and frame.depth is None:
        return Check(what, "wrong", "delivers no depth; is it a depth camera? Else say `depth: false`.")
    age = (time.time_ns() - frame.stamp) / NANOSECONDS
    late = not -0.01 < age < hardware.config.max_age
    if late:
        return Check(what, "wrong", f"its frames are {age:.2f} s old (max_age {hardware.config.max_age} s).")
    return Check(what, "ok", f"{size[0]}x{size[1]}{' with depth' if config.depth else ''}, live")


def _limits(hardware: Hardware) -> Check:
    config, robot = hardware.config, hardware.robot
    tip = robot.chain.point(robot.tip_link, robot.home)
    box = config.safety
    inside = all(a <= x <= b for a, x, b in zip(box.workspace_lower, tip, box.workspace_upper, strict=True))
    if not inside:
        return Check("limits", "wrong", f"home lies outside of the workspace of {hardware.path}.")
    filters = ", ".join(str(f["plugin"]).rpartition(":")[2] for f in box.filters) or "none"
    return Check("limits", "ok", f"joints, workspace and floor; further filters: {filters}")
