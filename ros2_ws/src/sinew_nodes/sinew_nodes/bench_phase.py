"""A stretch of the real graph on the wall clock, with or without a recorder, and what was seen of it."""

from __future__ import annotations

import os
import time
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml
from sinew_core.hardware import Hardware
from sinew_msgs.action import RunEpisode
from sinew_msgs.msg import EpisodeEvent

from sinew_nodes import convert, qos
from sinew_nodes.bench_station import Stamps, read_witness
from sinew_nodes.graph_process import GraphProcess, bringup

WARM_UP = 2.0  # s
PAUSE = 1.5  # s after an episode, in which its commit shows
TICKS = 100  # of the kernel's processor times a second


@dataclass(slots=True)
class Phase:
    """What was seen of a graph. Stamps in ns of the wall clock."""

    witness: Mapping[str, Stamps] = field(default_factory=dict)
    episodes: list[tuple[int, int]] = field(default_factory=list)  # start and end
    cpu: dict[str, float] = field(default_factory=dict)  # s by node, over the first episode
    others: float = 0.0  # cores that were busy with something else


def run_phase(
    hardware: Hardware,
    arguments: Mapping[str, str],
    folder: Path,
    seconds: Iterable[float],
    instruction: str,
    noise: float,
) -> Phase:
    """Run episodes of so many seconds through the graph, on a station that remembers."""
    folder.mkdir()
    log, path = folder / "witness.npz", folder / f"{hardware.name}.yaml"
    path.write_text(yaml.safe_dump(witness_hardware(hardware, log, noise)))
    graph = GraphProcess(bringup({**arguments, "hardware": str(path), "pace": "realtime"}), "bench")
    phase = Phase()
    events: list[EpisodeEvent] = []
    try:
        graph.listen(EpisodeEvent, "episode", events.append, qos.recorder(qos.latched(), "realtime"))
        graph.spin()
        graph.wait_until_up()
        time.sleep(WARM_UP)
        with elsewhere(graph, phase):
            for duration in seconds:
                steps = round(duration / hardware.config.control_period)
                before = processor_times(graph.supervisor.pids())
                run_episode(graph, RunEpisode.Goal(instruction=instruction, max_steps=steps))
                after = processor_times(graph.supervisor.pids())
                phase.cpu = phase.cpu or {name: after[name] - before[name] for name in before}
                time.sleep(PAUSE)
    finally:
        graph.close()
    starts = {event.episode: convert.header_stamp(event) for event in events if event.kind == event.STARTED}
    ends = {event.episode: convert.header_stamp(event) for event in events if event.kind == event.ENDED}
    phase.episodes = [(starts[number], ends[number]) for number in sorted(starts)]
    phase.witness = read_witness(log)
    return phase


def witness_hardware(hardware: Hardware, log: Path, noise: float) -> dict[str, Any]:
    """Return a hardware file's content with a station in it that remembers."""
    content: dict[str, Any] = yaml.safe_load(hardware.path.read_text(encoding="utf-8"))
    content["robot"] = str((hardware.path.parent / content["robot"]).resolve())
    plugin = "sinew_nodes.bench_station:WitnessStation"
    content["station"] = {"plugin": plugin, "log": str(log), "noise": noise}
    return content


def run_episode(graph: GraphProcess, goal: RunEpisode.Goal) -> None:
    """Run an episode to its end."""
    answer = _wait(graph, _wait(graph, graph.client.send_goal_async(goal)).get_result_async())
    if answer.result.outcome not in ("timeout", "success"):
        graph.failed = True
        raise RuntimeError(f"the episode ended with {answer.result.error_msg} (log: {graph.log})")


def _wait(graph: GraphProcess, future: Any) -> Any:
    while not future.done():
        graph.check()
        time.sleep(0.02)
    return future.result()


@contextmanager
def elsewhere(graph: GraphProcess, phase: Phase) -> Iterator[None]:
    """Note how busy the machine was meanwhile with what is none of the graph's."""
    pids = {**graph.supervisor.pids(), "bench": os.getpid()}
    begun, busy, own = time.monotonic(), _busy(), sum(processor_times(pids).values())
    yield
    own = sum(processor_times(pids).values()) - own
    phase.others = (_busy() - busy - own) / (time.monotonic() - begun)


def processor_times(pids: Mapping[str, int]) -> dict[str, float]:
    """Return the processor time, in s, that each process has used."""
    times = {}
    for name, pid in pids.items():
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        times[name] = (int(fields[11]) + int(fields[12])) / TICKS
    return times


def _busy() -> float:
    """Return the processor time, in s of one core, that the machine has not idled."""
    user, nice, system, _, _, irq, softirq, steal = map(int, Path("/proc/stat").read_text().split()[1:9])
    return (user + nice + system + irq + softirq + steal) / TICKS
