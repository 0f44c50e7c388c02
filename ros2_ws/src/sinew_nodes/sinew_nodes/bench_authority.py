"""how soon a person has the arm, and how soon it stands, at random moments of the whole graph in real time

A policy that never rests moves the arm; at random moments a person takes over and gives back, or stops it by
topic or by service. Times count from the publication (or the call) to the stamp at which the station wrote
the command, in control periods.
"""

from __future__ import annotations

import argparse
import os
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from rich.console import Console
from rich.progress import track
from sinew_core.hardware import Hardware, load_hardware
from sinew_eval.benches.result import add_result_options, write_result

from sinew_nodes.authority_client import AuthorityClient
from sinew_nodes.authority_trials import Stop, Takeover, Trials
from sinew_nodes.graph_process import GraphProcess
from sinew_nodes.launch_command import find_launch_file
from sinew_nodes.launch_file import NodeSpec, read_arguments

ALLOWED = 2.0  # control periods
MEANS = ("topic", "service")


def main(argv: Sequence[str]) -> int:
    """Run the bench; 1 if a figure is beyond what is allowed."""
    options = _parser().parse_args(argv)
    hardware = load_hardware(options.hardware)
    console = Console(stderr=True, highlight=False, quiet=options.json)
    recorder = not options.no_recorder and any(
        argument.name == "record" for argument in read_arguments(find_launch_file("bringup"))
    )
    load = os.getloadavg()[0]
    with tempfile.TemporaryDirectory(prefix="sinew-bench-") as folder:
        dataset = Path(folder) / "dataset" if recorder else None
        takeovers, stops = measure(options, hardware, dataset, console)
    figures = {
        **takeover_figures(takeovers),
        **stop_figures(stops),
        "moments": options.moments,
        "recorder": recorder,
        "load_before": round(load, 2),
    }
    for key, value in figures.items():
        console.print(f"  {key:<24} {value}")
    write_result("authority", figures, options.out)
    return 0 if _holds(figures) else 1


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="sinew bench authority",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--moments", type=int, default=1000, help="of takeovers, and of stops (1000)")
    parser.add_argument("--hardware", default="synthetic")
    parser.add_argument("--task", default="pick_place")
    parser.add_argument("--policy", default="sinew_nodes.bench_models:Sway", help="one that never rests")
    parser.add_argument("--reward", default="affordance_path")
    parser.add_argument("--affordance", default="rule_grounding")
    parser.add_argument("--instruction", default="put the red cube on the blue cube")
    parser.add_argument("--seed", type=int, default=0, help="of the random moments")
    parser.add_argument("--no-recorder", action="store_true", help="without a recorder in the graph")
    add_result_options(parser)
    return parser


def measure(
    options: argparse.Namespace, hardware: Hardware, dataset: Path | None, console: Console
) -> tuple[list[Takeover], list[Stop]]:
    """Launch the graph as a user does and run every trial in it."""
    given = [f"{name}:={getattr(options, name)}" for name in ("task", "policy", "reward", "affordance")]
    words = [f"hardware:={hardware.path}", *given, "pace:=realtime", "log_level:=warn"]
    words += [] if dataset is None else ["record:=true", f"dataset:={dataset}"]
    launch = ("launch", str(find_launch_file("bringup")), *words)
    graph = GraphProcess([NodeSpec("sinew", "sinew", "launch", launch, ends_all=True)], "bench")
    try:
        client = AuthorityClient(graph, hardware, options.instruction)
        graph.spin()
        graph.wait_until_up()
        client.wait_for_services()
        trials = Trials(client, hardware, np.random.default_rng(options.seed))
        moments = range(options.moments)
        takeovers = [trials.take_over() for _ in _tracked(moments, "takeovers", console)]
        stops = []
        for moment in _tracked(moments, "stops", console):
            stops.append(trials.stop(MEANS[moment % len(MEANS)]))
            _forget_episodes(dataset)
    except BaseException:
        graph.failed = True
        raise
    finally:
        graph.close()
    return takeovers, stops


def _tracked(moments: range, what: str, console: Console) -> Any:
    return track(moments, what, console=console, disable=console.quiet)


def _forget_episodes(dataset: Path | None) -> None:
    """Remove what is recorded to the end: a long bench would fill the disk."""
    for path in [] if dataset is None else dataset.glob("episodes/*.mcap"):
        path.unlink()


def takeover_figures(takeovers: Sequence[Takeover]) -> dict[str, Any]:
    """Return the figures of takeovers and hand-backs."""
    return {
        **_spread("takeover", [takeover.took for takeover in takeovers]),
        **_spread("hand_back", [takeover.took_back for takeover in takeovers]),
        "bump_step_share_max": _most(takeovers, lambda takeover: takeover.step),
        "bump_change_share_max": _most(takeovers, lambda takeover: takeover.jerk),
        "stale_hand_backs": sum(not takeover.fresh for takeover in takeovers),
        "takeovers": len(takeovers),
    }


def stop_figures(stops: Sequence[Stop]) -> dict[str, Any]:
    """Return the figures of stops, all of them and by each means."""
    figures = _spread("stop", [stop.took for stop in stops])
    for by in MEANS:
        figures |= _spread(f"stop_by_{by}", [stop.took for stop in stops if stop.by == by])
    return {**figures, "stops": len(stops)}


def _spread(name: str, values: Sequence[float]) -> dict[str, float]:
    if not values:
        return {}
    p50, p99 = np.percentile(values, [50, 99])
    return {
        f"{name}_p50_periods": round(float(p50), 3),
        f"{name}_p99_periods": round(float(p99), 3),
        f"{name}_max_periods": round(max(values), 3),
    }


def _most(takeovers: Sequence[Takeover], of: Callable[[Takeover], float]) -> float:
    return round(max(map(of, takeovers)), 4)


def _holds(figures: dict[str, Any]) -> bool:
    late = max(figures["takeover_p99_periods"], figures["stop_p99_periods"]) > ALLOWED
    bump = max(figures["bump_step_share_max"], figures["bump_change_share_max"]) > 1 + 1e-6
    return not (late or bump or figures["stale_hand_backs"])
