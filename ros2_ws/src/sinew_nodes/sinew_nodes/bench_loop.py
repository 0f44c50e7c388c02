"""the latency from a camera's stamp to the executed command, through the whole ROS graph in real time"""

from __future__ import annotations

import argparse
import threading
import time
from collections import defaultdict
from collections.abc import Sequence

import numpy as np
from diagnostic_msgs.msg import DiagnosticArray
from lifecycle_msgs.msg import Transition
from lifecycle_msgs.srv import ChangeState
from rich.console import Console
from sinew_core.hardware import Hardware, load_hardware
from sinew_core.types import NANOSECONDS
from sinew_eval.benches.result import add_result_options, write_result
from sinew_msgs.action import RunEpisode
from sinew_msgs.msg import ExecutedCommand, Keypoints
from trajectory_msgs.msg import JointTrajectory

from sinew_nodes import convert, qos
from sinew_nodes.bench_floor import measure_floor
from sinew_nodes.graph_process import GraphProcess
from sinew_nodes.launch_command import find_launch_file
from sinew_nodes.launch_file import NodeSpec

WARM_UP = 3.0  # s that count for nothing
FLOOR_SECONDS = 4.0


class Ear:
    """Hears what the station executes and what the nodes tell of themselves."""

    def __init__(self) -> None:
        self.first_command = 0.0  # s of the monotonic clock
        self.latency: dict[int, float] = {}  # s, by observation stamp
        self._keypoints = 0  # ns, capture stamp of the newest
        self._seen: dict[int, int] = {}  # ns, what the policy had seen, by observation stamp
        self.periods = 0
        self.status: dict[str, dict[str, str]] = {}
        self.series: dict[str, list[float]] = defaultdict(list)  # ms
        self.reports: dict[str, int] = defaultdict(int)
        self.listening = False

    def on_keypoints(self, message: Keypoints) -> None:
        """Take keypoints, before the chunk that follows from them."""
        self._keypoints = convert.header_stamp(message)

    def on_chunk(self, message: JointTrajectory) -> None:
        """Note which frames a chunk follows from: joints may be newer than the frames acted on."""
        self._seen[convert.header_stamp(message)] = self._keypoints

    def on_executed(self, message: ExecutedCommand) -> None:
        """Take an executed command."""
        executed = convert.executed_from_msg(message)
        if executed.source != "policy":
            return
        if not self.first_command:
            self.first_command = time.monotonic()
        if self.listening:
            self.periods += 1
            captured = self._seen.get(executed.observation_stamp, executed.observation_stamp)
            age = (executed.stamp - captured) / NANOSECONDS
            self.latency.setdefault(executed.observation_stamp, age)

    def on_diagnostics(self, message: DiagnosticArray) -> None:
        """Take a node's report."""
        for status in message.status:
            values = {entry.key: entry.value for entry in status.values}
            self.status[status.name] = values
            self.reports[status.name] += 1
            for key, value in values.items():
                if self.listening and key.endswith("_ms") and not key.endswith("max_ms"):
                    self.series[f"{status.name}/{key}"].append(float(value))

    def typical(self, node: str, key: str) -> float:
        """Return the median over the reports of a node, in ms."""
        samples = self.series.get(f"{node}/{key}", [])
        return float(np.median(samples)) if samples else float("nan")


def main(argv: Sequence[str]) -> int:
    """Run the bench."""
    parser = argparse.ArgumentParser(prog="sinew bench loop", description=__doc__)
    parser.add_argument("--hardware", default="synthetic")
    parser.add_argument("--task", default="pick_place")
    parser.add_argument("--policy", default="affordance_follower")
    parser.add_argument("--reward", default="affordance_path")
    parser.add_argument("--instruction", default="put the red cube on the blue cube")
    parser.add_argument("--seconds", type=float, default=20.0)
    add_result_options(parser)
    options = parser.parse_args(argv)
    hardware = load_hardware(options.hardware)
    console = Console(stderr=True, highlight=False, quiet=options.json)
    console.print("measuring the floor: one bare hop of one image")
    largest = max(hardware.config.cameras.values(), key=lambda camera: camera.width * camera.height)
    floor = measure_floor(largest.width, largest.height, FLOOR_SECONDS)
    console.print(f"measuring the graph for {options.seconds:g} s")
    figures = measure_graph(options, hardware)
    figures["floor_p50_ms"] = round(1000 * float(np.median(floor)), 2) if floor else float("nan")
    for key, value in figures.items():
        console.print(f"  {key:<18} {value}")
    write_result("loop", figures, options.out)
    return 0


def measure_graph(options: argparse.Namespace, hardware: Hardware) -> dict[str, float]:
    """Run one long episode through `sinew launch` and return the figures."""
    words = [f"{name}:={getattr(options, name)}" for name in ("task", "policy", "reward")] + [
        f"hardware:={hardware.path}",
        "pace:=realtime",
    ]
    launch = ("launch", str(find_launch_file("bringup")), *words)
    spec = NodeSpec("sinew", "sinew", "launch", launch, ends_all=True)
    ear = Ear()
    graph = GraphProcess([spec], "bench")
    try:
        # In this order: of what is ready together, the executor takes the first subscription first.
        graph.listen(Keypoints, "keypoints", ear.on_keypoints, qos.sensor("realtime"))
        graph.listen(JointTrajectory, "policy/chunk", ear.on_chunk, qos.command("realtime"))
        graph.listen(ExecutedCommand, "executed_command", ear.on_executed, qos.event())
        graph.listen(DiagnosticArray, "/diagnostics", ear.on_diagnostics, 100)
        graph.spin()
        graph.wait_until_up()
        run_episode(graph, ear, options)
        lost = count_lost(graph, ear)
    finally:
        graph.close()
    latency = 1000 * np.array(list(ear.latency.values()))
    p50 = float(np.median(latency))
    capture = ear.typical("station_node", "capture_ms")
    perception = ear.typical("perception_node", "processing_ms")
    policy = ear.typical("policy_node", "processing_ms")
    return {
        "p50_ms": round(p50, 2),
        "p99_ms": round(float(np.percentile(latency, 99)), 2),
        "max_ms": round(float(latency.max()), 2),
        "frames_lost": lost,
        "first_command_s": round(ear.first_command - graph.started, 2),
        "capture_ms": capture,
        "perception_ms": perception,
        "policy_ms": policy,
        "transport_ms": round(p50 - capture - perception - policy, 3),
        "keypoints_at_ms": ear.typical("perception_node", "age_ms"),
        "chunk_at_ms": ear.typical("policy_node", "age_ms"),
        "periods": ear.periods,
        "unanswered": ear.periods - len(ear.latency),
        "overruns": int(ear.status["station_node"].get("overruns", 0)),
    }


def run_episode(graph: GraphProcess, ear: Ear, options: argparse.Namespace) -> None:
    """Run an episode for as long as asked and cancel it."""
    goal = RunEpisode.Goal(instruction=options.instruction, max_steps=1_000_000)
    accepted = threading.Event()
    sent = graph.client.send_goal_async(goal)
    sent.add_done_callback(lambda _: accepted.set())
    accepted.wait(10.0)
    handle = sent.result()
    answer = handle.get_result_async()
    begun = time.monotonic()
    while time.monotonic() - begun < WARM_UP + options.seconds:
        graph.check()
        if answer.done():
            raise RuntimeError(f"the episode ended early: {answer.result().result}; see {graph.log}")
        ear.listening = time.monotonic() - begun > WARM_UP
        time.sleep(0.05)
    ear.listening = False
    handle.cancel_goal_async()


def count_lost(graph: GraphProcess, ear: Ear) -> int:
    """Stop the station, and return how many frames it has published that perception has not got."""
    client = graph.node.create_client(ChangeState, "station_node/change_state")
    client.wait_for_service(5.0)
    client.call(ChangeState.Request(transition=Transition(id=Transition.TRANSITION_DEACTIVATE)))
    time.sleep(0.2)
    ear.reports.clear()
    deadline = time.monotonic() + 5.0
    nodes = ("station_node", "perception_node")
    while any(ear.reports[node] < 2 for node in nodes) and time.monotonic() < deadline:
        time.sleep(0.05)
    published, received = (int(ear.status[node].get("frames", 0)) for node in nodes)
    return published - received
