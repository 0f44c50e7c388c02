"""what recording costs: frames lost, control delayed by an episode's end, processor, disk

Two cameras with depth run at their full rate through the whole graph in real time: first without a recorder,
then with one. What was delivered is known from the station's devices, what was kept from the files.
"""

from __future__ import annotations

import argparse
import tempfile
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from rich.console import Console
from sinew_core.hardware import load_hardware
from sinew_core.types import NANOSECONDS, FloatArray
from sinew_data import topics
from sinew_data.dataset import Dataset
from sinew_eval.benches.result import add_result_options, write_result

from sinew_nodes.bench_phase import PAUSE, Phase, run_phase
from sinew_nodes.bench_station import CAMERA, READS, WRITES, Stamps

SHORT = 4.0  # s, of the episodes whose ends are looked at
AROUND = 0.8 * PAUSE  # s after an episode's end in which its commit is over
MEGABYTE = 1e6


def main(argv: Sequence[str]) -> int:
    """Run the bench; 1 if a frame was lost."""
    options = _parser().parse_args(argv)
    hardware = load_hardware(options.hardware)
    console = Console(stderr=True, highlight=False, quiet=options.json)
    arguments = {name: getattr(options, name) for name in ("task", "policy", "reward")}
    short = [SHORT] * options.episodes
    with tempfile.TemporaryDirectory(prefix="sinew-bench-", dir=options.folder) as name:
        folder, dataset = Path(name), Path(name) / "dataset"
        console.print(f"running {options.episodes} episodes without a recorder")
        common = (options.instruction, options.noise)
        without = run_phase(hardware, arguments, folder / "without", short, *common)
        console.print(f"recording {options.seconds:g} s, then {options.episodes} short episodes")
        arguments |= {"record": "true", "dataset": str(dataset)}
        recorded = run_phase(hardware, arguments, folder / "with", [options.seconds, *short], *common)
        figures = {
            **lost_frames(recorded, dataset),
            **control_figures(without, recorded, options.episodes, hardware.config.control_period),
            **cost_figures(recorded, dataset),
            "others_cores": round(max(without.others, recorded.others), 2),
        }
    for key, value in figures.items():
        console.print(f"  {key:<28} {value}")
    write_result("record", figures, options.out)
    return 1 if figures["dropped_frames"] else 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="sinew bench record", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--hardware", default="synthetic")
    parser.add_argument("--task", default="pick_place")
    parser.add_argument("--policy", default="affordance_follower")
    parser.add_argument("--reward", default="affordance_path")
    parser.add_argument("--instruction", default="put the red cube on the blue cube")
    parser.add_argument("--seconds", type=float, default=60.0, help="of the long episode (60)")
    parser.add_argument("--episodes", type=int, default=8, help="short ones, whose ends are looked at (8)")
    parser.add_argument("--noise", type=float, default=2.0, help="of the images, of 255 (2, as a camera's)")
    parser.add_argument("--folder", type=Path, help="where the dataset lies meanwhile; the disk that counts")
    add_result_options(parser)
    return parser


def lost_frames(phase: Phase, dataset: Path) -> dict[str, object]:
    """Return how many frames the station published within episodes that are in no file."""
    kept: dict[str, set[int]] = {}
    for episode in Dataset(dataset):
        images = [topic for topic in episode.summary.counts if topics.camera_of(topic)]
        for message in episode.raw_messages(images):
            kept.setdefault(message.topic, set()).add(message.publish_time)
    dropped: dict[str, int] = {}
    published = 0
    for name in [name.removeprefix(CAMERA) for name in phase.witness if name.startswith(CAMERA)]:
        stamps = phase.witness[CAMERA + name]
        within = {int(stamp) for start, end in phase.episodes for stamp in _between(stamps, start, end)}
        color, depth = (kept.get(topic(name), set()) for topic in (topics.color_topic, topics.depth_topic))
        dropped[name] = len(within - (color & depth))
        published += len(within)
    return {
        "dropped_frames": sum(dropped.values()),
        "dropped_by_camera": dropped,
        "published_frames": published,
        "messages_lost": sum(sum(s.end.dropped.values()) for s in Dataset(dataset).episodes()),
    }


def control_figures(without: Phase, recorded: Phase, episodes: int, period: float) -> dict[str, float]:
    """Return how late control periods come around an episode's end, and how long they take to answer.

    What ending an episode costs is the worst of its delays with a recorder beyond the worst without.
    """
    figures: dict[str, float] = {}
    delay: dict[str, float] = {}
    for name, phase in (("without", without), ("recording", recorded)):
        spans = phase.episodes[-episodes:]
        delay[name] = max(delays_around(phase.witness[READS], end, period) for _, end in spans)
        p50, p99 = np.percentile(np.concatenate([latencies(phase, *span) for span in spans]), [50, 99])
        figures |= {
            f"end_delay_ms_max_{name}": round(1000 * delay[name], 2),
            f"latency_p50_ms_{name}": round(1000 * float(p50), 2),
            f"latency_p99_ms_{name}": round(1000 * float(p99), 2),
        }
    commit = max(0.0, delay["recording"] - delay["without"])
    return {"commit_block_ms_max": round(1000 * commit, 2), **figures}


def delays_around(reads: Stamps, end: int, period: float) -> float:
    """Return by how many s the longest control period around an episode's end was too long."""
    around = _between(reads, end - round(period * NANOSECONDS), end + round(AROUND * NANOSECONDS))
    return float(np.diff(around).max()) / NANOSECONDS - period


def latencies(phase: Phase, start: int, end: int) -> FloatArray:
    """Return the s from each period's first frame to its command, within an episode."""
    writes = _between(phase.witness[WRITES], start, end)
    frames = np.sort(
        np.concatenate([phase.witness[name] for name in phase.witness if name.startswith(CAMERA)])
    )
    reads = phase.witness[READS]
    first = frames[np.searchsorted(frames, reads[np.searchsorted(reads, writes) - 1])]
    return np.asarray((writes - first) / NANOSECONDS)


def cost_figures(phase: Phase, dataset: Path) -> dict[str, object]:
    """Return what the long episode cost in processor time and disk, and what waited for the disk."""
    start, end = phase.episodes[0]
    seconds = (end - start) / NANOSECONDS
    episodes = Dataset(dataset).episodes()
    queue = max(int(summary.end.extra["queue_bytes_max"]) for summary in episodes)
    return {
        "cpu_percent": round(100 * phase.cpu["recorder_node"] / seconds, 1),
        "mb_per_min": round(episodes[0].size / MEGABYTE / seconds * 60, 1),
        "queue_mb_max": round(queue / MEGABYTE, 1),
        "recorded_s": round(seconds, 2),
    }


def _between(stamps: Stamps, first: int, last: int) -> Stamps:
    return stamps[(stamps >= first) & (stamps <= last)]
