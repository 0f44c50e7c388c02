"""What the keypoint detector finds in painted frames of known geometry."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from painter import CAMERAS, GREY, Solid, hardware, joints, look, slab, thing
from sinew_core.cameras import CameraConfig
from sinew_core.errors import ConfigError
from sinew_core.plugins import build
from sinew_core.protocols import PerceptionModel
from sinew_core.types import CameraFrame, Keypoint, Task
from sinew_perception.keypoints import Config, KeypointDetector

HARDWARE = hardware()
JOINTS = joints(HARDWARE)
DETECTOR = KeypointDetector(Config(), HARDWARE)


def see(*solids: Solid) -> dict[str, Keypoint]:
    return dict(DETECTOR.process(look(HARDWARE, *solids), JOINTS).keypoints)


def error(keypoint: Keypoint, solid: Solid) -> float:
    return float(np.linalg.norm(keypoint.position - solid.position))


def test_it_is_built_by_its_plugin_name() -> None:
    spec = {"plugin": "sinew_perception.keypoints:KeypointDetector", "min_points": 10}
    assert isinstance(build(spec, PerceptionModel, "test", hardware=HARDWARE), KeypointDetector)


def test_every_shape_is_named_and_found_at_its_centre() -> None:
    solids = {
        "red_cube": thing("red cube", 0.22, 0.06, 0.3),
        "blue_bowl": thing("blue bowl", 0.23, -0.08),
        "green_cylinder": thing("green cylinder", 0.15, -0.01),
        "yellow_sphere": thing("yellow sphere", 0.28, 0.02),
        "purple_pad": thing("purple pad", 0.15, 0.09),
        "orange_cube": thing("orange cube", 0.15, 0.09, 0.5),
    }
    found = see(*solids.values())
    assert set(found) == set(solids)
    assert max(error(found[name], solid) for name, solid in solids.items()) < 0.002


@pytest.mark.parametrize("degrees", [-40, -20, 0, 20, 40])
def test_a_cube_has_its_yaw_and_size(degrees: float) -> None:
    cube = see(thing("green cube", 0.2, 0.03, np.radians(degrees)))["green_cube"]
    assert cube.yaw is not None
    assert cube.extent is not None
    assert -np.pi / 4 <= cube.yaw < np.pi / 4
    assert abs(np.degrees(cube.yaw) - degrees) < 3
    np.testing.assert_allclose(cube.extent, 0.028, atol=0.0025)


def test_round_things_have_no_yaw() -> None:
    found = see(thing("blue bowl", 0.2, 0.05), thing("red cylinder", 0.2, -0.07))
    assert [keypoint.yaw for keypoint in found.values()] == [None, None]


def test_the_pixel_is_where_the_first_camera_sees_the_object() -> None:
    cube = thing("red cube", 0.24, 0.04)
    model = HARDWARE.cameras["top"]
    x, y, z = np.linalg.inv(model.X_LC)[:3] @ [*cube.position, 1.0]
    expected = [model.fx * x / z + model.cx, model.fy * y / z + model.cy]
    pixel = see(cube)["red_cube"].pixel
    assert pixel is not None
    np.testing.assert_allclose(pixel, expected, atol=3)


def test_a_hidden_object_is_absent() -> None:
    cube = thing("red cube", 0.2, 0.0)
    box = slab(GREY, (0.2, 0.0, 0.05), (0.08, 0.08, 0.1))
    assert see(cube, box) == {}


def test_less_seen_is_less_confidence_and_then_nothing() -> None:
    from_above = KeypointDetector(Config(cameras=("top",)), HARDWARE)
    cube = thing("red cube", 0.2, 0.0)
    shares = []
    for edge in (-0.03, -0.009, -0.004, 0.002, 0.008, 0.03):
        screen = slab(GREY, (0.2, edge + 0.5, 0.06), (0.2, 1.0, 0.01))
        seen = from_above.process(look(HARDWARE, cube, screen), JOINTS).keypoints
        shares.append(seen["red_cube"].confidence if seen else 0.0)
    assert shares[0] == 0.0
    assert shares == sorted(shares)
    assert 0 < shares[3] < shares[-1] == 1.0


def test_what_is_partly_hidden_is_still_near_its_place() -> None:
    cube = thing("red cube", 0.2, 0.0)
    fingers = slab(GREY, (0.2, 0.0, 0.06), (0.012, 0.1, 0.06))
    found = see(cube, fingers)
    assert set(found) == {"red_cube"}
    assert found["red_cube"].confidence < 1
    assert error(found["red_cube"], cube) < 0.008


def test_a_bowl_keeps_its_centre_when_an_arm_crosses_it() -> None:
    bowl = thing("blue bowl", 0.2, 0.0)
    found = see(bowl, slab(GREY, (0.2, 0.045, 0.12), (0.2, 0.05, 0.05)))
    assert error(found["blue_bowl"], bowl) < 0.008


@pytest.mark.parametrize("lift", [0.0, 0.03, 0.1])
def test_a_lifted_object_is_found_where_it_is(lift: float) -> None:
    cube = thing("red cube", 0.2, 0.02, lift=lift)
    assert error(see(cube)["red_cube"], cube) < 0.003


def test_a_lifted_object_over_another_of_its_colour_stays_apart() -> None:
    cube, bowl = thing("red cube", 0.2, 0.0, lift=0.06), thing("red bowl", 0.2, 0.0)
    found = see(cube, bowl)
    assert set(found) == {"red_cube", "red_bowl"}
    assert error(found["red_cube"], cube) < 0.003


def test_a_stacked_object_is_not_taken_for_one_on_the_table() -> None:
    upper = thing("blue cube", 0.2, 0.0, lift=0.028)
    assert error(see(thing("red cube", 0.2, 0.0), upper)["blue_cube"], upper) < 0.003


def test_two_alike_get_two_names_the_nearer_one_first() -> None:
    near, far = thing("red cube", 0.16, 0.0), thing("red cube", 0.26, 0.03)
    found = see(far, near)
    assert set(found) == {"red_cube", "red_cube_2"}
    assert error(found["red_cube"], near) < 0.002
    assert error(found["red_cube_2"], far) < 0.002


@pytest.mark.parametrize("offset", [0.0, 0.01])
def test_two_alike_that_touch_are_two(offset: float) -> None:
    first, second = thing("red cube", 0.2, 0.0), thing("red cube", 0.2 + offset, 0.028)
    found = see(first, second)
    assert set(found) == {"red_cube", "red_cube_2"}
    assert max(error(found["red_cube"], first), error(found["red_cube_2"], second)) < 0.004


def test_touching_objects_of_different_colours_are_two() -> None:
    assert set(see(thing("red cube", 0.2, 0.0), thing("blue cube", 0.2, 0.028))) == {"red_cube", "blue_cube"}


def test_grey_things_are_no_keypoints() -> None:
    for shade in (30, 100, 180, 250):
        assert see(slab((shade, shade, shade), (0.2, 0.0, 0.05), (0.06, 0.06, 0.1))) == {}


def test_nothing_is_remembered_from_frame_to_frame() -> None:
    full, empty = look(HARDWARE, thing("red cube", 0.2, 0.0)), look(HARDWARE)
    first = DETECTOR.process(full, JOINTS).keypoints["red_cube"]
    assert DETECTOR.process(empty, JOINTS).keypoints == {}
    DETECTOR.reset(Task("reach", ""))
    again = DETECTOR.process(full, JOINTS).keypoints["red_cube"]
    np.testing.assert_array_equal(first.position, again.position)


def test_one_camera_is_enough() -> None:
    cube = thing("red cube", 0.2, 0.0)
    frames = look(HARDWARE, cube)
    for name in frames:
        percept = DETECTOR.process({name: frames[name]}, JOINTS)
        assert error(percept.keypoints["red_cube"], cube) < 0.004


def test_no_frames_give_an_empty_percept() -> None:
    assert DETECTOR.process({}, JOINTS).keypoints == {}


def test_holes_in_the_depth_are_ignored() -> None:
    cube = thing("red cube", 0.2, 0.0)
    frames = look(HARDWARE, cube)
    rng = np.random.default_rng(0)
    holed = {
        name: replace(frame, depth=np.where(rng.uniform(size=frame.rgb.shape[:2]) < 0.2, 0, frame.depth))
        for name, frame in frames.items()
    }
    assert error(DETECTOR.process(holed, JOINTS).keypoints["red_cube"], cube) < 0.003


def test_missing_depth_is_an_error_that_names_the_camera() -> None:
    frames = look(HARDWARE)
    frames["side"] = replace(frames["side"], depth=None)
    with pytest.raises(ValueError, match=r"camera 'side'.*depth"):
        DETECTOR.process(frames, JOINTS)


@pytest.mark.parametrize("part", ["rgb", "depth"])
def test_a_frame_of_another_size_is_an_error_that_names_the_camera(part: str) -> None:
    frames = look(HARDWARE)
    image = getattr(frames["top"], part)
    frames["top"] = replace(frames["top"], **{part: image[:-1]})
    with pytest.raises(ValueError, match=r"camera 'top'.*expected"):
        DETECTOR.process(frames, JOINTS)


def test_an_unknown_camera_is_a_config_error_with_a_hint() -> None:
    with pytest.raises(ConfigError, match="Did you mean 'side'"):
        KeypointDetector(Config(cameras=("sid",)), HARDWARE)


def test_large_images_give_the_same_keypoints() -> None:
    cameras = {name: replace(camera, width=640, height=480) for name, camera in CAMERAS.items()}
    large, cube = hardware(**cameras), thing("red cube", 0.2, 0.0)
    found = KeypointDetector(Config(), large).process(look(large, cube), JOINTS).keypoints
    assert error(found["red_cube"], cube) < 0.002


def test_a_camera_on_the_arm_sees_in_the_base_frame() -> None:
    pose = HARDWARE.robot.chain.pose("wrist_camera", HARDWARE.robot.home)
    ahead = (pose @ [0.0, 0.0, 0.12, 1.0])[:3]
    camera = CameraConfig(
        320, 240, 60.0, (0.0, 0.0, -0.15), (0.0, 0.0, 1.0), up=(0.0, -1.0, 0.0), link="wrist_camera"
    )
    wrist, cube = hardware(wrist=camera), thing("red cube", ahead[0], ahead[1], lift=0.0)
    frames: dict[str, CameraFrame] = look(wrist, cube)
    found = KeypointDetector(Config(cameras=("wrist",)), wrist).process(frames, JOINTS).keypoints
    assert error(found["red_cube"], cube) < 0.005
