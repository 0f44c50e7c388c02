import numpy as np
import pytest
from sinew_core.hardware import Hardware
from sinew_teleop.jog import JogConfig, JogIntegrator
from sinew_teleop.wishes import Wish

from tests.teleop.hand import above_table

AXES = [np.array(axis) for axis in ([1, 0, 0], [-1, 0, 0], [0, 1, 0], [0, -1, 0], [0, 0, 1], [0, 0, -1])]


class Ideal:
    """A jog and an arm that is at once where it is told to be."""

    def __init__(self, hardware: Hardware, start: np.ndarray | None = None) -> None:
        self.robot = hardware.robot
        self.dt = hardware.config.control_period
        self.jog = JogIntegrator(hardware, JogConfig())
        self.target = self.jog.begin(above_table(hardware) if start is None else start)
        self.way = [self.target]

    def run(self, wish: Wish, steps: int, blocked: bool = False) -> np.ndarray:
        gripper = float(self.target[self.robot.gripper_index])
        for _ in range(steps):
            wanted = self.jog.step(wish, self.target, gripper)
            if not blocked:
                self.target = wanted
            self.way.append(wanted)
        return self.target

    def tip(self, position: np.ndarray | None = None) -> np.ndarray:
        return self.robot.chain.pose(self.robot.tip_link, self.target if position is None else position)

    def rates(self) -> np.ndarray:
        return np.diff(np.array(self.way), axis=0) / self.dt


def pushing(direction: np.ndarray, speed: float = 0.08) -> Wish:
    return Wish(linear=speed * direction / np.linalg.norm(direction))


def angle_between(a: np.ndarray, b: np.ndarray) -> float:
    return float(np.arccos(np.clip((np.trace(a[:3, :3].T @ b[:3, :3]) - 1) / 2, -1, 1)))


@pytest.mark.parametrize("axis", AXES, ids=["+x", "-x", "+y", "-y", "+z", "-z"])
def test_the_tip_goes_straight_where_it_is_told(hardware: Hardware, axis: np.ndarray) -> None:
    arm = Ideal(hardware)
    start = arm.tip()
    arm.run(pushing(axis), 12)
    moved = arm.tip()[:3, 3] - start[:3, 3]
    assert moved @ axis > 0.03
    assert np.linalg.norm(moved - axis * (moved @ axis)) < 1.5e-3
    assert angle_between(start, arm.tip()) < 0.06


def test_the_tip_keeps_the_speed_that_it_is_told(hardware: Hardware) -> None:
    arm = Ideal(hardware)
    arm.run(pushing(np.array([0, 1, 0]), 0.06), 10)
    before = arm.tip()[:3, 3]
    arm.run(pushing(np.array([0, 1, 0]), 0.06), 1)
    assert np.linalg.norm(arm.tip()[:3, 3] - before) == pytest.approx(0.06 * arm.dt, rel=0.05)


def test_turning_turns_about_the_approach_and_leaves_the_tip_where_it_is(hardware: Hardware) -> None:
    arm = Ideal(hardware)
    start = arm.tip()
    arm.run(Wish(turn=0.5), 20)
    turned = arm.tip()[:3, :3] @ start[:3, :3].T
    about_z = np.arctan2(turned[1, 0], turned[0, 0])
    assert 0.3 < about_z < 0.55  # a gripper that points down turns as +z turns
    assert np.linalg.norm(arm.tip()[:3, 3] - start[:3, 3]) < 2e-3


def test_tilting_looks_outward(hardware: Hardware) -> None:
    arm = Ideal(hardware)
    start = arm.tip()
    arm.run(Wish(tilt=0.5), 20)
    approach = arm.tip()[:3, 2]
    assert approach[0] > 0.25
    assert np.linalg.norm(arm.tip()[:3, 3] - start[:3, 3]) < 3e-3


def test_the_frame_of_the_tip_turns_with_it(hardware: Hardware) -> None:
    arm = Ideal(hardware)
    start = arm.tip()
    arm.run(Wish(linear=np.array([0, 0, 0.05]), frame="tip"), 10)
    moved = arm.tip()[:3, 3] - start[:3, 3]
    np.testing.assert_allclose(moved / np.linalg.norm(moved), start[:3, 2], atol=0.05)


def test_no_wish_is_no_motion(hardware: Hardware) -> None:
    arm = Ideal(hardware)
    arm.run(pushing(np.array([1, 0, 0])), 5)
    here = arm.target.copy()
    arm.run(Wish(), 10)
    np.testing.assert_array_equal(arm.target, here)


@pytest.mark.parametrize("seed", range(6))
def test_wherever_a_person_pushes_limits_and_speeds_are_kept(hardware: Hardware, seed: int) -> None:
    """Long pushes in all directions end at joint limits, stretched out, at the table and at the walls."""
    rng, arm, box = np.random.default_rng(seed), Ideal(hardware), hardware.config.safety
    lower, upper = np.array(box.workspace_lower), np.array(box.workspace_upper)
    for _ in range(8):
        arm.run(Wish(linear=rng.normal(size=3) * 0.15, turn=rng.normal(), tilt=rng.normal()), 30)
        assert (arm.tip()[:3, 3] >= lower - 2e-3).all()
        assert (arm.tip()[:3, 3] <= upper + 2e-3).all()
        assert arm.tip()[2, 3] >= box.floor
    way = np.array(arm.way)
    assert (way >= arm.robot.lower).all()
    assert (way <= arm.robot.upper).all()
    assert (np.abs(arm.rates()) <= np.minimum(0.5 * arm.robot.velocity, 1.5) + 1e-9).all()


@pytest.mark.parametrize("seed", range(4))
def test_after_a_long_push_against_the_end_turning_back_answers_at_once(
    hardware: Hardware, seed: int
) -> None:
    rng, arm = np.random.default_rng(seed), Ideal(hardware)
    way = rng.normal(size=3)
    arm.run(pushing(way, 0.1), 150)
    end = arm.tip()[:3, 3]
    arm.run(pushing(-way, 0.1), 6)
    assert np.linalg.norm(arm.tip()[:3, 3] - end) > 0.008


def test_against_something_that_blocks_it_the_target_does_not_run_away(hardware: Hardware) -> None:
    arm = Ideal(hardware)
    start, push = arm.tip()[:3, 3], pushing(np.array([1, 0, 0]))
    arm.run(push, 200, blocked=True)
    ahead = arm.tip(arm.way[-1])[:3, 3] - start
    assert np.linalg.norm(ahead) < 6 * 0.08 * arm.dt
    arm.run(pushing(np.array([-1, 0, 0])), 12)
    assert (arm.tip()[:3, 3] - start)[0] < -0.01


def test_along_the_table_the_tip_slides(hardware: Hardware) -> None:
    arm = Ideal(hardware)
    down = np.array([0, 0, -1.0])
    arm.run(pushing(down, 0.15), 80)
    before = arm.tip()[:3, 3]
    arm.run(pushing(down + np.array([0, 1.0, 0]), 0.1), 10)
    moved = arm.tip()[:3, 3] - before
    assert moved[1] > 0.015
    assert abs(moved[2]) < 2e-3


def test_motion_begins_gently(hardware: Hardware) -> None:
    arm = Ideal(hardware)
    arm.run(pushing(np.array([0, 1, 0]), 0.2), 8)
    steps = np.linalg.norm(np.diff([arm.tip(q)[:3, 3] for q in arm.way], axis=0), axis=1)
    assert steps[0] < 0.4 * steps[-1]
    assert (np.diff(steps)[:3] > 0).all()


def test_a_late_answer_of_the_station_costs_no_speed(hardware: Hardware) -> None:
    """The last command sent is seen two control periods late, as over a busy graph."""
    arm, wish = Ideal(hardware), pushing(np.array([0, 1, 0]), 0.06)
    gripper = float(arm.target[arm.robot.gripper_index])
    sent = [arm.target] * 3
    for _ in range(20):
        sent.append(arm.jog.step(wish, sent[-3], gripper))
    moved = arm.tip(sent[-1])[:3, 3] - arm.tip(sent[-6])[:3, 3]
    assert np.linalg.norm(moved) == pytest.approx(5 * 0.06 * arm.dt, rel=0.05)


def test_single_joints_move_alone_and_stop_at_their_limits(hardware: Hardware) -> None:
    arm = Ideal(hardware)
    start = arm.target.copy()
    rates = np.zeros(len(start))
    rates[0] = 0.8
    arm.run(Wish(joints=rates), 200)
    assert arm.target[0] == arm.robot.upper[0]
    np.testing.assert_array_equal(arm.target[1:], start[1:])


def test_a_tilt_that_could_not_be_kept_comes_back(so101: Hardware) -> None:
    """Far out the SO-101's wrist cannot point down."""
    arm = Ideal(so101)
    start = arm.tip()
    arm.run(pushing(np.array([0, 0, 1.0])), 25)
    assert angle_between(start, arm.tip()) > 0.1
    arm.run(pushing(np.array([0, 0, -1.0])), 25)
    assert angle_between(start, arm.tip()) < 0.05


def test_a_start_outside_the_limits_is_brought_inside(hardware: Hardware) -> None:
    robot = hardware.robot
    outside = above_table(hardware)
    outside[1] = robot.upper[1] + 0.05
    arm = Ideal(hardware, outside)
    arm.run(pushing(np.array([0, 0, 1.0])), 10)
    way = np.array(arm.way)
    assert (way <= robot.upper).all()
    assert np.isfinite(way).all()


def test_speeds_must_be_positive() -> None:
    with pytest.raises(ValueError, match="positive"):
        JogConfig(linear=0.0)
