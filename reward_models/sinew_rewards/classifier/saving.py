"""What becomes of a trained network: calibration, a threshold, and files that say what it was made of."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import torch

from sinew_rewards.classifier.calibration import calibrate, choose_threshold
from sinew_rewards.classifier.card import Criteria
from sinew_rewards.classifier.labels import LabelRule
from sinew_rewards.classifier.making import versions
from sinew_rewards.classifier.network import SuccessNetwork
from sinew_rewards.classifier.scorer import ClassifierFacts, Scorer, logits_of, save_facts, save_weights
from sinew_rewards.classifier.sources import Gathered
from sinew_rewards.classifier.splits import Split
from sinew_rewards.classifier.training import Trainer


def save_classifier(
    out: Path,
    network: SuccessNetwork,
    gathered: Gathered,
    split: Split,
    trainer: Trainer,
    provenance: dict[str, Any],
) -> Scorer:
    """Calibrate, choose the threshold and write weights and facts."""
    logits = np.concatenate([logits_of(network, e.frames.pictures[e.labels >= 0]) for e in split.validation])
    labels = np.concatenate([e.labels[e.labels >= 0] for e in split.validation]).astype(np.float64)
    calibration = calibrate(logits, labels)
    wanted = (1 + Criteria().precision) / 2  # the part that chooses flatters
    threshold = choose_threshold(calibration.probabilities(logits), labels, wanted)
    first = gathered.episodes[0].facts
    facts = ClassifierFacts(
        robot=first.robot,
        task=first.task,
        spec=gathered.spec,
        sizes=trainer.sizes,
        looks=trainer.looks,
        calibration=calibration,
        threshold=float(f"{threshold:.6g}"),
        weights_sha256=save_weights(out, network),
        split={part: tuple(names) for part, names in split.names().items()},
        provenance=provenance,
    )
    save_facts(out, facts)
    return Scorer(network, facts)


def provenance_of(
    command: str, trainer: Trainer, gathered: Gathered, rule: LabelRule, left_out: dict[str, int]
) -> dict[str, Any]:
    """Return what it takes to make a classifier again, and how its training went."""
    progress = trainer.progress
    simulated = sum(item.truth is not None for item in gathered.episodes)
    told = (
        f"the last {rule.positives} control periods of a success, {rule.gap} before them left out"
        if simulated < len(gathered.episodes)
        else f"the simulator's own; {rule.blur} control periods on either side of a change left out"
    )
    return {
        "command": command,
        "training": asdict(trainer.config),
        "steps": progress.step,
        "best_step": progress.best_step,
        "seconds": round(progress.seconds, 1),
        "history": [[step, float(f"{a:.4g}"), float(f"{b:.4g}")] for step, a, b in progress.history],
        "data": {
            "sha256": trainer.data_digest,
            "episodes": len(gathered.episodes),
            "simulated": simulated,
            "left_out": left_out,
            "labels": told,
            "instructions": sorted({item.facts.instruction for item in gathered.episodes})[:20],
        },
        "versions": versions(),
        "threads": torch.get_num_threads(),
    }
