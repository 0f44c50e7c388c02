"""A fake hardware file, and `sinew` started as a user would."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
ROBOT = HERE.parents[1] / "hardware_configs" / "robots" / "so101"
PERIOD = 0.05  # s

HARDWARE = """
robot: {robot}
station: {{plugin: "{station}", world: {world}, success_after: {success_after}}}
control_period: {period}
pace: realtime
cameras:
  top:
    {{width: 64, height: 48, fovy: 50.0, position: [0.2, 0.0, 0.7],
     look_at: [0.2, 0.0, 0.0], up: [1.0, 0.0, 0.0]}}
  side:
    {{width: 65, height: 49, fovy: 50.0, position: [0.6, 0.5, 0.4], look_at: [0.2, 0.0, 0.0], every: 0}}
safety: {{floor: 0.0, workspace_lower: [-0.6, -0.6, -0.1], workspace_upper: [0.6, 0.6, 0.8]}}
scene: {{lower: [0.1, -0.1], upper: [0.3, 0.1]}}
perception: {{plugin: "stand_ins:NoPerception"}}
"""

MODELS = (
    *("--policy", "stand_ins:SwayPolicy", "--reward", "stand_ins:WaveReward"),
    *("--affordance", "stand_ins:AnyAffordance"),
)


def write_hardware(
    folder: Path,
    *,
    success_after: int = 12,
    station: str = "sinew_core.fakes:FakeStation",
    world: bool = True,
) -> str:
    path = folder / "fake.yaml"
    facts = {"robot": ROBOT, "station": station, "world": str(world).lower(), "period": PERIOD}
    path.write_text(HARDWARE.format(success_after=success_after, **facts))
    return str(path)


def command(*arguments: str) -> list[str]:
    return [sys.executable, "-m", "sinew_core.cli", *arguments]


def environment(**more: str) -> dict[str, str]:
    return {**os.environ, "PYTHONPATH": str(HERE), **more}


def sinew(*arguments: str, cwd: Path, **more: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        command(*arguments), cwd=cwd, env=environment(**more), capture_output=True, text=True, timeout=120
    )


def run_fake(folder: Path, *options: str, models: Sequence[str] = MODELS, **hardware: Any) -> Any:
    """`sinew run` on a fake station, into `folder`/out."""
    path = write_hardware(folder, **hardware)
    return sinew("run", "--hardware", path, *models, "--out", "out", *options, cwd=folder)


def last_json(text: str) -> dict[str, Any]:
    data = json.loads(text.strip().splitlines()[-1])
    assert isinstance(data, dict)
    return data
