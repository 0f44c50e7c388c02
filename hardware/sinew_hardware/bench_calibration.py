"""calibration: lens, mounting and latency of emulated cameras against what they truly are"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable, Mapping, Sequence

import numpy as np
from rich.console import Console
from rich.progress import Progress
from rich.table import Table
from sinew_core.errors import ConfigError

from sinew_hardware.bench_homing import homing_error
from sinew_hardware.calibration.extrinsics import calibrate_mounting
from sinew_hardware.calibration.intrinsics import calibrate_intrinsics, held_out_error
from sinew_hardware.calibration.latency import estimate_latency
from sinew_hardware.calibration.picture_motion import marker_motion
from sinew_hardware.calibration.rotations import difference
from sinew_hardware.emulators.calibration_scene import Scene, fixed_scene, wrist_scene

Figures = dict[str, float]
VIEWS, FRESH, POSES = 24, 6, 20
SMALL = (320, 240)  # px, of the sweep's many frames


def lens_error(seed: int) -> Figures:
    """Return the error of a calibrated lens on pictures that came after its calibration."""
    scene = wrist_scene(seed)
    views = scene.lens_views(VIEWS + FRESH)
    found = calibrate_intrinsics(views[:VIEWS], scene.size)
    return {"reprojection_px": held_out_error(found.intrinsics, views[VIEWS:])}


def hand_eye_error(seed: int) -> Figures:
    """Return how far the calibrated mounting of a wrist camera is from the true one, lens and all."""
    mm, degrees = _mounting_error(wrist_scene(seed))
    return {"hand_eye_mm": mm, "hand_eye_deg": degrees}


def fixed_error(seed: int) -> Figures:
    """Return the same for a camera in the room and a board in the gripper."""
    mm, degrees = _mounting_error(fixed_scene(seed))
    return {"fixed_mm": mm, "fixed_deg": degrees}


def latency_error(seed: int) -> Figures:
    """Return how far the estimated latency of a wrist camera is from the true one."""
    scene = wrist_scene(seed, SMALL)
    sweep = scene.sweep()
    frames, motion = marker_motion([scene.find(picture) for picture in sweep.pictures])
    found = estimate_latency(sweep.joint_stamps, sweep.joint, sweep.frame_stamps[frames], motion)
    return {"latency_ms": 1000 * abs(found.latency - sweep.latency)}


# Each gives figures for a seed, of which the greatest is the worst; TARGETS are their limits.
MEASURES: Mapping[str, Callable[[int], Figures]] = {
    "homing": homing_error,
    "lens": lens_error,
    "hand_eye": hand_eye_error,
    "fixed": fixed_error,
    "latency": latency_error,
}
TARGETS: Mapping[str, float] = {
    "homing_deg": 0.5,
    "reprojection_px": 0.3,
    "hand_eye_mm": 2.0,
    "hand_eye_deg": 0.3,
    "fixed_mm": 2.0,
    "fixed_deg": 0.3,
    "latency_ms": 3.0,
}


def _mounting_error(scene: Scene) -> tuple[float, float]:
    lens = calibrate_intrinsics(scene.lens_views(VIEWS), scene.size).intrinsics
    found = calibrate_mounting(scene.robot, scene.camera.link, scene.board_link, scene.sightings(POSES), lens)
    metres, angle = difference(found.X_LC, scene.X_LC)
    return 1000 * metres, float(np.degrees(angle))


def main(argv: Sequence[str]) -> int:
    """Run `sinew bench calibration`; the last line of stdout is one JSON object.

    Its figures are medians over the seeds, `worst` has the worst ones.
    """
    parser = argparse.ArgumentParser(prog="sinew bench calibration", description=__doc__)
    parser.add_argument("--seeds", type=int, default=5, help="worlds to measure in (5)")
    parser.add_argument("--seed", type=int, default=0, help="the first one")
    parser.add_argument("--only", nargs="+", metavar="NAME", choices=sorted(MEASURES), help="%(choices)s")
    parser.add_argument("--json", action="store_true", help="only the JSON line")
    options = parser.parse_args(argv)
    if options.seeds < 1:
        raise ConfigError(f"--seeds: expected at least 1, got {options.seeds}.")
    seeds = range(options.seed, options.seed + options.seeds)
    figures = _measure(options.only or list(MEASURES), seeds, options.json)
    if not options.json:
        _explain(figures)
    report = {name: round(float(np.median(values)), 4) for name, values in figures.items()}
    worst = {name: round(max(values), 4) for name, values in figures.items()}
    targets = {name: TARGETS[name] for name in figures if name in TARGETS}
    print(json.dumps({**report, "worst": worst, "targets": targets, "seeds": list(seeds)}))
    return 0


def _measure(names: Sequence[str], seeds: Sequence[int], quiet: bool) -> dict[str, list[float]]:
    """Return the figures of every seed by name."""
    figures: dict[str, list[float]] = {}
    console = Console(stderr=True, quiet=quiet and not sys.stderr.isatty())
    with Progress(console=console, transient=True, disable=not console.is_terminal) as bar:
        row = bar.add_task("calibration", total=len(names) * len(seeds))
        for name in names:
            for seed in seeds:
                for figure, value in MEASURES[name](seed).items():
                    figures.setdefault(figure, []).append(value)
                bar.advance(row)
    return figures


def _explain(figures: Mapping[str, Sequence[float]]) -> None:
    table = Table("figure", "median", "worst", "target")
    for name, values in figures.items():
        target = f"{TARGETS[name]:g}" if name in TARGETS else ""
        table.add_row(name, f"{np.median(values):.3f}", f"{max(values):.3f}", target)
    Console(width=80).print(table)
