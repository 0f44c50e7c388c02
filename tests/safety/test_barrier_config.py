"""What a user can get wrong, answered with a sentence."""

from pathlib import Path
from typing import Any

import pytest
from sinew_core.errors import ConfigError
from sinew_core.hardware import Hardware, load_hardware
from sinew_core.plugins import build
from sinew_core.protocols import SafetyFilter
from sinew_core.safety import default_filter
from sinew_safety.barrier import BarrierFilter
from sinew_safety.config import BarrierConfig

PLUGIN = "sinew_safety.barrier:BarrierFilter"
BOX: dict[str, Any] = {"name": "crate", "size": [0.1, 0.1, 0.1], "position": [0.3, 0.3, 0.1]}
SIMULATED = ("sim_mujoco", "sim_pybullet", "sim_mujoco_fr3", "sim_pybullet_fr3")


def made(hardware: Hardware, **fields: Any) -> SafetyFilter:
    where = "file.yaml: safety.filters[0]"
    return build({"plugin": PLUGIN, **fields}, SafetyFilter, where, hardware=hardware, robot=hardware.robot)


def test_a_hardware_file_builds_it(block: Hardware) -> None:
    barrier = made(block, alpha_table=3.0, obstacles=[BOX, BOX | {"name": "lid", "rpy": [0.0, 0.1, 0.0]}])
    assert isinstance(barrier, BarrierFilter)
    assert barrier.parameters()["alpha_table"] == 3.0
    assert {"barrier:obstacle:crate", "barrier:obstacle:lid"} <= set(barrier.gaps.reasons)


@pytest.mark.parametrize(
    ("fields", "sentence"),
    [
        ({"alpha_table": 20.1}, r"alpha_table: got 20.1 per second; expected .* at most 20, .* 0.05 s"),
        ({"alpha_self": 0.0}, "alpha_self: expected a rate above 0"),
        ({"alpha_walls": -1.0}, "alpha_walls: expected a rate above 0"),
        ({"margin_obstacle": -0.01}, "margin_obstacle: expected at least 0 m, got -0.01"),
        ({"alpha_tabel": 1.0}, "unknown key 'alpha_tabel'. Did you mean 'alpha_table'"),
        ({"alpha_table": "fast"}, "alpha_table: expected a finite number, got 'fast'"),
        ({"obstacles": [BOX, BOX]}, "obstacles: crate is given twice"),
        ({"obstacles": [BOX | {"size": [0.1, 0.0, 0.1]}]}, r"obstacles\[0\]: size: .* above 0 m"),
        ({"obstacles": [BOX | {"name": ""}]}, r"obstacles\[0\]: name"),
        ({"obstacles": [{"name": "crate"}]}, r"obstacles\[0\]: missing keys size, position"),
        ({"obstacles": [BOX | {"position": [0.1, 0.2]}]}, "expected 3 values, got 2"),
    ],
)
def test_a_mistake_is_refused_with_a_sentence(block: Hardware, fields: dict[str, Any], sentence: str) -> None:
    with pytest.raises(ConfigError, match=sentence):
        made(block, **fields)


def test_a_rate_that_is_just_right_for_the_period_is_taken(block: Hardware) -> None:
    assert made(block, alpha_table=20.0)
    with pytest.raises(ConfigError, match="alpha_table"):
        made(block.with_control_period(0.1), alpha_table=20.0)


@pytest.mark.parametrize(
    ("name", "value", "sentence"),
    [
        ("alpha_tabel", 1.0, "unknown parameter 'alpha_tabel'. Did you mean 'alpha_table'"),
        ("alpha_table", 0.0, "alpha_table: got 0 per second; expected a rate above 0"),
        ("alpha_table", 21.0, "at most 20"),
        ("alpha_table", float("nan"), "alpha_table: got nan"),
        ("alpha_table", float("inf"), "alpha_table: got inf"),
    ],
)
def test_a_parameter_that_cannot_be_is_refused_and_nothing_changes(
    block: Hardware, name: str, value: float, sentence: str
) -> None:
    barrier = BarrierFilter(BarrierConfig(), block)
    before = barrier.parameters()
    with pytest.raises(ValueError, match=sentence):
        barrier.set_parameter(name, value)
    assert barrier.parameters() == before


def test_a_robot_without_collision_shapes_is_refused(block: Hardware) -> None:
    urdf = Path(block.robot.urdf)
    text = urdf.read_text().replace("collision>", "visual>")
    urdf.write_text(text)
    with pytest.raises(ConfigError, match="no collision geometry"):
        made(block)


@pytest.mark.parametrize("name", SIMULATED)
def test_the_simulated_stations_run_it(name: str) -> None:
    chain = default_filter(load_hardware(name))
    assert chain.parameters() == BarrierFilter(BarrierConfig(), load_hardware(name)).parameters()
    chain.set_parameter("alpha_table", 2.0)
    assert chain.parameters()["alpha_table"] == 2.0
