"""PyBullet's cameras are the pinhole cameras that their models say, in colour and in depth."""

from __future__ import annotations

import colorsys
from collections.abc import Iterator

import numpy as np
import pytest
from sinew_core.hardware import Hardware, load_hardware
from sinew_core.types import CameraModel, FloatArray
from sinew_sim.bullet_render import BulletCamera
from sinew_sim.bullet_station import BulletStation, BulletStationConfig

FIXED = ("top", "side")
BALL = "red sphere"


@pytest.fixture(scope="module", params=["sim_pybullet", "sim_pybullet_fr3"])
def hardware(request: pytest.FixtureRequest) -> Hardware:
    return load_hardware(request.param)


@pytest.fixture(scope="module")
def station(hardware: Hardware) -> Iterator[BulletStation]:
    station = BulletStation(BulletStationConfig(), hardware, "reach")
    station.world.reset(0, f"go to the {BALL}")
    yield station
    station.close()


def reddish(rgb: FloatArray) -> FloatArray:
    red, green, blue = np.moveaxis(rgb.astype(int), -1, 0)
    return (red > 60) & (red > 3 * green) & (red > 3 * blue)


def project(X_WC: FloatArray, model: CameraModel, point: FloatArray) -> tuple[FloatArray, float]:
    x, y, z = X_WC[:3, :3].T @ (point - X_WC[:3, 3])
    return np.array([model.fx * x / z + model.cx, model.fy * y / z + model.cy]), z


@pytest.mark.parametrize("name", FIXED)
def test_a_balls_blob_is_centred_where_its_centre_projects(
    station: BulletStation, hardware: Hardware, name: str
) -> None:
    camera, scene = station.cameras[name], hardware.config.scene
    rng = np.random.default_rng(0)
    offsets = []
    for _ in range(12):
        point = np.array([*rng.uniform(scene.lower, scene.upper), 0.06])
        point[1] = np.copysign(max(abs(point[1]), 0.08), point[1])  # clear of the arm
        station.world.place(BALL, point)
        blob = reddish(camera.read().rgb)
        rows, columns = np.nonzero(blob)
        expected, _ = project(camera.model.X_LC, camera.model, point)
        offsets.append(np.array([columns.mean(), rows.mean()]) - expected)
    assert np.abs(offsets).max() < 1.0
    assert np.abs(np.mean(offsets, axis=0)).max() < 0.25  # no half pixel lost


def test_the_wrist_camera_rides_on_its_link(station: BulletStation, hardware: Hardware) -> None:
    robot, camera = hardware.robot, station.cameras["wrist"]
    station.arm.put(robot.home)
    for turn in (0.0, 0.4):
        q = robot.home.copy()
        q[0] += turn
        station.arm.put(q)
        X_WC = robot.chain.pose(camera.model.link, q) @ camera.model.X_LC
        point = X_WC[:3, 3] + X_WC[:3, :3] @ [0.0, -0.02, 0.13]
        station.world.place(BALL, point)
        rows, columns = np.nonzero(reddish(camera.read().rgb))
        expected, _ = project(X_WC, camera.model, point)
        assert np.abs(np.array([columns.mean(), rows.mean()]) - expected).max() < 1.5
    station.arm.put(robot.home)


@pytest.mark.parametrize("name", FIXED)
def test_depth_is_metres_along_the_optical_axis(
    station: BulletStation, hardware: Hardware, name: str
) -> None:
    camera = station.cameras[name]
    radius = station.world.scene.spec(BALL).size[0] / 2
    point = np.array([*np.add(hardware.config.scene.lower, 0.02), 0.1])
    station.world.place(BALL, point)
    frame = camera.read()
    assert frame.depth is not None
    pixel, distance = project(camera.model.X_LC, camera.model, point)
    column, row = np.rint(pixel).astype(int)
    ray = np.array([*((pixel - [camera.model.cx, camera.model.cy]) / camera.model.fx), 1.0])
    assert frame.depth[row, column] == pytest.approx(distance - radius / np.linalg.norm(ray), abs=2e-3)


@pytest.mark.parametrize("name", FIXED)
def test_the_tables_depth_lies_in_its_plane(station: BulletStation, name: str) -> None:
    camera = station.cameras[name]
    frame = camera.read()
    assert frame.depth is not None
    model, X = camera.model, camera.model.X_LC
    rows, columns = np.mgrid[0 : model.height : 7, 0 : model.width : 7]
    depth = frame.depth[rows, columns].astype(np.float64)
    rays = np.stack([(columns - model.cx) / model.fx, (rows - model.cy) / model.fy, np.ones_like(depth)], -1)
    height = (depth[..., None] * rays) @ X[2, :3] + X[2, 3]
    table = np.abs(height) < 1e-3
    assert table.mean() > 0.5 and height.min() > -1e-3


def test_depth_is_whole_millimetres_and_frames_are_copies(station: BulletStation) -> None:
    frame = station.cameras["top"].read()
    assert frame.depth is not None and frame.depth.dtype == np.float32
    assert np.abs(frame.depth * 1000 - np.rint(frame.depth * 1000)).max() < 1e-3
    frame.rgb[:], frame.depth[:] = 0, 0
    again = station.cameras["top"].read()
    assert again.depth is not None and again.rgb.any() and again.depth.any()


def test_beyond_five_metres_there_is_no_depth(station: BulletStation) -> None:
    client = station.world.client
    X = np.eye(4)
    X[:3, :3] = np.array([[0, 0, 1], [-1, 0, 0], [0, -1, 0]])  # level, along x
    X[:3, 3] = [1.0, 0.0, 0.5]
    model = CameraModel("level", 64, 48, 50.0, 50.0, 31.5, 23.5, "base_link", X)
    frame = BulletCamera(client, model, True, lambda: np.eye(4), lambda: 0).read()
    assert frame.depth is not None
    assert (frame.depth[:24] == 0).all() and (frame.rgb[:24] == 0).all()
    assert 0 < frame.depth[frame.depth > 0].min() < 1.2 and frame.depth.max() <= 5.0


def test_objects_keep_their_hue_and_the_rest_is_grey(station: BulletStation, hardware: Hardware) -> None:
    station.world.place(BALL, np.array([*hardware.config.scene.upper, 0.02]))
    for name in FIXED:
        rgb = station.cameras[name].read().rgb
        ball = rgb[reddish(rgb)] / 255
        hues = np.array([colorsys.rgb_to_hsv(*pixel)[0] for pixel in ball])
        assert np.abs((hues + 0.5) % 1 - 0.5).max() < 0.03
        assert ball.max(axis=-1).min() > 0.4
        spread = rgb.max(axis=-1).astype(int) - rgb.min(axis=-1)
        table = spread[:, rgb.shape[1] // 2]
        assert np.median(table) < 25
