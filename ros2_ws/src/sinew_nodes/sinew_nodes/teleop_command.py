"""drive the arm by hand, with keyboard, gamepad, SpaceMouse or leader arm, and record episodes"""

from __future__ import annotations

import argparse
import os
import signal
import sys
from collections.abc import Sequence
from pathlib import Path

from sinew_core.errors import ConfigError
from sinew_core.hardware import Hardware, load_hardware
from sinew_core.models import named_spec
from sinew_core.plugins import plugin_spec

from sinew_nodes.domain import choose_domain
from sinew_nodes.graph_process import GraphProcess, GraphProcessError, bringup
from sinew_nodes.teleop_display import Display
from sinew_nodes.teleop_host import EndingSignals, hosted_node, suspendable, transit
from sinew_nodes.teleop_node import TeleopNode
from sinew_nodes.teleop_screen import Run
from sinew_nodes.teleop_session import SessionConfig, SessionError, TeleopSession
from sinew_nodes.transport import set_up_transport

MODELS = {"policy": "hold", "reward": "affordance_path", "affordance": "rule_grounding"}


def main(argv: Sequence[str]) -> int:
    """Run `sinew teleop`: 0 when done or quit, 1 when something broke, 2 for a wrong name or option."""
    options = _parser().parse_args(argv)
    hardware = _check(options)
    os.environ.setdefault("ROS_DOMAIN_ID", "0" if options.join else str(choose_domain()))
    set_up_transport()
    parameters = {
        "hardware": str(hardware.path),
        "task": options.task,
        "pace": "realtime",
        "source": options.source,
    }
    try:
        with EndingSignals() as signals, hosted_node(parameters) as node:
            return _drive(options, hardware, node, signals)
    except (SessionError, GraphProcessError) as error:
        print(f"sinew teleop: {error}", file=sys.stderr)
        return 1


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="sinew teleop",
        description="Drive the arm by hand and run episodes; a mark (success, failure, discard) ends one.",
        epilog="In lockstep time waits for the policy, and nobody can drive: the graph runs in real time. "
        "Sources: keyboard, gamepad, spacemouse, leader_arm, topic, module:Class or a YAML file.",
    )
    parser.add_argument("--hardware", default="sim_mujoco", help="a name or path of a hardware YAML")
    parser.add_argument("--task", default="pick_place")
    parser.add_argument("--source", default="keyboard", help="the device (keyboard)")
    for model, default in MODELS.items():
        parser.add_argument(f"--{model}", help=f"name, module:Class or YAML file ({default})")
    parser.add_argument("--instruction", default="", help="the sentence; left out, the task draws one")
    parser.add_argument("--episodes", type=int, default=10, metavar="N", help="0: only drive (10)")
    parser.add_argument("--seed", type=int, default=0, help="episode i uses seed + i (0)")
    parser.add_argument("--time", type=float, default=120.0, metavar="S", help="s of an episode (120)")
    parser.add_argument(
        "--pause", default="2", metavar="S|enter", help="s between episodes, or until enter is pressed (2)"
    )
    parser.add_argument("--record", metavar="DIR", help="record every episode into this dataset")
    parser.add_argument("--join", action="store_true", help="drive in a graph that is already running")
    return parser


def _check(options: argparse.Namespace) -> Hardware:
    """Check what the user typed before anything is started; raises ConfigError."""
    hardware = load_hardware(options.hardware)
    named_spec("task", options.task)
    plugin_spec(options.source, "sinew_teleop", "teleop source")
    given = [f"--{name}" for name in (*MODELS, "record") if getattr(options, name) is not None]
    if options.join and given:
        raise ConfigError(
            f"--join: the graph that runs has its own; leave out {', '.join(given)} "
            "(recording: give record:=true to its launch file)."
        )
    for model in MODELS:
        named_spec(model, _model(options, model))
    if options.episodes < 0 or options.seed < 0 or options.time <= 0:
        raise ConfigError("--episodes and --seed must not be negative, --time must be positive.")
    _pause(options.pause)
    return hardware


def _model(options: argparse.Namespace, kind: str) -> str:
    given: str | None = getattr(options, kind)
    return MODELS[kind] if given is None else given


def _pause(text: str) -> float | None:
    if text == "enter":
        return None
    try:
        seconds = float(text)
    except ValueError:
        seconds = -1.0
    if not 0 <= seconds < float("inf"):
        raise ConfigError(f"--pause: expected a number of seconds or 'enter', got '{text}'.")
    return seconds


def _drive(options: argparse.Namespace, hardware: Hardware, node: TeleopNode, signals: EndingSignals) -> int:
    """Bring the graph up, run the session and take everything down; returns the exit code."""
    session = TeleopSession(node, _session_config(options, hardware), _first_run(options, hardware))
    display = Display(lambda: (node.situation(), session.state, session.helping))
    graph: GraphProcess | None = None
    with suspendable(node, display):
        try:
            if not options.join:
                print("starting the graph ... (ctrl-c quits)", flush=True)
                with signals.deferred():
                    graph = GraphProcess(bringup(_launch_arguments(options, hardware)), "sinew_teleop")
                graph.spin()
                graph.wait_until_up()
                session.check = graph.check
            transit(node, "trigger_activate")
            signals.quit = session.quit
            with display:
                session.run()
        finally:
            signals.tidying = True
            node.suspend()
            session.cancel()
            if graph is not None:
                graph.close()
    if signals.received == signal.SIGHUP or (node.terminal is not None and node.terminal.gone):
        _let_output_go()
    _summarise(session, options)
    return signals.code


def _let_output_go() -> None:
    """Write to nowhere from here on: the terminal is gone, and every word to it would be an error."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    for descriptor in (1, 2):
        os.dup2(nowhere, descriptor)
    os.close(nowhere)


def _first_run(options: argparse.Namespace, hardware: Hardware) -> Run:
    title = f"{hardware.name} {options.task} {options.source}"
    period = hardware.config.control_period
    return Run(title, episodes=options.episodes, period=period, dataset=options.record or "")


def _summarise(session: TeleopSession, options: argparse.Namespace) -> None:
    """Print what was done."""
    counts = ", ".join(f"{count} {outcome}" for outcome, count in session.outcomes.most_common())
    print(f"episodes: {counts or 'none finished'}")
    if options.record:
        print(f"recorded in {options.record}: sinew data list {options.record}")


def _launch_arguments(options: argparse.Namespace, hardware: Hardware) -> dict[str, str]:
    recording = {}
    if options.record:
        recording = {"record": "true", "dataset": str(Path(options.record).expanduser().absolute())}
    models = {model: _model(options, model) for model in MODELS}
    return {
        "hardware": str(hardware.path),
        "task": options.task,
        "pace": "realtime",
        **models,
        **recording,
    }


def _session_config(options: argparse.Namespace, hardware: Hardware) -> SessionConfig:
    steps = max(1, round(options.time / hardware.config.control_period))
    return SessionConfig(options.episodes, options.seed, options.instruction, steps, _pause(options.pause))
