"""`sinew bench keypoints`: detected keypoints against a simulator's truth, over random scenes."""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from rich.console import Console
from rich.progress import track
from sinew_core.hardware import Hardware, load_hardware
from sinew_core.plugins import build
from sinew_core.protocols import PerceptionModel, Station
from sinew_core.types import CameraFrame, JointCommand, Keypoint

from sinew_perception.truth import true_objects

TASKS = ("pick_place", "push", "stack", "reach")
POSES = ("home", "home", "over", "held", "placed")  # the scenes, in turn: see _scene
VISIBLE = 0.5  # an object of whose near side a camera sees this much must be found
SETTLE = 500_000_000  # ns
MOVE = 30  # control periods that the arm has to get to a random pose


@dataclass
class Tally:
    """What the scenes of one kind gave."""

    errors: list[float] = field(default_factory=list)  # m
    misses: list[str] = field(default_factory=list)
    false: list[str] = field(default_factory=list)
    visible: int = 0

    def summary(self) -> dict[str, Any]:
        """Return the figures."""
        errors = 1000 * np.array(self.errors or [np.nan])
        return {
            "median_mm": round(float(np.median(errors)), 2),
            "p95_mm": round(float(np.percentile(errors, 95)), 2),
            "max_mm": round(float(errors.max()), 2),
            "visible": self.visible,
            "found": len(self.errors),
            "misses": len(self.misses),
            "false": len(self.false),
        }

    def add(self, other: Tally) -> None:
        """Take another tally in."""
        self.errors += other.errors
        self.misses += other.misses
        self.false += other.false
        self.visible += other.visible


def main(argv: Sequence[str] | None = None) -> int:
    """Run the bench; the last line of the output is the result in JSON."""
    parser = argparse.ArgumentParser(prog="sinew bench keypoints", description=__doc__)
    parser.add_argument("--hardware", default="sim_mujoco")
    parser.add_argument("--scenes", type=int, default=200)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--json", action="store_true", help="print nothing but the JSON line")
    args = parser.parse_args(argv)
    console = Console(stderr=True, quiet=args.json and not sys.stderr.isatty())
    hardware = load_hardware(args.hardware).with_pace("lockstep")
    tallies = {pose: Tally() for pose in POSES}
    seconds: list[float] = []
    scenes = track(_scenes(hardware, args.scenes, args.seed), "keypoints", total=args.scenes, console=console)
    for pose, tally, took in scenes:
        tallies[pose].add(tally)
        seconds.append(took)
    result = _result(tallies, seconds)
    if not args.json:
        for pose, tally in tallies.items():
            console.print(pose, tally.summary(), sorted(tally.misses), sorted(tally.false))
    result |= {"hardware": hardware.name, "scenes": args.scenes, "seed": args.seed}
    print(json.dumps(result))
    return 0


def _result(tallies: Mapping[str, Tally], seconds: Sequence[float]) -> dict[str, Any]:
    everything = Tally()
    for tally in tallies.values():
        everything.add(tally)
    by_pose = {pose: tally.summary() for pose, tally in tallies.items()}
    milliseconds = round(1000 * float(np.median(seconds)), 2) if seconds else None
    return everything.summary() | {"ms_per_frame_pair": milliseconds, "by_pose": by_pose}


def _scenes(hardware: Hardware, count: int, seed: int) -> Iterator[tuple[str, Tally, float]]:
    """Yield the arm's pose, the tally and the detector's time (s) of each scene; tasks take equal shares."""
    for index, task in enumerate(TASKS):
        station = hardware.open_station(task)
        detector = build(
            hardware.config.perception,
            PerceptionModel,
            f"{hardware.path}: perception",
            hardware=hardware,
            robot=hardware.robot,
        )
        try:
            for number in range(index, count, len(TASKS)):
                pose = POSES[number // len(TASKS) % len(POSES)]
                yield pose, *_scene(hardware, station, detector, pose, seed + number)
        finally:
            station.close()


def _scene(
    hardware: Hardware, station: Station, detector: PerceptionModel, pose: str, seed: int
) -> tuple[Tally, float]:
    """Measure one scene: the arm at home or over the table, or the object in its hand or at its target."""
    assert station.world is not None, "the bench needs a simulated station"
    detector.reset(station.world.reset(seed))
    if pose in ("over", "held"):
        _move_arm(hardware, station, np.random.default_rng(seed))
    if pose == "held":
        _put_in_hand(hardware, station)
    elif pose == "placed":
        _put_at_target(station)
    joints = station.arm.read()
    frames = {name: station.cameras[name].read() for name in ("top", "side")}
    start = time.perf_counter()
    keypoints = detector.process(frames, joints).keypoints
    took = time.perf_counter() - start
    return _compare(hardware, station, frames, keypoints), took


def _move_arm(hardware: Hardware, station: Station, rng: np.random.Generator) -> None:
    """Move the arm to a random pose with the tip over the scene's area."""
    robot, area = hardware.robot, hardware.config.scene
    for _ in range(10_000):
        wanted = robot.home + rng.normal(0.0, 0.4, len(robot.home))
        wanted = np.clip(wanted, robot.lower, robot.upper)
        x, y, z = robot.chain.pose(robot.tip_link, wanted)[:3, 3]
        over = area.lower[0] <= x <= area.upper[0] and area.lower[1] <= y <= area.upper[1]
        if over and 0.06 < z < 0.20:
            break
    start = station.arm.read().position
    for step in range(MOVE):
        share = min(1.0, 1.5 * (step + 1) / MOVE)
        target = (1 - share) * start + share * wanted
        station.arm.write(JointCommand(station.arm.read().stamp, target))
        assert station.world is not None
        station.world.step(hardware.period)


def _put_in_hand(hardware: Hardware, station: Station) -> None:
    """Put the object that the task is about between the gripper's fingers."""
    world: Any = station.world
    tip = hardware.robot.chain.pose(hardware.robot.tip_link, station.arm.read().position)
    world.place(world.scene.moved, tip[:3, 3])


def _put_at_target(station: Station) -> None:
    """Put the object that the task is about on or into its target, and let it come to rest."""
    world: Any = station.world
    scene = world.scene
    if scene.target is not None:
        below, half = world.state().objects[scene.target].position, scene.spec(scene.moved).height / 2
        height = scene.spec(scene.target).height / 2 + half + 0.002
        world.place(scene.moved, below + np.array([0.01, 0.0, height]))
        world.step(SETTLE)


def _compare(
    hardware: Hardware,
    station: Station,
    frames: Mapping[str, CameraFrame],
    keypoints: Mapping[str, Keypoint],
) -> Tally:
    tally = Tally()
    truth = true_objects(hardware, station, frames)
    for name, (position, seen) in truth.items():
        tally.visible += seen >= VISIBLE
        if name in keypoints:
            tally.errors.append(float(np.linalg.norm(keypoints[name].position - position)))
        elif seen >= VISIBLE:
            tally.misses.append(name)
    tally.false += [name for name in keypoints if name not in truth]
    return tally
