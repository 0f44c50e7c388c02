"""Hands the same comparisons to `imitation` in an interpreter of its own, and to ours on the same budget."""

from __future__ import annotations

import json
import os
import subprocess
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from sinew_core.errors import ConfigError
from sinew_data.feedback.types import Comparison, Feedback
from sinew_rewards.learned.trajectory import Episodes
from sinew_rewards.learners.bradley_terry import BradleyTerry, Config
from sinew_rewards.learners.preference_fit import FitConfig

from sinew_eval.benches.preferences.measuring import Asked, measure

SCRIPT = Path(__file__).with_name("peer.py")
MAKES_IT = "python -m venv PEER && PEER/bin/pip install imitation==1.0.1"


def beside_peer(python: Path, data: Asked, epochs: int) -> dict[str, float]:
    """Return the figures of both on the same comparisons, epochs, batches, members and threads.

    As the peer does, ours draws each member's comparisons, holds none out and stops no earlier.
    """
    budget = FitConfig(epochs=epochs, patience=epochs, held_out=0.0)
    peer = run_peer(python, data, budget)
    ours = measure(data, BradleyTerry(Config(budget)), data.comparisons)
    return {
        "peer_accuracy": peer["accuracy"],
        "peer_fit_s": peer["fit_s"],
        "accuracy_on_budget": ours["accuracy_heldout"],
        "fit_s_on_budget": ours["fit_s"],
        "times_faster": peer["fit_s"] / ours["fit_s"],
    }


def run_peer(python: Path, data: Asked, budget: FitConfig) -> dict[str, float]:
    """Return the peer's `accuracy` and `fit_s`; ConfigError with its last words where it fails."""
    threads = torch.get_num_threads()
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "comparisons.npz"
        arrays: dict[str, Any] = {
            **clips_of(data.shown, data.comparisons, "train"),
            **clips_of(data.unseen, data.tests, "test"),
            "members": budget.members,
            "epochs": budget.epochs,
            "batch": budget.batch,
            "seed": data.seed,
            "threads": threads,
        }
        np.savez(path, **arrays)
        done = _run([str(python), str(SCRIPT), str(path)], threads)
    if done.returncode:
        words = done.stderr.strip().splitlines()[-1:] or ["nothing said"]
        raise ConfigError(f"{python}: the peer failed: {words[0]}. To make it: {MAKES_IT}")
    figures: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
    return figures


def clips_of(episodes: Episodes, entries: Sequence[Feedback], side: str) -> dict[str, np.ndarray]:
    """Return the clips (n, rows, d) of both sides and the labels (n); the peer knows equal lengths only."""
    told = [entry.said for entry in entries if isinstance(entry.said, Comparison)]
    first, second = (
        [episodes.features(getattr(each, name)) for each in told] for name in ("first", "second")
    )
    lengths = {len(clip) for clip in (*first, *second)}
    if len(lengths) > 1:
        raise ConfigError(
            f"clips have {min(lengths)} to {max(lengths)} rows, and the peer compares equal ones only: give "
            "--rows a number that every episode has."
        )
    labels = np.array([each.preferred for each in told], np.float32)
    return {
        f"{side}_first": np.stack(first),
        f"{side}_second": np.stack(second),
        f"{side}_labels": labels,
    }


def _run(command: Sequence[str], threads: int) -> subprocess.CompletedProcess[str]:
    environment = os.environ | {"OMP_NUM_THREADS": str(threads), "CUDA_VISIBLE_DEVICES": ""}
    environment.pop("PYTHONPATH", None)
    try:
        return subprocess.run(command, capture_output=True, text=True, env=environment, check=False)
    except OSError as error:
        raise ConfigError(f"--peer {command[0]}: cannot be run: {error}. To make it: {MAKES_IT}") from error
