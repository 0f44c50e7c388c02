"""replay on disk with two cameras: bytes for a transition, time to sample 256, time to add one"""

from __future__ import annotations

import argparse
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from rich.console import Console

from sinew_data.replay.buffer import ReplayBuffer
from sinew_data.replay.layout import AnyArray
from sinew_data.replay.schema import Column, Schema

IMAGE, STATE, ACTION = (128, 128, 3), (41,), 4
EPISODE = 50  # steps
SCHEMA = Schema(
    {"state": Column(STATE, "float32"), "top": Column(IMAGE, "uint8"), "side": Column(IMAGE, "uint8")},
    ACTION,
    {"bench": "replay"},
)
BATCH = 256
PICTURES = 64  # different ones; what is in them costs nothing


def main(argv: Sequence[str]) -> int:
    """Run `sinew bench replay`."""
    from sinew_eval.benches.result import add_result_options, write_result

    parser = argparse.ArgumentParser(prog="sinew bench replay", description=__doc__)
    parser.add_argument("--transitions", type=int, default=10_000, metavar="N")
    parser.add_argument("--samples", type=int, default=200, metavar="N", help="batches to time")
    parser.add_argument(
        "--folder", type=Path, metavar="DIR", help="on the disk to measure (the temporary one)"
    )
    add_result_options(parser)
    arguments = parser.parse_args(argv)
    with tempfile.TemporaryDirectory(dir=arguments.folder) as folder:
        figures = measure(Path(folder) / "replay", arguments.transitions, arguments.samples)
    if not arguments.json:
        Console(stderr=True, highlight=False).print(
            f"{figures['bytes_per_transition'] / 1000:.1f} kB for a transition; {BATCH} of them, with the "
            f"next observations, in {figures['sample_ms']} ms (a bare copy: {figures['floor_ms']} ms); one "
            f"added in {figures['add_us']} µs"
        )
    write_result("replay", figures, arguments.out, list(argv))
    return 0


def measure(folder: Path, transitions: int, samples: int) -> dict[str, Any]:
    """Fill a buffer, look at what it takes on the disk, open it anew and sample: medians, and some tails."""
    with ReplayBuffer.create(folder, SCHEMA, transitions * (EPISODE + 1) // EPISODE + 1) as buffer:
        added = np.array(_add(buffer, transitions)) * 1e6
    size = sum(path.stat().st_blocks * 512 for path in folder.iterdir())
    with ReplayBuffer.open(folder, SCHEMA) as buffer:
        processor = time.thread_time()
        one = np.array(_sample(buffer, samples, 1)) * 1e3
        processor = (time.thread_time() - processor) / samples * 1e3
        three = np.array(_sample(buffer, samples, 3)) * 1e3
        floor = np.array(_copy(samples)) * 1e3
    return {
        "bytes_per_transition": round(size / transitions),
        "sample_ms": round(float(np.median(one)), 2),
        "add_us": round(float(np.median(added)), 1),
        "sample_p95_ms": round(float(np.percentile(one, 95)), 2),
        "sample_cpu_ms": round(processor, 2),  # mean; on a busy machine it says more than the wall's clock
        "floor_ms": round(float(np.median(floor)), 2),  # of copying as many bytes that lie in a row
        "sample_three_steps_ms": round(float(np.median(three)), 2),
        "add_p99_us": round(float(np.percentile(added, 99)), 1),
        "transitions": transitions,
        "batch": BATCH,
    }


def _add(buffer: ReplayBuffer, transitions: int) -> list[float]:
    """Add episodes; return the seconds of each `add`."""
    observations, seconds = _observations(np.random.default_rng(0)), []
    action = np.zeros(ACTION, np.float32)
    for step in range(transitions):
        if step % EPISODE == 0:
            buffer.begin(observations[step % PICTURES])
        start = time.perf_counter()
        buffer.add(action, 0.0, observations[(step + 1) % PICTURES], truncated=(step + 1) % EPISODE == 0)
        seconds.append(time.perf_counter() - start)
    return seconds


def _observations(rng: np.random.Generator) -> list[dict[str, AnyArray]]:
    return [
        {
            "state": rng.standard_normal(STATE, np.float32),
            "top": rng.integers(0, 256, IMAGE, np.uint8),
            "side": rng.integers(0, 256, IMAGE, np.uint8),
        }
        for _ in range(PICTURES)
    ]


def _sample(buffer: ReplayBuffer, samples: int, n_step: int) -> list[float]:
    """Return the seconds of each `sample`; the first few, in which pages are mapped, count as well."""
    rng, seconds = np.random.default_rng(1), []
    for _ in range(samples):
        start = time.perf_counter()
        buffer.sample(rng, BATCH, n_step=n_step, discount=0.99)
        seconds.append(time.perf_counter() - start)
    return seconds


def _copy(samples: int) -> list[float]:
    """Return the seconds of copying what a batch of observations and next observations takes."""
    source = np.ones((2 * BATCH, 2, *IMAGE), np.uint8)
    target, seconds = np.empty_like(source), []
    for _ in range(samples):
        start = time.perf_counter()
        np.copyto(target, source)
        seconds.append(time.perf_counter() - start)
    return seconds
