"""Scenes of the simulator as observations."""

from __future__ import annotations

from functools import cache

from sinew_core.hardware import load_hardware
from sinew_core.models import make_perception
from sinew_core.types import Observation


@cache
def observe_simulated(name: str, task: str, seed: int, instruction: str) -> Observation:
    hardware = load_hardware(name).with_pace("lockstep")
    station = hardware.open_station(task)
    try:
        assert station.world is not None
        asked = station.world.reset(seed, instruction)
        perception = make_perception(hardware, task)
        perception.reset(asked)
        joints = station.arm.read()
        frames = {camera: station.cameras[camera].read() for camera in ("top", "side")}
        percept = perception.process(frames, joints)
        return Observation(joints.stamp, joints, frames, percept.keypoints, None, {}, asked)
    finally:
        station.close()
