"""The way that is left: nearer is better, what is knocked aside is followed, the past does not matter."""

from collections.abc import Callable, Mapping
from dataclasses import replace

import numpy as np
import pytest
from sinew_core.hardware import Hardware, load_hardware
from sinew_core.types import Affordance, FloatArray, JointState, Keypoint, Observation, RewardEstimate, Task
from sinew_rewards import affordance_way, placed
from sinew_rewards.affordance_way import AffordanceWay, Config

TASK = Task("push", "push the cube to the pad")
TARGET, CUBE = np.array([0.25, 0.08, 0.0]), np.array([0.25, -0.04, 0.015])
ONWARD = np.array([[0.25, 0.08, 0.1]])
PUSH = Affordance(0, "push", None, ONWARD, "pad", "test", np.array([True]), "cube")
PICK = Affordance(0, "pick", "cube", ONWARD, "pad", "test", np.array([True]), "cube")
REACH = Affordance(0, "reach", None, ONWARD, TARGET, "test", np.array([False]))
OPEN, CLOSED = 1.0, 0.4


@pytest.fixture
def hardware() -> Hardware:
    return load_hardware("sim_mujoco")


class Bench:
    """A reward model, asked about a tip that is put anywhere."""

    def __init__(self, hardware: Hardware, monkeypatch: pytest.MonkeyPatch, affordance: Affordance) -> None:
        self._hardware, self._affordance = hardware, affordance
        self._tip = CUBE
        for module in (affordance_way, placed):
            monkeypatch.setattr(module, "tip_position", lambda robot, observation: self._tip)
        self.model = AffordanceWay(Config(), hardware)
        self.model.reset(TASK)

    def at(
        self, tip: FloatArray, cube: FloatArray = CUBE, aperture: float = OPEN, *, blind: bool = False
    ) -> RewardEstimate:
        robot = self._hardware.robot
        position = robot.home.copy()
        position[robot.gripper_index] = robot.gripper_position(aperture)
        joints = JointState(0, position, np.zeros_like(position))
        self._tip = tip
        keypoints: Mapping[str, Keypoint] = {
            "cube": Keypoint(cube, extent=np.array([0.03, 0.03, 0.03])),
            "pad": Keypoint(TARGET),
        }
        seen = {} if blind else keypoints
        return self.model.estimate(Observation(0, joints, {}, seen, self._affordance, {}, TASK))

    def progress(self, tip: FloatArray, cube: FloatArray = CUBE, aperture: float = OPEN) -> float:
        progress = self.at(tip, cube, aperture).progress
        assert progress is not None
        return progress


Make = Callable[[Affordance], Bench]


@pytest.fixture
def bench(hardware: Hardware, monkeypatch: pytest.MonkeyPatch) -> Make:
    return lambda affordance: Bench(hardware, monkeypatch, affordance)


START = np.array([0.15, 0.0, 0.1])


def above(point: FloatArray, up: float) -> FloatArray:
    return np.add(point, (0.0, 0.0, up))


def test_every_step_along_the_way_is_progress(bench: Make) -> None:
    pick = bench(PICK)
    beginning = pick.progress(START)
    nearer = [pick.progress(START + share * (CUBE - START)) for share in (0.3, 0.6, 1.0)]
    carried = [
        pick.progress(place, place, CLOSED)
        for place in (CUBE + share * (TARGET - CUBE) for share in (0.0, 0.4, 0.8))
    ]
    assert (np.diff([beginning, *nearer, *carried[1:]]) > 0.05).all()
    assert carried[0] == pytest.approx(nearer[-1], abs=0.01)  # to close on it is no leap


def test_what_was_brought_is_let_go_and_left(bench: Make) -> None:
    pick = bench(PICK)
    pick.at(START)
    there = TARGET + np.array([0.0, 0.01, 0.015])
    over = pick.progress(there, there, CLOSED)
    leaving = [pick.progress(above(there, up), there) for up in (0.0, 0.02, 0.04, 0.07)]
    assert (np.diff([over, *leaving]) > 0.01).all()  # opening the gripper is progress, and so is drawing back
    assert pick.at(above(there, 0.07), there).terms["leave"] == 0.0


def test_what_is_let_go_elsewhere_is_not_left(bench: Make) -> None:
    pick, beside = bench(PICK), TARGET + np.array([0.0, -0.06, 0.015])
    pick.at(START)
    held, dropped = pick.progress(beside, beside, CLOSED), pick.progress(beside, beside)
    assert dropped <= held
    assert pick.progress(above(beside, 0.05), beside) < dropped


def test_a_push_begins_behind_the_object(bench: Make) -> None:
    push = bench(PUSH)
    push.at(START)
    behind, before = CUBE - [0, 0.045, 0], CUBE + np.array([0, 0.045, 0])
    assert push.at(behind).terms["reach"] == 0.0
    assert push.at(before).terms["reach"] > 0.05
    assert push.progress(behind) > push.progress(before)


def test_it_does_not_matter_where_an_episode_began(bench: Make) -> None:
    pick = bench(PICK)
    pick.at(CUBE)
    from_near = pick.at(START)
    pick.model.reset(TASK)
    pick.at(START - [0.1, 0.1, 0.0])
    assert pick.at(START) == from_near


def test_an_object_that_was_knocked_aside_is_followed(bench: Make) -> None:
    push = bench(PUSH)
    push.at(START)
    aside = CUBE + np.array([0.06, 0.05, 0.0])
    way = (TARGET - aside)[:2] / np.linalg.norm((TARGET - aside)[:2])
    behind = aside - [*(0.045 * way), 0.0]
    assert push.at(behind, aside).terms["reach"] == pytest.approx(0.0, abs=1e-9)
    assert push.at(CUBE - [0, 0.045, 0], aside).terms["reach"] > 0.02


def test_it_depends_on_where_things_are_and_not_on_how_they_came_there(bench: Make) -> None:
    push, place = bench(PUSH), CUBE - [0.0, 0.03, 0.0]
    push.at(START)
    straight = push.at(place)
    for tip, cube in ((TARGET, CUBE), (START, TARGET), (CUBE, CUBE + np.array([0.05, 0, 0]))):
        push.at(tip, cube)
    assert push.at(place) == straight


def test_what_is_farther_away_than_the_scale_is_no_less_than_nothing(bench: Make) -> None:
    push = bench(PUSH)
    push.at(START)
    far = push.at(START - [0.1, 0.1, 0.0], CUBE - [0.0, 0.2, 0.0])
    assert (far.progress, far.value) == (0.0, -1.0)


def test_success_of_a_push_is_all_of_its_way_wherever_the_tip_is(bench: Make) -> None:
    push = bench(PUSH)
    push.at(START)
    done = push.at(START, TARGET + np.array([0.0, 0.0, 0.015]))
    assert (done.success, done.progress, done.value) == (1.0, 1.0, 0.0)


def test_success_of_a_grasp_is_worth_all_of_it_and_progress_goes_on_to_the_end(bench: Make) -> None:
    pick, there = bench(PICK), TARGET + np.array([0.0, 0.0, 0.015])
    pick.at(START)
    let_go, left = pick.at(there, there), pick.at(START, there)
    assert (let_go.success, let_go.value) == (left.success, left.value) == (1.0, 0.0)
    assert let_go.progress is not None
    assert let_go.progress < 0.9
    assert left.progress == 1.0


def test_with_nothing_to_move_the_tip_goes_alone(bench: Make) -> None:
    reach = bench(REACH)
    left, middle = 1.0 - reach.progress(START), reach.at((START + TARGET) / 2)
    assert middle.progress == pytest.approx(1.0 - left / 2)
    assert middle.terms["carry"] == 0.0


def test_what_was_never_seen_is_no_progress_and_says_that_it_is_not_known(bench: Make) -> None:
    lost = bench(PUSH).at(START, blind=True)
    assert (lost.value, lost.progress) == (-1.0, None)
    assert lost.uncertainty is not None


@pytest.mark.parametrize("field", ["behind", "reached", "scale", "carried_within", "brought", "away"])
def test_lengths_are_lengths(field: str) -> None:
    with pytest.raises(ValueError, match="expected"):
        replace(Config(), **{field: -0.1})  # type: ignore[arg-type]
