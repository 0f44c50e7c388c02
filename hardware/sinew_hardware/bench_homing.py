"""How true an emulated arm's joints read after `sinew calibrate servos`, however its servos were mounted."""

from __future__ import annotations

import tempfile
import time
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import yaml
from sinew_core.config import load_yaml
from sinew_core.hardware import Hardware, find_hardware, load_hardware
from sinew_core.types import FloatArray

from sinew_hardware.arms.servo_arm import ServoArm
from sinew_hardware.arms.servo_joints import ServoConfig
from sinew_hardware.calibration.servos import ServoCalibration
from sinew_hardware.calibration.verb_servos import hand_path, uncalibrated
from sinew_hardware.devices import Devices

MOUNTED = 700  # ticks either way, by which servos are turned on their joints
SHORT = 0.3  # deg, by which a hand may stop before the end of a joint's travel
POSES = 12


def homing_error(seed: int, name: str = "so101_emulated") -> dict[str, float]:
    """Mount servos at random, calibrate, and return the worst error of any joint at random poses, in deg."""
    rng = np.random.default_rng(seed)
    with tempfile.TemporaryDirectory(prefix="sinew-homing-") as folder:
        hardware = _mounted(name, Path(folder), rng)
        with Devices.of(hardware) as devices:
            calibration = ServoCalibration(uncalibrated(devices, hardware))
            assert devices.emulated is not None
            for position in hand_path(hardware):
                short = 1 - np.radians(SHORT) * rng.random(len(position))
                devices.emulated.talk("put", position=(position * short).tolist())
                calibration.look()
            homings = calibration.result()
            calibration.store(homings)
            devices.close_devices()
            servos = {
                homing.joint: asdict(_servos(hardware)[homing.joint]) | {"homing_offset": homing.offset}
                for homing in homings
            }
            arm = devices.arm(servos=servos)
            assert isinstance(arm, ServoArm)
            return {"homing_deg": max(_error(devices, arm, hardware, rng) for _ in range(POSES))}


def _error(devices: Devices, arm: ServoArm, hardware: Hardware, rng: np.random.Generator) -> float:
    robot = hardware.robot
    position: FloatArray = rng.uniform(robot.lower, robot.upper)
    assert devices.emulated is not None
    devices.emulated.talk("put", position=position.tolist())
    time.sleep(0.02)
    return float(np.degrees(np.abs(arm.read().position - position).max()))


def _servos(hardware: Hardware) -> dict[str, ServoConfig]:
    given: dict[str, Any] = hardware.config.station["arm"]["servos"]
    return {name: ServoConfig(**fields) for name, fields in given.items()}


def _mounted(name: str, folder: Path, rng: np.random.Generator) -> Hardware:
    """Return the hardware with its emulated servos turned on their joints, as nobody knows how."""
    path = find_hardware(name)
    fields = load_yaml(path)
    fields["robot"] = str((path.parent / fields["robot"]).resolve())
    servos = fields["station"]["arm"]["servos"]
    fields["station"]["emulator"]["servos"] = {
        joint: {"id": servo["id"], "zero": int(2048 + rng.integers(-MOUNTED, MOUNTED))}
        for joint, servo in servos.items()
    }
    written = folder / "mounted.yaml"
    written.write_text(yaml.safe_dump(fields), encoding="utf-8")
    return load_hardware(str(written))
