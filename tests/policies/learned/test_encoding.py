from dataclasses import replace

import numpy as np
from sinew_core.hardware import load_hardware
from sinew_core.types import Keypoint
from sinew_policies.learned.encoding import OBJECT, TARGET, KeypointEncoding

from tests.contract.observations import affordances, observe, scene

HARDWARE = load_hardware("sim_mujoco")
ENCODING = KeypointEncoding(HARDWARE.robot)
PUT = next(affordances(HARDWARE))


def encode(keypoints, affordance=PUT):
    return ENCODING.encode(observe(HARDWARE, keypoints, affordance))["state"]


def test_the_size_is_as_said():
    assert encode(scene(HARDWARE)).shape == (ENCODING.size,)
    assert encode({}, None).shape == (ENCODING.size,)


def test_what_is_not_known_is_zeros():
    assert not encode({})[-OBJECT - TARGET :].any()
    assert not encode(scene(HARDWARE), None)[-OBJECT - TARGET :].any()


def test_names_do_not_matter_only_what_the_affordance_calls_so():
    seen = scene(HARDWARE)
    renamed = {"green_ball": seen["red_cube"], "dish": seen["blue_bowl"]}
    other = replace(PUT, grasp="green_ball", moves="green_ball", target="dish")
    np.testing.assert_array_equal(encode(seen), encode(renamed, other))


def test_other_things_on_the_table_change_nothing():
    more = scene(HARDWARE) | {"green_cube": Keypoint(np.array([0.2, 0.0, 0.01]))}
    np.testing.assert_array_equal(encode(scene(HARDWARE)), encode(more))


def test_a_cube_turned_by_a_quarter_looks_the_same_four_times_and_a_turned_one_does_not():
    def turned(yaw):
        seen = scene(HARDWARE)
        return encode(seen | {"red_cube": replace(seen["red_cube"], yaw=yaw)})

    quarter, eighth = turned(0.3 - np.pi / 2), turned(0.3 - np.pi / 4)
    four = slice(-OBJECT - TARGET + 5, -OBJECT - TARGET + 7)
    np.testing.assert_allclose(turned(0.3)[four], quarter[four], atol=1e-6)
    assert np.abs(turned(0.3)[four] - eighth[four]).max() > 0.5


def test_a_cube_whose_other_side_was_measured_looks_the_same_and_a_block_does_not():
    things = scene(HARDWARE)
    cube = replace(things["red_cube"], extent=np.array([0.03, 0.028, 0.03]), yaw=0.2)

    def change(item):
        other = replace(item, yaw=item.yaw + np.pi / 2)
        return float(np.abs(encode(things | {"red_cube": item}) - encode(things | {"red_cube": other})).max())

    assert change(cube) < 1e-6
    assert change(replace(cube, extent=np.array([0.06, 0.03, 0.03]))) > 0.5


def test_a_point_stands_for_a_keypoint():
    point = replace(PUT, target=scene(HARDWARE)["blue_bowl"].position)
    assert encode(scene(HARDWARE), point)[-TARGET] == 1.0


def test_complete_is_what_has_everything_that_is_named():
    seen = scene(HARDWARE)
    assert ENCODING.complete(observe(HARDWARE, seen, PUT))
    assert not ENCODING.complete(observe(HARDWARE, {"red_cube": seen["red_cube"]}, PUT))
    assert not ENCODING.complete(observe(HARDWARE, seen, None))


def test_a_millimetre_near_the_object_is_worth_more_than_one_far_away():
    def change(height):
        cube = scene(HARDWARE)["red_cube"]
        tip = HARDWARE.robot.chain.pose(HARDWARE.robot.tip_link, HARDWARE.robot.home)[:3, 3]
        there = [replace(cube, position=np.add(tip, [0.0, 0.0, z])) for z in (height, height + 0.001)]
        one, other = (encode(scene(HARDWARE) | {"red_cube": item}) for item in there)
        return float(np.abs(one - other).max())

    assert change(0.0) > 5 * change(0.1)
