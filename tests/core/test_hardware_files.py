"""The hardware files that come along: each names what there is, and each runs by the same launch line."""

from __future__ import annotations

import shlex
from collections.abc import Iterator, Mapping
from dataclasses import fields, is_dataclass
from typing import Any

import pytest
from sinew_core.config import from_mapping, load_yaml
from sinew_core.hardware import Hardware, find_hardware, load_hardware
from sinew_core.plugins import plugin_config
from sinew_hardware.arms.servo_arm_config import ServoArmConfig
from sinew_hardware.arms.servo_joints import ServoConfig, ServoJoints
from sinew_hardware.devices import RealStationConfig
from sinew_hardware.emulators.config import EmulatorConfig
from sinew_nodes.launch_command import find_launch_file
from sinew_nodes.launch_file import resolve

from tests.core.conftest import ROBOTS

STATIONS = {path.stem: load_yaml(path)["station"] for path in sorted(ROBOTS.parent.glob("*.yaml"))}
NAMES = list(STATIONS)
REAL = [name for name, station in STATIONS.items() if "arm" in station]
EMULATED = [name for name, station in STATIONS.items() if "emulator" in station]
SERVOS = [name for name in REAL if "servos" in STATIONS[name]["arm"]]
TWINS = [("so101", "so101_emulated"), ("widowx250", "widowx250_emulated")]
SIMULATED = {"so101": "sim_mujoco", "widowx250": "sim_mujoco_widowx250"}


def plugins(hardware: Hardware) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Yield every plugin that a file names, and where."""
    config = hardware.config
    yield "station", config.station
    yield "perception", config.perception
    yield from ((f"safety: filters[{i}]", each) for i, each in enumerate(config.safety.filters))
    yield from ((f"cameras: {name}", c.device) for name, c in config.cameras.items() if c.device is not None)
    if "arm" in config.station:
        yield "station: arm", config.station["arm"]


@pytest.fixture(params=NAMES)
def hardware(request: pytest.FixtureRequest) -> Hardware:
    return load_hardware(request.param)


def servo_arm(hardware: Hardware) -> ServoArmConfig:
    config = plugin_config(hardware.config.station["arm"], "arm")
    assert isinstance(config, ServoArmConfig)
    return config


def test_the_files_are_found() -> None:
    assert {"sim_mujoco", "so101", "so101_emulated", "widowx250", "ur5e", "fr3"} <= set(NAMES)
    assert {"so101_emulated", "widowx250_emulated"} <= set(EMULATED)
    assert {"so101", "so101_emulated", "so101_leader", "widowx250"} <= set(SERVOS)


def test_every_plugin_of_a_file_is_there_and_takes_its_fields(hardware: Hardware) -> None:
    for where, spec in plugins(hardware):
        config = plugin_config(spec, f"{hardware.path}: {where}")
        assert config is None or is_dataclass(config)
        assert set(spec) - {"plugin"} <= ({field.name for field in fields(config)} if config else set())


@pytest.mark.parametrize("name", EMULATED)
def test_every_emulator_of_a_file_can_be_made_and_has_the_arms_servos(name: str) -> None:
    hardware = load_hardware(name)
    emulator = hardware.config.station["emulator"]
    config = from_mapping(EmulatorConfig, emulator, f"{hardware.path}: station: emulator")
    servos = config.servos or {
        joint: ServoConfig(i + 1) for i, joint in enumerate(hardware.robot.joint_names)
    }
    assert ServoJoints(hardware.robot, servos, name).ids == tuple(
        servo_arm(hardware).servos[joint].id for joint in hardware.robot.joint_names
    )


@pytest.mark.parametrize("name", NAMES)
def test_a_file_of_devices_says_that_it_is_one(name: str) -> None:
    config = load_hardware(name).config
    assert config.real == (name in REAL)
    assert config.pace == "realtime" or not config.real


@pytest.mark.parametrize("name", REAL)
def test_every_device_has_a_driver(name: str) -> None:
    hardware = load_hardware(name)
    station = plugin_config(hardware.config.station, str(hardware.path))
    assert isinstance(station, RealStationConfig)
    for key, camera in hardware.config.cameras.items():
        assert camera.device is not None or station.emulator is not None, key


@pytest.mark.parametrize("name", SERVOS)
def test_every_servo_arm_has_a_servo_for_each_joint(name: str) -> None:
    hardware = load_hardware(name)
    ServoJoints(hardware.robot, servo_arm(hardware).servos, str(hardware.path))


@pytest.mark.parametrize(("real", "emulated"), TWINS)
def test_an_emulated_arm_is_built_as_the_real_one(real: str, emulated: str) -> None:
    one, other = load_hardware(real), load_hardware(emulated)
    arm, twin = servo_arm(one), servo_arm(other)
    assert one.config.station["arm"]["plugin"] == other.config.station["arm"]["plugin"]
    assert arm.servos == twin.servos
    assert (arm.baud, arm.voltage, arm.leader) == (twin.baud, twin.voltage, twin.leader)
    assert one.config.robot == other.config.robot


@pytest.mark.parametrize(("real", "emulated"), TWINS)
def test_an_emulated_arm_stands_where_the_real_and_the_simulated_one_do(real: str, emulated: str) -> None:
    one, other, simulated = load_hardware(real), load_hardware(emulated), load_hardware(SIMULATED[real])
    for config in (other.config, simulated.config):
        assert config.safety == one.config.safety
        assert config.scene == one.config.scene
        assert config.control_period == one.config.control_period
        assert set(one.config.cameras) <= set(config.cameras)
    assert one.config.perception == other.config.perception
    assert set(other.config.cameras) == set(simulated.config.cameras)


@pytest.mark.parametrize("file", ["bringup", "actor"])
def test_the_launch_line_differs_from_the_simulations_in_one_word(file: str, hardware: Hardware) -> None:
    path = find_launch_file(file)

    def words(name: str) -> list[list[str]]:
        return [
            [word for argument in node.arguments for word in shlex.split(argument)]
            for node in resolve(path, {"hardware": name})
        ]

    simulated, here = words("sim_mujoco"), words(hardware.name)
    assert here == [[word.replace("sim_mujoco", hardware.name) for word in node] for node in simulated]
    assert sum("hardware" in word for node in here for word in node) > 0
    assert find_hardware(hardware.name) == hardware.path
