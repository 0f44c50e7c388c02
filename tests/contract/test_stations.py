"""What every simulated station in hardware_configs promises, whatever simulates it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sinew_core.errors import ConfigError
from sinew_core.hardware import Hardware, load_hardware
from sinew_core.protocols import Arm, Camera, Station, World
from sinew_core.types import CameraModel, FloatArray, JointCommand
from sinew_sim.tasks.reach import HOVER

SIMULATED = sorted(path.stem for path in Path("hardware_configs").resolve().glob("sim_*.yaml"))
TASKS = ("reach", "push", "pick_place", "stack")
CAMERAS = ("top", "side", "wrist")

Open = Callable[..., Any]


@pytest.fixture(params=SIMULATED)
def hardware(request: pytest.FixtureRequest) -> Hardware:
    return load_hardware(request.param)


@pytest.fixture
def open_station(hardware: Hardware) -> Iterator[Open]:
    stations: list[Station] = []

    def opened(task: str = "pick_place") -> Station:
        stations.append(hardware.open_station(task))
        return stations[-1]

    yield opened
    for station in stations:
        station.close()


def motion(station: Any, hardware: Hardware, seed: int) -> FloatArray:
    """Sweep the arm across the table for half a second; return all that moved, (10, k)."""
    robot, world = hardware.robot, station.world
    world.reset(seed)
    rows = []
    for i in range(10):
        target = np.clip(robot.home + 0.05 * i, robot.lower, robot.upper)
        station.arm.write(JointCommand(world.stamp, target))
        world.step(hardware.period)
        state = world.state()
        things = [np.concatenate([o.position, o.quaternion, o.velocity]) for o in state.objects.values()]
        rows.append(np.concatenate([station.arm.read().position, state.tip, *things]))
    return np.array(rows)


def above(point: FloatArray, height: float) -> FloatArray:
    """Return the point (3,) that lies `height` m above another."""
    raised: FloatArray = point + np.array([0.0, 0.0, height])
    return raised


def deproject(model: CameraModel, hardware: Hardware, joints: FloatArray, depth: FloatArray) -> FloatArray:
    """Return the point of each pixel in the base frame, (h, w, 3)."""
    columns, rows = np.meshgrid(np.arange(model.width), np.arange(model.height))
    rays = np.stack([(columns - model.cx) / model.fx, (rows - model.cy) / model.fy, np.ones_like(columns)])
    X = hardware.robot.chain.pose(model.link, joints) @ model.X_LC
    points: FloatArray = np.einsum("ij,jhw->hwi", X[:3, :3], rays * depth) + X[:3, 3]
    return points


def test_there_are_stations_to_hold_to_it() -> None:
    assert {"sim_mujoco", "sim_mujoco_fr3"} <= set(SIMULATED)


def test_a_station_has_all_its_parts(open_station: Open, hardware: Hardware) -> None:
    station = open_station()
    assert isinstance(station, Station)
    assert isinstance(station.arm, Arm)
    assert isinstance(station.world, World)
    assert set(station.cameras) == set(hardware.cameras) >= set(CAMERAS)
    assert all(isinstance(camera, Camera) for camera in station.cameras.values())


def test_a_seed_decides_the_motion_whatever_ran_before(open_station: Open, hardware: Hardware) -> None:
    station = open_station()
    first = motion(station, hardware, 3)
    other = motion(station, hardware, 4)
    again = motion(station, hardware, 3)
    fresh = motion(open_station(), hardware, 3)
    np.testing.assert_array_equal(first, again)
    np.testing.assert_array_equal(first, fresh)
    assert first.shape != other.shape or not np.array_equal(first, other)


def test_stamps_never_run_backwards(open_station: Open, hardware: Hardware) -> None:
    station = open_station()
    stamps = [station.world.stamp]
    for seed in (5, 2, 5):
        station.world.reset(seed)
        stamps.append(station.world.stamp)
        station.world.step(hardware.period)
        stamps.append(station.world.stamp)
        assert stamps[-1] - stamps[-2] == hardware.period
        assert station.arm.read().stamp == station.cameras["top"].read().stamp == stamps[-1]
    assert stamps == sorted(stamps)


def test_an_episode_begins_with_the_arm_home_and_at_rest(open_station: Open, hardware: Hardware) -> None:
    station = open_station()
    motion(station, hardware, 1)
    station.world.reset(2)
    joints = station.arm.read()
    np.testing.assert_allclose(joints.position, hardware.robot.home, atol=1e-9)
    np.testing.assert_allclose(joints.velocity, 0.0, atol=1e-9)
    tip = hardware.robot.chain.pose(hardware.robot.tip_link, joints.position)[:3, 3]
    np.testing.assert_allclose(station.world.state().tip, tip, atol=1e-4)


def test_the_arm_holds_still_when_nobody_commands_it(open_station: Open, hardware: Hardware) -> None:
    station = open_station()
    station.world.reset(0)
    station.arm.stop()
    station.world.step(20 * hardware.period)
    np.testing.assert_allclose(station.arm.read().position, hardware.robot.home, atol=0.01)


@pytest.mark.parametrize("task", TASKS)
def test_no_episode_begins_done(open_station: Open, task: str) -> None:
    station = open_station(task)
    for seed in range(5):
        station.world.reset(seed)
        assert not station.world.success()


@pytest.mark.parametrize("task", TASKS)
def test_objects_lie_still_where_the_scene_has_them(
    open_station: Open, hardware: Hardware, task: str
) -> None:
    world = open_station(task).world
    for seed in range(3):
        world.reset(seed)
        state = world.state()
        assert set(state.objects) == {placed.spec.name for placed in world.scene.objects}
        for placed in world.scene.objects:
            item = state.objects[placed.spec.name]
            np.testing.assert_allclose(item.position, placed.position, atol=0.003)
            assert item.speed < 0.02


def test_an_object_in_the_bowl_is_success_and_one_held_above_it_is_not(open_station: Open) -> None:
    world = open_station().world
    world.reset(0)
    bowl = world.state().objects[world.scene.target].position
    world.place(world.scene.moved, above(bowl, 0.12))
    assert not world.success()
    world.place(world.scene.moved, above(bowl, 0.015))
    world.step(500_000_000)
    assert world.success()
    assert world.state().objects[world.scene.moved].position[2] > 0.01  # on the bowl's floor, not through it


def test_an_object_on_the_pad_is_success_and_one_above_it_is_not(open_station: Open) -> None:
    world = open_station("push").world
    world.reset(0)
    pad, height = (
        world.state().objects[world.scene.target].position,
        world.scene.spec(world.scene.moved).height,
    )
    world.place(world.scene.moved, above(pad, 0.06))
    assert not world.success()
    world.place(world.scene.moved, [pad[0], pad[1], height / 2])
    world.step(500_000_000)
    assert world.success()


def test_a_stack_stands_and_is_success(open_station: Open) -> None:
    world = open_station("stack").world
    world.reset(0)
    moved, target = world.scene.moved, world.scene.target
    below, height = world.state().objects[target].position, world.scene.spec(moved).height
    world.place(moved, above(below, (height + world.scene.spec(target).height) / 2 + 0.001))
    world.step(1_000_000_000)
    assert world.success()


def test_reach_is_judged_by_the_tip(open_station: Open, hardware: Hardware) -> None:
    world = open_station("reach").world
    world.reset(0, "move the gripper above the red cube")
    tip = world.state().tip
    height = world.scene.spec("red cube").height
    world.place("red cube", [tip[0], tip[1], tip[2] - HOVER - height / 2 - 0.015])
    assert world.success()
    world.place("red cube", [tip[0] + 0.025, tip[1], tip[2] - HOVER - height / 2])
    assert not world.success()


def test_a_free_object_falls(open_station: Open) -> None:
    world = open_station().world
    world.reset(0)
    name = world.scene.moved
    start = above(world.state().objects[name].position, 0.2)
    world.place(name, start)
    world.step(100_000_000)
    fallen = start[2] - world.state().objects[name].position[2]
    assert fallen == pytest.approx(0.5 * 9.81 * 0.1**2, rel=0.1)


@pytest.mark.parametrize("name", CAMERAS)
def test_the_table_is_at_height_zero_in_every_camera(
    open_station: Open, hardware: Hardware, name: str
) -> None:
    station = open_station()
    station.world.reset(1)
    frame = station.cameras[name].read()
    points = deproject(hardware.cameras[name], hardware, station.arm.read().position, frame.depth)
    on_table = (np.abs(points[..., 2]) < 0.002) & (frame.depth > 0)
    assert on_table.mean() > 0.2
    assert (points[..., 2][frame.depth > 0] > -0.004).all()


@pytest.mark.parametrize("name", CAMERAS)
def test_the_top_of_a_cube_is_at_its_height_in_every_camera(
    open_station: Open, hardware: Hardware, name: str
) -> None:
    station = open_station("reach")
    world, camera, model = station.world, station.cameras[name], hardware.cameras[name]
    world.reset(2, "reach over the red cube")
    height = world.scene.spec("red cube").height
    joints = station.arm.read().position
    place = clear_place(deproject(model, hardware, joints, camera.read().depth))
    world.place("red cube", np.array([*place, height / 2]))
    frame = camera.read()
    points = deproject(model, hardware, joints, frame.depth)
    beside = np.linalg.norm(points[..., :2] - place, axis=-1) < 0.008
    red = frame.rgb[..., 0].astype(int) - frame.rgb[..., 1] > 60
    top = points[..., 2][beside & red]
    assert top.size > 0
    assert np.median(top) == pytest.approx(height, abs=0.002)


def clear_place(points: FloatArray) -> FloatArray:
    """Return the spot on the table (2,) nearest the image's centre with bare table around it."""
    table = np.abs(points[..., 2]) < 0.003
    h, w = table.shape
    reach = h // 8
    spots = [
        (abs(r - h / 2) + abs(c - w / 2), r, c)
        for r in range(reach, h - reach, 4)
        for c in range(reach, w - reach, 4)
        if table[r - reach : r + reach, c - reach : c + reach].all()
    ]
    assert spots, "the camera sees no clear table"
    _, r, c = min(spots)
    place: FloatArray = points[r, c, :2]
    return place


def test_frames_are_as_their_camera_model_says(open_station: Open, hardware: Hardware) -> None:
    station = open_station()
    station.world.reset(0)
    for name, camera in station.cameras.items():
        frame = camera.read()
        model = hardware.cameras[name]
        assert camera.model == model or camera.model.name == model.name
        assert frame.rgb.shape == (model.height, model.width, 3)
        assert frame.rgb.dtype == np.uint8
        assert frame.depth.dtype == np.float32
        millimetres = frame.depth.astype(np.float64) * 1000
        np.testing.assert_allclose(millimetres, np.rint(millimetres), atol=1e-3)
        assert frame.depth.max() <= 5.0


def test_a_frame_is_its_receivers_own(open_station: Open) -> None:
    station = open_station()
    station.world.reset(0)
    frame = station.cameras["top"].read()
    kept = frame.rgb.copy()
    frame.rgb[:] = 0
    np.testing.assert_array_equal(station.cameras["top"].read().rgb, kept)


@pytest.mark.parametrize("task", TASKS)
def test_an_instruction_about_what_is_not_there_is_never_done(open_station: Open, task: str) -> None:
    world = open_station(task).world
    sentence = "put the red banana in the pink bowl"
    assert world.reset(0, sentence).instruction == sentence
    assert not world.success()
    assert all(placed.spec.colour != "pink" for placed in world.scene.objects)


def test_an_unknown_task_is_answered_with_the_nearest(hardware: Hardware) -> None:
    with pytest.raises(ConfigError, match=r"pick_plase.*Did you mean 'pick_place'"):
        hardware.open_station("pick_plase")


def test_a_control_period_that_the_physics_cannot_keep_is_refused(hardware: Hardware) -> None:
    with pytest.raises(ConfigError, match=r"control_period.*timestep"):
        hardware.with_control_period(0.0333).open_station("pick_place")


@pytest.mark.parametrize("duration", [0, -50_000_000, 1_234_567])
def test_only_whole_timesteps_are_stepped(open_station: Open, duration: int) -> None:
    station = open_station()
    before = station.world.stamp
    with pytest.raises(ConfigError, match="timestep"):
        station.world.step(duration)
    assert station.world.stamp == before


def test_closing_twice_does_no_harm(hardware: Hardware) -> None:
    station = hardware.open_station("pick_place")
    station.world.reset(0)  # type: ignore[union-attr]
    station.cameras["top"].read()
    station.close()
    station.close()
