"""What an export says of where its rows come from: episodes, outcomes, how they were aligned."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from sinew_core.types import NANOSECONDS

from sinew_data.export.columns import OWNERS
from sinew_data.export.plan import EpisodePlan, ExportPlan

LEROBOT, NPZ = "sinew-lerobot/1", "sinew-npz/1"
PLACES = {LEROBOT: Path("meta") / "sinew.json", NPZ: Path("index.json")}


def export_index(form: str, plan: ExportPlan) -> dict[str, Any]:
    """Return what both formats say."""
    return {
        "format": form,
        "fps": float(plan.fps),
        "owners": dict(enumerate(OWNERS)),
        "episodes": [episode_facts(episode) for episode in plan.episodes],
    }


def episode_facts(plan: EpisodePlan) -> dict[str, Any]:
    """Return what is said of an episode."""
    start, end, alignment = plan.summary.start, plan.summary.end, plan.alignment
    return {
        "name": plan.name,
        "rows": plan.rows,
        "task": start.task,
        "instruction": start.instruction,
        "outcome": end.outcome,
        "message": end.message,
        "marks": list(end.marks),
        "seed": start.seed,
        "hardware": start.hardware,
        "robot": start.robot,
        "policy": start.policy,
        "reward": start.reward,
        "start": plan.start,
        "rows_left_out": {"gaps": plan.left_out, "ends": alignment.trimmed},
        "farthest_s": {name: worst / NANOSECONDS for name, worst in alignment.worst.items()},
        "tolerance_s": {name: limit / NANOSECONDS for name, limit in alignment.tolerance.items()},
    }


def write_json(path: Path, content: Mapping[str, Any]) -> None:
    """Write an object as JSON that a person can read."""
    path.parent.mkdir(parents=True, exist_ok=True)
    text = json.dumps(content, indent=1, allow_nan=False, ensure_ascii=False)
    path.write_text(text + "\n", encoding="utf-8")


def is_export(folder: Path) -> bool:
    """Whether a folder holds an export of Sinew, of either format."""
    for form, place in PLACES.items():
        try:
            content = json.loads((folder / place).read_text(encoding="utf-8"))
        except (OSError, ValueError):
            continue
        if isinstance(content, dict) and content.get("format") == form:
            return True
    return False
