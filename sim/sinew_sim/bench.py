"""simulator speed: environment steps against bare physics steps, and steps with two cameras"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from sinew_core.hardware import load_hardware
from sinew_core.types import NANOSECONDS, FloatArray, JointCommand

from sinew_sim.gym_env import SinewEnv

IMAGE = 128  # px
EPISODE = 100  # steps from reset to reset; resets are not timed
ROUNDS = 6  # of each kind, taken in turns, so that a slow minute of the machine slows all alike


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
    parser.add_argument("--json", action="store_true", help="only the JSON line")
    options = parser.parse_args(argv)
    speeds = measure(options.hardware, options.task)
    if not options.json:
        _explain(options.hardware, options.task, speeds)
    print(json.dumps(speeds.report()))
    return 0


def measure(hardware: str, task: str, rounds: int = ROUNDS, steps: int = EPISODE) -> Speeds:
    """Measure by turns: state-only steps, the bare simulator under the same commands, camera steps.

    The bare loop is replayed on the same station and model, from the same seed, with the targets that
    the environment's run sent: the same motion, contacts and substeps, without anything around them.
    """
    plain = SinewEnv(hardware, task)
    seeing = SinewEnv(hardware, task, observation="image", image_size=IMAGE)
    period = load_hardware(hardware).period
    times = np.zeros(3)
    try:
        for seed in range(rounds):
            actions = np.random.default_rng(seed).uniform(-1, 1, (steps, *plain.action_space.shape))
            slow = np.cumsum(actions, axis=0)  # a walk rather than a shiver
            moves = (slow / np.abs(slow).max()).astype(np.float32)
            spent, targets = _env_run(plain, seed, moves)
            times[0] += spent
            times[1] += _bare_run(plain, seed, targets, period)
            times[2] += _env_run(seeing, seed, moves)[0]
    finally:
        plain.close()
        seeing.close()
    state, raw, camera = rounds * steps / times
    return Speeds(float(state), float(raw), float(camera))


def _env_run(env: SinewEnv, seed: int, actions: FloatArray) -> tuple[float, list[FloatArray]]:
    """Return the seconds of an episode's steps, and the targets that were sent."""
    env.reset(seed=seed)
    targets: list[FloatArray] = []
    spent = _timed(lambda action: targets.append(env.step(action)[4]["executed"]), actions)
    return spent, targets


def _bare_run(env: SinewEnv, seed: int, targets: Sequence[FloatArray], period: int) -> float:
    """Return the seconds of the same episode with nothing but targets and physics."""
    env.reset(seed=seed)
    world = env.station.world
    if not hasattr(world, "data"):
        arm = env.station.arm
        return _timed(lambda target: (arm.write(JointCommand(0, target)), world.step(period)), targets)
    import mujoco

    model, data = world.model, world.data
    substeps = round(period / NANOSECONDS / model.opt.timestep)

    def step(target: FloatArray) -> None:
        data.ctrl[:] = target
        mujoco.mj_step(model, data, substeps)

    return _timed(step, targets)


def _timed(step: Callable[[FloatArray], object], inputs: Sequence[FloatArray] | FloatArray) -> float:
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
