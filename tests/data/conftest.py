"""Lets the tests of this folder import its helpers, as the processes that they start do."""

import sys
from pathlib import Path

import pytest
from sinew_core.hardware import Hardware, load_hardware

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE))

ROBOTS = HERE.parents[1] / "hardware_configs" / "robots"
FILE = """
robot: {robots}/so101
station: {{plugin: "sinew_core.fakes:FakeStation", world: true, success_after: 12}}
control_period: 0.05
pace: lockstep
cameras:
  top:
    width: 64
    height: 48
    fovy: 50.0
    position: [0.2, 0.0, 0.6]
    look_at: [0.2, 0.0, 0.0]
    up: [1.0, 0.0, 0.0]
  side:
    width: 32
    height: 24
    fovy: 50.0
    position: [0.5, -0.2, 0.4]
    look_at: [0.2, 0.0, 0.0]
    depth: false
    every: 3
safety: {{floor: 0.01, workspace_lower: [-0.5, -0.5, 0.0], workspace_upper: [0.8, 0.5, 0.8]}}
scene: {{lower: [0.15, -0.1], upper: [0.25, 0.1]}}
perception: {{plugin: "tests.nowhere:Nothing"}}
"""


@pytest.fixture
def hardware(tmp_path: Path) -> Hardware:
    path = tmp_path / "fake.yaml"
    path.write_text(FILE.format(robots=ROBOTS))
    return load_hardware(str(path))
