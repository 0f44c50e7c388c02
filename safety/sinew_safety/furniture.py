"""Obstacles for trying a barrier where the hardware file lists none."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from sinew_core.config import from_mapping
from sinew_core.hardware import Hardware

from sinew_safety.config import BarrierConfig, Obstacle

PLUGIN = "sinew_safety.barrier:BarrierFilter"


def with_obstacles(hardware: Hardware) -> BarrierConfig:
    """Return the barrier's configuration in a hardware file, with obstacles of ours if it has none."""
    where = f"{hardware.path}: safety.filters"
    specs = [spec for spec in hardware.config.safety.filters if spec.get("plugin") == PLUGIN]
    fields = {key: value for spec in specs[:1] for key, value in spec.items() if key != "plugin"}
    config = from_mapping(BarrierConfig, fields, where)
    return config if config.obstacles else replace(config, obstacles=furnish(hardware))


def furnish(hardware: Hardware) -> tuple[Obstacle, ...]:
    """Return a post, a shelf and a block in a robot's workspace, in proportion to it."""
    lower = np.array(hardware.config.safety.workspace_lower)
    span = np.array(hardware.config.safety.workspace_upper) - lower

    def box(name: str, size: Sequence[float], place: Sequence[float], yaw: float) -> Obstacle:
        x, y, z = (lower + span * place).tolist()
        a, b, c = (span * size).tolist()
        return Obstacle(name, (a, b, c), (x, y, z), (0.0, 0.0, yaw))

    return (
        box("post", (0.13, 0.09, 0.7), (0.5, 0.2, 0.35), 0.0),
        box("shelf", (0.4, 0.35, 0.05), (0.6, 0.78, 0.55), 0.4),
        box("block", (0.2, 0.12, 0.2), (0.8, 0.52, 0.1), 0.7),
    )
