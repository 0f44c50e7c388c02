"""that no fault moves the arm beyond its limits, and that each leads to a hold or a stop, in time and by name

Faults are put in on purpose at random moments: into control loops in this process, in lockstep and in real
time; into the devices, the person and the policy of a launched graph; and by killing its processes. Every
command is judged by the robot's own file. A fault is unexplained if the hold, the stop or the episode's end
does not come within two control periods of when it is felt, or does not say why. `felt` in the result says,
kind by kind, what counts as that moment.
"""

from __future__ import annotations

import argparse
import logging
import tempfile
import threading
from collections import defaultdict
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from rich.console import Console
from rich.progress import Progress
from sinew_core.hardware import Pace, load_hardware
from sinew_eval.benches.result import add_result_options, write_result

from sinew_nodes.fault_devices import DEVICE_FAULTS, DeviceFault, device_trials, rig_of_devices
from sinew_nodes.fault_graph import GraphStage
from sinew_nodes.fault_kills import FELT, Kill, draw_kills, run_kill
from sinew_nodes.fault_kinds import BY_NAME, IN_GRAPH, KINDS, FaultKind
from sinew_nodes.fault_limits import LimitCheck
from sinew_nodes.fault_rig import ROOM, Rig, write_hardware
from sinew_nodes.fault_trials import Trial, run_trial

FAKE = "sinew_core.fakes:FakeStation"
LOCKSTEP = ("synthetic", "sim_mujoco", "sim_mujoco_fr3")
SIDE_BY_SIDE = 4  # control loops in real time, which mostly wait
KILLS = 32  # at most, unless more are asked for: each takes a graph
SHOWN = 20  # sentences
KNOWN: dict[str, FaultKind | DeviceFault] = {**BY_NAME, **{fault.kind: fault for fault in DEVICE_FAULTS}}


@dataclass(slots=True)
class Tally:
    """What has come of all faults so far; callable from any thread."""

    trials: list[tuple[str, Trial]] = field(default_factory=list)  # and where
    limits: list[LimitCheck] = field(default_factory=list)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def add(self, where: str, trial: Trial) -> None:
        """Count one fault."""
        with self.lock:
            self.trials.append((where, trial))


def main(argv: Sequence[str]) -> int:
    """Run the bench; 1 if a command was beyond limits or a fault is unexplained."""
    options = _parser().parse_args(argv)
    console = Console(stderr=True, highlight=False, quiet=options.json)
    for module in ("control_loop", "control_watch"):  # they tell of each fault that is put in
        logging.getLogger(f"sinew_nodes.{module}").setLevel(logging.CRITICAL + 1)
    kills = min(KILLS, options.faults // 25) if options.kills is None else options.kills
    in_graph = options.faults // 20 if options.in_graph is None else options.in_graph
    here = max(0, options.faults - kills - in_graph)
    tally = Tally()
    with tempfile.TemporaryDirectory(prefix="sinew-faults-") as name, Progress(console=console) as progress:
        bar = progress.add_task("faults", total=here + in_graph + kills)
        for where, trial in (
            in_devices(options.hardware, options.seed, options.faults, tally)
            if options.hardware
            else _all(Path(name), options.seed, here, in_graph, kills, tally)
        ):
            tally.add(where, trial)
            progress.advance(bar)
            if trial.problem:
                console.print(f"{trial.kind} ({where}): {trial.problem}; said: {trial.said!r}")
    figures = summarise(tally)
    for kind, values in figures["kinds"].items():
        console.print(
            f"  {kind:<24} {values['injected']:>4}  reaction median {values['reaction_median']:.2f}, "
            f"max {values['reaction_max']:.2f} periods"
        )
    for key in ("injected", "commands", "beyond_limits", "unexplained"):
        console.print(f"  {key:<24} {figures[key]}")
    write_result("faults", figures, options.out)
    return 1 if figures["beyond_limits"] or figures["unexplained"] else 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="sinew bench faults", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--faults", type=int, default=1000, help="in all (1000)")
    parser.add_argument("--kills", type=int, help=f"of these, processes killed (one in 25, up to {KILLS})")
    parser.add_argument("--in-graph", type=int, help="of these, put into a launched graph (one in 20)")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument(
        "--hardware",
        metavar="NAME",
        help="an emulated station, such as so101_emulated: faults of its bus, servos and cameras alone",
    )
    add_result_options(parser)
    return parser


def _all(
    folder: Path, seed: int, here: int, in_graph: int, kills: int, tally: Tally
) -> Iterator[tuple[str, Trial]]:
    """Put in every fault, one part after the other."""
    yield from in_lockstep(folder, seed, here // 2, tally)
    yield from in_real_time(folder, seed, here - here // 2, tally)
    yield from in_launched_graph(folder, seed, in_graph, tally)
    yield from by_kills(folder, draw_kills(kills), seed, tally)


def in_devices(name: str, seed: int, count: int, tally: Tally) -> Iterator[tuple[str, Trial]]:
    """Put faults into emulated devices, behind their real drivers, under a control loop in this process."""
    rig = rig_of_devices(name, seed)
    tally.limits.append(rig.limits)
    try:
        for trial in device_trials(rig, count, seed):
            yield f"realtime, {name}", trial
    finally:
        rig.close()


def in_lockstep(folder: Path, seed: int, count: int, tally: Tally) -> Iterator[tuple[str, Trial]]:
    """Put faults into control loops in lockstep: an ideal arm, and two robots in simulated physics."""
    fake = {"station": {"plugin": FAKE, "world": True}, "safety": ROOM}
    for part, name in enumerate(LOCKSTEP):
        share = count // len(LOCKSTEP) + (part < count % len(LOCKSTEP))
        path = write_hardware(folder, name, **(fake if name == "synthetic" else {}))
        yield from _in_rig(path, "lockstep", name, _draw(path, "lockstep", share, seed), seed + part, tally)


def in_real_time(folder: Path, seed: int, count: int, tally: Tally) -> Iterator[tuple[str, Trial]]:
    """Put faults into control loops in real time, some of them side by side."""
    path = write_hardware(folder, "synthetic", station={"plugin": FAKE, "world": False}, safety=ROOM)
    kinds = _draw(path, "realtime", count, seed)
    with ThreadPoolExecutor(SIDE_BY_SIDE) as pool:
        parts = [
            pool.submit(
                lambda part: list(
                    _in_rig(path, "realtime", "synthetic", kinds[part::SIDE_BY_SIDE], seed + 10 + part, tally)
                ),
                part,
            )
            for part in range(SIDE_BY_SIDE)
        ]
        for done in parts:
            yield from done.result()


def _in_rig(
    path: Path, pace: Pace, name: str, kinds: Sequence[FaultKind], seed: int, tally: Tally
) -> Iterator[tuple[str, Trial]]:
    if not kinds:
        return
    random = np.random.default_rng(seed)
    rig = Rig(path, pace, "pick_place", seed)
    tally.limits.append(rig.limits)
    try:
        for kind in kinds:
            yield f"{pace}, {name}", run_trial(rig, kind, random)
    finally:
        rig.close()


def in_launched_graph(folder: Path, seed: int, count: int, tally: Tally) -> Iterator[tuple[str, Trial]]:
    """Put faults into one launched graph in real time."""
    if not count:
        return
    random = np.random.default_rng(seed)
    orders = folder / "orders"
    orders.mkdir()
    stage = GraphStage(orders, seed)
    tally.limits.append(stage.limits)
    try:
        for number in range(count):
            kind = BY_NAME[IN_GRAPH[number % len(IN_GRAPH)]]
            yield "realtime, graph", run_trial(stage, kind, random)
    finally:
        stage.close()


def by_kills(folder: Path, kills: Sequence[Kill], seed: int, tally: Tally) -> Iterator[tuple[str, Trial]]:
    """Kill processes, each in a graph of its own."""
    random = np.random.default_rng(seed)
    for number, kill in enumerate(kills):
        own = folder / f"kill_{number}"
        own.mkdir()
        trial, limits = run_kill(kill, own, random)
        tally.limits.append(limits)
        yield f"{kill.pace}, graph", trial


def _draw(path: Path, pace: Pace, count: int, seed: int) -> list[FaultKind]:
    """Return kinds, each as often as the others, in random order."""
    hardware = load_hardware(str(path))
    known = [kind for kind in KINDS if pace in kind.paces and kind.possible(hardware)]
    kinds = [known[number % len(known)] for number in range(count)]
    np.random.default_rng(seed).shuffle(kinds)
    return kinds


def summarise(tally: Tally) -> dict[str, Any]:
    """Return the figures, in all and by kind."""
    by_kind: dict[str, list[tuple[str, Trial]]] = defaultdict(list)
    for where, trial in tally.trials:
        by_kind[trial.kind].append((where, trial))
    problems = [f"{trial.kind} ({where}): {trial.problem}" for where, trial in tally.trials if trial.problem]
    beyond = [sentence for check in tally.limits for sentence in check.beyond]
    return {
        "injected": len(tally.trials),
        "beyond_limits": len(beyond),
        "unexplained": len(problems),
        "commands": sum(check.commands for check in tally.limits),
        "kinds": {kind: _of_kind(kind, trials) for kind, trials in sorted(by_kind.items())},
        "problems": problems[:SHOWN],
        "beyond": beyond[:SHOWN],
    }


def _of_kind(kind: str, trials: Sequence[tuple[str, Trial]]) -> dict[str, Any]:
    known = KNOWN.get(kind)
    reactions = [trial.reaction for _, trial in trials]
    places: dict[str, int] = defaultdict(int)
    for where, _ in trials:
        places[where] += 1
    finite = [reaction for reaction in reactions if np.isfinite(reaction)] or [0.0]
    return {
        "injected": len(trials),
        "unexplained": sum(bool(trial.problem) for _, trial in trials),
        "reaction_median": round(float(np.median(finite)), 2),
        "reaction_max": round(max(finite), 2),
        "felt": known.felt if known else FELT,
        "rule": known.rule if known else "hold",
        "where": dict(places),
        "said": trials[0][1].said[:120],
    }
