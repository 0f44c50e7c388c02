"""simulator speed: environment steps against bare physics steps, and steps with two cameras"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import mujoco
import numpy as np
import numpy.typing as npt
from sinew_core.hardware import load_hardware
from sinew_core.protocols import Station
from sinew_core.types import NANOSECONDS, FloatArray, JointCommand

from sinew_sim.gym_env import SinewEnv
from sinew_sim.mujoco_station import MujocoWorld

IMAGE = 128  # px
EPISODE = 100  # steps from reset to reset; resets are not timed
Actions = npt.NDArray[np.float32]
ROUNDS = 10  # of each kind, taken in turns, so that a slow minute of the machine slows all alike


@dataclass(frozen=True, slots=True)
class Speeds:
    """Control periods per second."""

    state: float
    raw: float
    camera: float

    def report(self) -> dict[str, float]:
        """Return the figures by the names that they have in the README."""
        return {
            "state_steps_per_s": round(self.state, 1),
            "raw_steps_per_s": round(self.raw, 1),
            "ratio": round(self.state / self.raw, 4),
            "camera_steps_per_s": round(self.camera, 1),
        }


def main(argv: Sequence[str]) -> int:
    """Run `sinew bench sim`; the last line of stdout is one JSON object."""
    parser = argparse.ArgumentParser(prog="sinew bench sim", description=__doc__)
    parser.add_argument("--hardware", default="sim_mujoco", help="a simulated station")
    parser.add_argument("--task", default="pick_place")
    parser.add_argument("--rounds", type=int, default=ROUNDS, help="episodes of each kind")
    parser.add_argument("--json", action="store_true", help="only the JSON line")
    options = parser.parse_args(argv)
    speeds = measure(options.hardware, options.task, options.rounds)
    if not options.json:
        _explain(options.hardware, options.task, speeds)
    print(json.dumps(speeds.report()))
    return 0


def measure(name: str, task: str, rounds: int = ROUNDS, steps: int = EPISODE) -> Speeds:
    """Measure by turns: state-only steps, the bare simulator under the same commands, camera steps.

    The bare loop is replayed on the same station and model, from the same seed, with the targets that
    the environment's run sent: the same motion, contacts and substeps, without anything around them.
    """
    hardware = load_hardware(name)
    plain = SinewEnv(name, task)
    seeing = SinewEnv(name, task, observation="image", image_size=IMAGE)
    times = np.zeros(3)
    try:
        for seed in range(rounds):
            moves = _wandering(seed, steps, len(hardware.robot.joint_names))
            spent, targets = _env_run(plain, seed, moves)
            times[0] += spent
            times[1] += _bare_run(plain, seed, targets, hardware.period)
            times[2] += _env_run(seeing, seed, moves)[0]
    finally:
        plain.close()
        seeing.close()
    state, raw, camera = rounds * steps / times
    return Speeds(float(state), float(raw), float(camera))


def _wandering(seed: int, steps: int, joints: int) -> Actions:
    """Return actions (steps, joints) that swing every joint about its home, each at a pace of its own.

    At up to a third of their greatest speeds the joints stay mostly where a task would have them.
    """
    rng = np.random.default_rng(seed)
    pace, phase = rng.uniform(0.05, 0.2, joints), rng.uniform(0, 2 * np.pi, joints)  # rad a step, rad
    swing = np.cos(np.arange(steps)[:, None] * pace + phase)
    actions: Actions = (swing * pace / pace.max() / 3).astype(np.float32)
    return actions


def _env_run(env: SinewEnv, seed: int, actions: Actions) -> tuple[float, list[FloatArray]]:
    """Return the seconds of an episode's steps, and the targets that were sent."""
    env.reset(seed=seed)
    targets: list[FloatArray] = []
    spent = _timed(lambda action: targets.append(env.step(action)[4]["executed"]), actions)
    return spent, targets


def _bare_run(env: SinewEnv, seed: int, targets: Sequence[FloatArray], period: int) -> float:
    """Return the seconds of the same episode with nothing but targets and physics."""
    env.reset(seed=seed)
    return _timed(_bare_step(env.station, period), targets)


def _bare_step(station: Station, period: int) -> Callable[[FloatArray], None]:
    """Return what sets the targets (n,) and advances by a control period, with as little as there can be."""
    world, arm = station.world, station.arm
    assert world is not None
    if not isinstance(world, MujocoWorld):

        def write_and_step(target: FloatArray) -> None:
            arm.write(JointCommand(0, target))
            world.step(period)

        return write_and_step
    model, data = world.model, world.data
    substeps = round(period / NANOSECONDS / model.opt.timestep)

    def mj_step(target: FloatArray) -> None:
        data.ctrl[:] = target
        mujoco.mj_step(model, data, substeps)

    return mj_step


def _timed(step: Callable[[Any], object], inputs: Sequence[Any] | Actions) -> float:
    start = time.perf_counter()
    for item in inputs:
        step(item)
    return time.perf_counter() - start


def _explain(hardware: str, task: str, speeds: Speeds) -> None:
    from rich.console import Console
    from rich.table import Table

    table = Table("control periods", "per second", title=f"{hardware}, {task}")
    table.add_row("bare physics", f"{speeds.raw:.0f}")
    table.add_row("environment, state", f"{speeds.state:.0f} ({speeds.state / speeds.raw:.2f} of bare)")
    table.add_row(f"environment, two {IMAGE}x{IMAGE} cameras", f"{speeds.camera:.0f}")
    Console(width=80).print(table)
