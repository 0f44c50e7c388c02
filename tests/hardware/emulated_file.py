"""A hardware file of the emulated SO-101, with one small camera and whatever else a test changes."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml
from sinew_core.hardware import Hardware, load_hardware, overlaid

CONFIGS = Path(__file__).parents[2] / "hardware_configs"
EYE = {"width": 32, "height": 24, "fovy": 40.0, "position": [0.2, 0.0, 0.5], "look_at": [0.2, 0.0, 0.0]}
TOP = {**EYE, "up": [1.0, 0.0, 0.0], "depth": False}


def emulated(folder: Path, changes: Mapping[str, Any]) -> Hardware:
    """Write the file and load it."""
    fields = yaml.safe_load((CONFIGS / "so101_emulated.yaml").read_text())
    fields |= {"robot": str(CONFIGS / "robots" / "so101"), "cameras": {"top": TOP}}
    path = folder / "desk.yaml"
    path.write_text(yaml.safe_dump(overlaid(fields, changes)))
    return load_hardware(str(path))
