"""The affordance-path reward on arms whose tip is put where a test wants it."""

from collections.abc import Mapping
from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest
from sinew_core.hardware import Hardware, load_hardware
from sinew_core.types import Affordance, JointState, Keypoint, Observation, RewardEstimate, Task
from sinew_rewards.affordance_path import AffordancePath, Config
from sinew_rewards.forms import Form, combine, dense_reward

TASK = Task("pick_place", "put the red cube in the blue bowl")
BLOCK = 0.06
C = 0.5


class TipChain:
    """Forward kinematics of an arm whose first three joints are the tip's place."""

    def pose(self, link: str, position: np.ndarray) -> np.ndarray:
        X = np.eye(4)
        X[:3, 3] = position[:3]
        return X


@pytest.fixture(scope="module")
def hardware() -> Hardware:
    loaded = load_hardware("sim_mujoco_fr3")
    return replace(loaded, robot=replace(loaded.robot, chain=TipChain()))


class Arm:
    """Grades a tip at a place, with a gripper open or closed, step after step."""

    def __init__(self, hardware: Hardware, affordance: Affordance | None, **config: object) -> None:
        self.robot = hardware.robot
        self.model = AffordancePath(Config(**{"from_start": False, **config}), hardware)  # type: ignore[arg-type]
        self.model.reset(TASK)
        self.affordance = affordance
        self.stamp = 0

    def rest(self, seconds: float, *args: object) -> RewardEstimate:
        """Stay at a place as long as that and return the last estimate."""
        for _ in range(round(seconds / 0.05)):
            self.stamp += 50_000_000
            estimate = self.at(*args)  # type: ignore[arg-type]
        return estimate

    def at(
        self, tip: np.ndarray, aperture: float = 1.0, keypoints: Mapping[str, Keypoint] | None = None
    ) -> RewardEstimate:
        position = np.zeros(len(self.robot.joint_names))
        position[:3] = tip
        position[self.robot.gripper_index] = self.robot.gripper_position(aperture)
        joints = JointState(self.stamp, position, np.zeros_like(position))
        seen = keypoints or {}
        return self.model.estimate(Observation(self.stamp, joints, {}, seen, self.affordance, {}, TASK))


def reaching(points: np.ndarray) -> Affordance:
    closed = np.zeros(len(points), dtype=bool)
    return Affordance(0, "go", None, points, None, "test", closed)


LINE = np.array([[BLOCK * i, 0.0, 0.1] for i in range(5)])
FAR = np.array([9.0, 9.0, 9.0])
LINE_AND_FAR_TARGET = replace(reaching(LINE), target=FAR)
NEVER = {"plugin": "sinew_rewards.noisy_success:NoisySuccess", "false_negative": 1.0}  # says that it is done

UP = np.array([0.0, 0.0, 0.1])
PICK = np.array([0.4, 0.0, 0.02])
PLACE = np.array([0.5, 0.2, 0.02])
WAY = np.array([PICK + UP, PLACE + UP, PLACE + 0.3 * UP])
CARRY = Affordance(0, "carry", "cube", WAY, "bowl", "test", np.array([True, True, True]), "cube")
BOWL = {"bowl": Keypoint(PLACE)}


def test_five_blocks_in_a_line_pay_a_quarter_of_the_weight_each(hardware: Hardware) -> None:
    arm = Arm(hardware, LINE_AND_FAR_TARGET, form="plain", weight=C, block=BLOCK, success=NEVER)
    values = [arm.at(block).value for block in LINE]
    assert values == pytest.approx([C * i / 4 for i in range(5)])


def test_one_block_beside_the_path_pays_less_by_a_factor_of_a_root_of_e(hardware: Hardware) -> None:
    for offset in (np.array([0, BLOCK, 0]), np.array([0, 0, -BLOCK])):
        arm = Arm(hardware, LINE_AND_FAR_TARGET, form="plain", weight=C, block=BLOCK, success=NEVER)
        for i, block in enumerate(LINE):
            assert arm.at(block + offset).value == pytest.approx(C * i / 4 * np.exp(-0.5))


@pytest.mark.parametrize(("form", "sparse"), [("plain", 1.0), ("shifted", 0.0)])
def test_success_pays_exactly_the_sparse_reward(hardware: Hardware, form: Form, sparse: float) -> None:
    arm = Arm(hardware, CARRY, form=form)
    there = {**BOWL, "cube": Keypoint(PLACE + np.array([0.005, 0.0, 0.02]))}
    estimate = arm.at(PLACE + UP, 1.0, there)
    assert estimate.value == sparse
    assert estimate.success == 1.0
    assert estimate.progress == 1.0


def test_success_is_worth_more_than_any_place_on_the_path(hardware: Hardware) -> None:
    for form in ("plain", "shifted"):
        assert combine(0.0, True, form) > combine(dense_reward(1.0, 0.0, C), False, form)


def test_an_object_still_in_the_gripper_is_no_success(hardware: Hardware) -> None:
    arm = Arm(hardware, CARRY)
    held = {**BOWL, "cube": Keypoint(PLACE)}
    assert arm.at(PLACE, 0.4, held).success == 0.0
    assert arm.at(PLACE, 1.0, held).success == 1.0


def test_the_path_continues_only_behind_a_closed_gripper(hardware: Hardware) -> None:
    above = WAY[1]
    for aperture, reaches in ((1.0, False), (0.4, True)):
        arm = Arm(hardware, CARRY)
        for tip in (PICK, WAY[0], above):
            cube = {**BOWL, "cube": Keypoint(tip)}
            progress = arm.at(tip, aperture, cube).progress
        assert progress is not None
        assert (progress > 0.5) == reaches


def test_the_path_continues_only_with_the_object(hardware: Hardware) -> None:
    arm = Arm(hardware, CARRY)
    left = {**BOWL, "cube": Keypoint(PICK)}
    for tip in (PICK, WAY[0], WAY[1]):
        progress = arm.at(tip, 0.4, left).progress
    assert progress == pytest.approx(0.0)


def test_opening_at_the_end_keeps_the_progress(hardware: Hardware) -> None:
    arm = Arm(hardware, CARRY)
    for tip in (PICK, *WAY):
        arm.at(tip, 0.4)
    assert arm.at(WAY[-1], 1.0).progress == pytest.approx(1.0)


def test_opening_on_the_way_loses_it(hardware: Hardware) -> None:
    arm = Arm(hardware, CARRY)
    for tip in (PICK, *WAY[:2]):
        arm.at(tip, 0.4)
    assert arm.at(WAY[1], 1.0).progress == pytest.approx(0.0)


def test_a_path_that_crosses_itself_is_not_cut_short(hardware: Hardware) -> None:
    loop = np.array([[0, 0, 0], [1, 0, 0], [2, 0, 0], [2, 1, 0], [1, 1, 0], [1, 0, 0], [1, -1, 0.0]]) * 0.1
    arm = Arm(hardware, replace(reaching(loop), target=FAR))
    progress = []
    for start, end in pairwise(loop):
        progress += [arm.at(start + share * (end - start)).progress for share in np.linspace(0, 1, 5)]
    assert np.diff(np.array(progress, dtype=float)).min() >= -1e-9
    first_pass = progress[4]
    assert first_pass is not None and first_pass < 0.3


def test_the_path_begins_at_the_tip(hardware: Hardware) -> None:
    arm = Arm(hardware, replace(reaching(LINE[-1:]), target=FAR), from_start=True)
    progress = [arm.at(block).progress for block in LINE]
    assert progress == pytest.approx([i / 4 for i in range(5)])


def test_a_new_affordance_begins_a_new_path(hardware: Hardware) -> None:
    arm = Arm(hardware, LINE_AND_FAR_TARGET)
    assert arm.at(LINE[-1]).progress is not None
    arm.affordance = replace(LINE_AND_FAR_TARGET, stamp=1, waypoints=LINE[::-1].copy())
    assert arm.at(LINE[-1]).progress == pytest.approx(0.0)


def test_a_hidden_object_makes_success_unknown(hardware: Hardware) -> None:
    estimate = Arm(hardware, CARRY).at(PICK, 1.0, BOWL)
    assert estimate.success is None
    assert estimate.uncertainty is not None
    assert estimate.terms["judged"] == 0.0


def test_a_target_under_the_arm_is_where_it_was(hardware: Hardware) -> None:
    arm = Arm(hardware, CARRY)
    arm.at(PICK, 1.0, BOWL)
    assert arm.at(PLACE + UP, 1.0, {"cube": Keypoint(PLACE)}).success == 1.0


@pytest.mark.parametrize("fields", [{"weight": 1.0}, {"weight": 0.0}, {"block": 0.0}, {"interest": -1.0}])
def test_settings_that_would_make_waiting_pay_are_refused(fields: dict[str, float]) -> None:
    with pytest.raises(ValueError, match="weight|block|interest"):
        Config(**fields)  # type: ignore[arg-type]


def test_the_distance_form_pays_for_being_near_the_next_block(hardware: Hardware) -> None:
    arm = Arm(hardware, LINE_AND_FAR_TARGET, form="distance", success=NEVER)
    safety = hardware.config.safety
    diagonal = np.linalg.norm(np.subtract(safety.workspace_upper, safety.workspace_lower))
    values = [arm.at(block).value for block in LINE]
    assert values[:-1] == pytest.approx([-BLOCK / diagonal] * 4)  # resting on a block is not the best
    assert values[-1] == 0.0
    assert arm.at(LINE[-1] + FAR).value == -1.0  # however far


def test_success_beats_the_best_place_in_the_distance_form(hardware: Hardware) -> None:
    assert combine(0.0, True, "distance") > combine(0.0, False, "distance")


def test_resting_on_an_unfinished_block_is_worse_than_not_having_begun(hardware: Hardware) -> None:
    arm = Arm(hardware, LINE_AND_FAR_TARGET, success=NEVER)
    begun = arm.at(LINE[0]).value
    arm.at(LINE[1])
    fresh = arm.rest(1.0, LINE[2])
    stale = arm.rest(4.0, LINE[2])
    assert fresh.value > begun > stale.value
    assert (fresh.terms["loitering"], stale.terms["loitering"]) == (0.0, 1.0)


def test_going_on_ends_the_loitering(hardware: Hardware) -> None:
    arm = Arm(hardware, LINE_AND_FAR_TARGET, success=NEVER)
    arm.at(LINE[1])
    arm.rest(5.0, LINE[2])
    assert arm.at(LINE[3]).terms["loitering"] == 0.0


def test_idling_costs_a_little_and_the_end_nothing(hardware: Hardware) -> None:
    arm = Arm(hardware, LINE_AND_FAR_TARGET, success=NEVER, idling=0.02)
    assert arm.at(LINE[0]).value == pytest.approx(-1.0)
    assert arm.rest(5.0, LINE[0]).value == pytest.approx(-1.02)
    for block in LINE:
        arm.at(block)
    assert arm.rest(5.0, LINE[-1]).value == pytest.approx(C - 1.0)


def test_holding_an_object_over_its_goal_for_ever_is_loitering(hardware: Hardware) -> None:
    arm = Arm(hardware, CARRY)
    for tip in (PICK, *WAY):
        arm.at(tip, 0.4, {**BOWL, "cube": Keypoint(tip)})
    held = {**BOWL, "cube": Keypoint(WAY[-1])}
    assert arm.rest(5.0, WAY[-1], 0.4, held).terms["loitering"] == 1.0
    assert arm.rest(5.0, WAY[-1], 1.0, held).terms["loitering"] == 0.0


def test_hovering_over_an_object_with_an_empty_hand_is_loitering(hardware: Hardware) -> None:
    arm = Arm(hardware, CARRY)
    seen = {**BOWL, "cube": Keypoint(PICK)}
    arm.at(PICK + 3 * UP, 1.0, seen)
    assert arm.rest(5.0, WAY[0], 1.0, seen).terms["loitering"] == 1.0


def test_what_was_delivered_keeps_its_progress_when_the_tip_draws_back(hardware: Hardware) -> None:
    arm = Arm(hardware, CARRY)
    for tip in (PICK, *WAY):
        arm.at(tip, 0.4, {**BOWL, "cube": Keypoint(tip)})
    beside = {**BOWL, "cube": Keypoint(PLACE + np.array([0.08, 0.0, 0.0]))}
    for height in np.linspace(0.03, 0.1, 8):
        progress = arm.at(PLACE + np.array([0.0, 0.0, height]), 1.0, beside).progress
    assert progress is not None and progress > 0.7


def test_the_next_waypoint_is_told(hardware: Hardware) -> None:
    arm = Arm(hardware, CARRY)
    free = [arm.at(PICK, 1.0, {**BOWL, "cube": Keypoint(PICK)}).terms["waypoint"]]
    held = [arm.at(tip, 0.4, {**BOWL, "cube": Keypoint(tip)}).terms["waypoint"] for tip in (PICK, *WAY)]
    assert free == [-1.0]  # the grasp is next
    assert held == [0.0, 1.0, 2.0, 2.0]


def test_carrying_something_else_past_a_hidden_object_is_no_progress(hardware: Hardware) -> None:
    arm = Arm(hardware, CARRY)
    elsewhere = PICK + np.array([0.0, -0.15, 0.0])
    arm.at(elsewhere, 1.0, {**BOWL, "cube": Keypoint(PICK)})
    for tip in (elsewhere, elsewhere + UP, WAY[1], WAY[2]):
        progress = arm.at(tip, 0.4, BOWL).progress  # the arm hides the cube
    assert progress == pytest.approx(0.0)


def test_an_object_that_the_hand_hides_is_still_carried(hardware: Hardware) -> None:
    arm = Arm(hardware, CARRY)
    arm.at(PICK, 1.0, {**BOWL, "cube": Keypoint(PICK)})
    for tip in (PICK, *WAY):
        progress = arm.at(tip, 0.4, BOWL).progress
    assert progress == pytest.approx(1.0)


PAD = {"pad": Keypoint(np.array([0.5, 0.0, 0.0]))}
SHOVE = Affordance(
    *(0, "push", None),
    np.array([[0.34, 0, 0.07], [0.34, 0, 0.02], [0.47, 0, 0.02]]),
    *("pad", "test", np.array([True, True, True]), "cube"),
)


@pytest.mark.parametrize(("comes_along", "reaches"), [(True, True), (False, False)])
def test_a_push_makes_progress_only_with_its_object(
    hardware: Hardware, comes_along: bool, reaches: bool
) -> None:
    arm = Arm(hardware, SHOVE, success=NEVER)
    for x in (0.34, 0.37, 0.40, 0.43, 0.45):
        cube = max(0.39, x + 0.03) if comes_along else 0.39
        height = 0.07 if x == 0.34 else 0.02
        seen = {**PAD, "cube": Keypoint(np.array([cube, 0.0, 0.015]))}
        progress = arm.at(np.array([x, 0.0, height]), 0.0, seen).progress
    assert progress is not None
    assert (progress > 0.8) == reaches
