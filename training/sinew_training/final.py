"""A policy on fresh scenes, seen through the cameras: what a training is judged by in the end."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from sinew_eval.benches.success import measure, summarise
from sinew_eval.records import RunConfig

TEST_SEED = 10_000  # first scene; none of these is trained or chosen by


def final_score(
    policy: Path, hardware: str, task: str, *, episodes: int, seed: int = TEST_SEED, jobs: int = 1, **run: Any
) -> dict[str, Any]:
    """Run a policy's YAML file over so many scenes in worker processes; return its figures.

    `run` holds further fields of a RunConfig. Raises ConfigError where it does not fit the hardware.
    """
    config = RunConfig(hardware, task, str(policy), "affordance_path", video_camera="", **run)
    seeds = range(seed, seed + episodes)
    return summarise(config, seed, measure(config, seeds, min(jobs, episodes)))
