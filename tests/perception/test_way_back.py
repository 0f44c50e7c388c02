"""Taking things out, off and away: what the rules understand, and the free places that they find."""

from __future__ import annotations

import numpy as np
import pytest
from sinew_core.hardware import load_hardware
from sinew_core.types import Affordance, JointState, Keypoint, Observation, Refusal, Task
from sinew_perception.free_space import LEAST, ROOM, free_place, place_to_push_to, radius
from sinew_perception.rule_grounding import Config, RuleGrounding

AREA = ((0.16, -0.11), (0.27, 0.11))


def thing(x: float, y: float, size: tuple[float, float, float], bottom: float = 0.0) -> Keypoint:
    round_ = size[0] > 0.05
    position = np.array([x, y, bottom + size[2] / 2])
    return Keypoint(position, extent=np.array(size), yaw=None if round_ else 0.3)


CUBE = (0.028, 0.028, 0.028)
BOWL = thing(0.22, -0.05, (0.1, 0.1, 0.028))
PAD = thing(0.22, 0.02, (0.09, 0.09, 0.001))
IN_BOWL = thing(0.225, -0.052, CUBE, 0.004)
ON_PAD = thing(0.215, 0.025, CUBE)
MODEL = RuleGrounding(Config())


def ask(sentence: str, **seen: Keypoint) -> Affordance | Refusal:
    joints = JointState(7, np.zeros(6), np.zeros(6))
    return MODEL.propose(Observation(7, joints, {}, seen, None, {}, Task("t", "")), sentence)


def asked(sentence: str, **seen: Keypoint) -> Affordance:
    answer = ask(sentence, **seen)
    assert isinstance(answer, Affordance), answer
    return answer


@pytest.mark.parametrize(
    "sentence",
    [
        "take the red cube out of the blue bowl",
        "Take the red cube off the blue bowl!",
        "remove the red cube from the blue bowl",
        "lift the red block out of the blue bowl and put it on the table",
        "put the red cube on the table",
        "put the red cube back on the table",
    ],
)
def test_an_object_is_taken_to_a_point_on_the_table(sentence: str) -> None:
    answer = asked(sentence, red_cube=IN_BOWL, blue_bowl=BOWL)
    assert (answer.grasp, answer.moves) == ("red_cube", "red_cube")
    assert isinstance(answer.target, np.ndarray)
    assert answer.target[2] == 0.0
    assert np.linalg.norm((answer.target - BOWL.position)[:2]) >= radius(BOWL) + radius(IN_BOWL) + ROOM - 1e-6
    assert answer.waypoints[-1][:2] == pytest.approx(answer.target[:2])
    assert answer.waypoints[-1][2] == pytest.approx(0.014, abs=0.006)  # let go on the table, not above it
    assert answer.closed.all()


def test_a_push_away_ends_off_the_pad_and_leaves_room_for_the_push_back() -> None:
    answer = asked("push the red cube away from the blue pad", red_cube=ON_PAD, blue_pad=PAD)
    assert answer.grasp is None and answer.moves == "red_cube"
    assert isinstance(answer.target, np.ndarray)
    way = (answer.target - PAD.position)[:2]
    assert 0.07 <= np.linalg.norm(way) <= 0.12
    behind = answer.target[:2] + 0.05 * way / np.linalg.norm(way)
    assert (behind >= AREA[0]).all() and (behind <= AREA[1]).all()


def test_pushing_off_is_not_pushing_onto() -> None:
    off = asked("push the red cube off the blue pad", red_cube=ON_PAD, blue_pad=PAD)
    assert isinstance(off.target, np.ndarray)
    far = thing(0.22, -0.08, CUBE)
    assert asked("push the red cube onto the blue pad", red_cube=far, blue_pad=PAD).target == "blue_pad"


def test_moving_away_from_an_object_raises_the_open_hand() -> None:
    answer = asked("move the gripper away from the red cube", red_cube=ON_PAD)
    assert answer.grasp is None and answer.moves is None
    assert answer.waypoints[-1][2] > 0.15
    assert not answer.closed.any()


def test_what_is_not_there_cannot_be_taken_out() -> None:
    answer = ask("take the red cube out of the blue bowl", red_cube=thing(0.2, 0.09, CUBE), blue_bowl=BOWL)
    assert isinstance(answer, Refusal)
    assert "red_cube is not at blue_bowl" in answer.reason


def test_two_alike_are_not_chosen_between() -> None:
    scene = {"red_cube": IN_BOWL, "red_cube_2": thing(0.2, 0.09, CUBE), "blue_bowl": BOWL}
    answer = ask("take the red cube out of the blue bowl", **scene)
    assert isinstance(answer, Refusal)
    assert "say which" in answer.reason


def test_a_full_table_is_refused() -> None:
    crowd = {
        f"green_cube_{i + 2}": thing(x, y, CUBE)
        for i, (x, y) in enumerate((x, y) for x in (0.17, 0.215, 0.26) for y in np.arange(-0.10, 0.11, 0.04))
    }
    answer = ask("put the red cube on the table", red_cube=IN_BOWL, **crowd)
    assert isinstance(answer, Refusal)
    assert "no free place" in answer.reason


def test_the_reachable_table_is_the_hardwares() -> None:
    hardware = load_hardware("sim_mujoco_fr3")
    model = RuleGrounding(Config(), hardware)
    area = hardware.config.scene
    x, y = np.mean([area.lower, area.upper], axis=0)
    seen = {"red_cube": thing(x, y, CUBE, 0.004), "blue_bowl": thing(x, y, (0.1, 0.1, 0.028))}
    joints = JointState(7, hardware.robot.home, np.zeros_like(hardware.robot.home))
    observation = Observation(7, joints, {}, seen, None, {}, Task("t", ""))
    answer = model.propose(observation, "take the red cube out of the blue bowl")
    assert isinstance(answer, Affordance) and isinstance(answer.target, np.ndarray)
    assert (answer.target[:2] >= area.lower).all() and (answer.target[:2] <= area.upper).all()


def test_a_free_place_is_the_nearest_with_room_and_always_the_same() -> None:
    rng = np.random.default_rng(0)
    for _ in range(50):
        others = [thing(*rng.uniform(*AREA), CUBE) for _ in range(3)]
        place = free_place(IN_BOWL, [BOWL, *others], AREA)
        if place is None:
            continue
        again = free_place(IN_BOWL, [BOWL, *others], AREA)
        assert again is not None and np.array_equal(place, again)
        gaps = [
            np.linalg.norm(place[:2] - o.position[:2]) - radius(o) - radius(IN_BOWL) for o in (BOWL, *others)
        ]
        assert min(gaps) >= LEAST


def test_a_push_keeps_clear_of_the_others() -> None:
    rng = np.random.default_rng(1)
    for _ in range(50):
        other = thing(*rng.uniform(*AREA), CUBE)
        place = place_to_push_to(ON_PAD, PAD, [other], AREA)
        if place is None or np.linalg.norm((other.position - ON_PAD.position)[:2]) < 0.05:
            continue
        way = place[:2] - ON_PAD.position[:2]
        share = np.clip((other.position[:2] - ON_PAD.position[:2]) @ way / (way @ way), 0, 1)
        beside = np.linalg.norm(other.position[:2] - ON_PAD.position[:2] - share * way)
        assert beside > LEAST + radius(other) / 2
