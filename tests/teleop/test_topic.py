from collections.abc import Callable

import numpy as np
import pytest
from sinew_core.hardware import Hardware
from sinew_teleop.topic import Config, Topic

from tests.teleop.hand import TASK, FakeTime, Hand, hand_on


class Stranger(Hand):
    """Somebody who publishes."""

    source: Topic

    def twist(self, *linear: float, turn: float = 0.0, frame: str = "", ticks: int = 10) -> None:
        for _ in range(ticks):
            self.source.take_twist(self.stamp, np.array(linear), np.array([0, 0, turn]), frame)
            self.tick()

    @property
    def wants(self) -> bool:
        return len(self.chunks[-1].position) > 0


Sit = Callable[..., Stranger]


@pytest.fixture
def sit(time: FakeTime) -> Sit:
    def sit_at(hardware: Hardware, config: Config | None = None) -> Stranger:
        return Stranger(**vars(hand_on(Topic(config or Config(), hardware, time), hardware, time)))

    return sit_at


def test_the_first_command_is_the_present_target(hardware: Hardware, sit: Sit) -> None:
    stranger = sit(hardware)
    before = stranger.target.copy()
    stranger.twist(0.1, 0.0, 0.0, ticks=1)
    np.testing.assert_allclose(stranger.chunks[-1].position, before[None], atol=1e-12)


def test_a_twist_moves_the_tip_in_the_base_frame(so101: Hardware, sit: Sit) -> None:
    stranger = sit(so101)
    start = stranger.tip
    stranger.twist(0.0, 0.08, 0.0, frame="base_link")
    assert (stranger.tip - start)[1] > 0.02


def test_a_twist_moves_the_tip_in_its_own_frame(so101: Hardware, sit: Sit) -> None:
    stranger = sit(so101)
    start, approach = stranger.tip, stranger.pose[:3, 2]
    stranger.twist(0.0, 0.0, -0.05, frame="gripper_tip")
    assert (stranger.tip - start) @ approach < -0.01


def test_a_stale_twist_lets_go(so101: Hardware, sit: Sit) -> None:
    stranger = sit(so101, Config(timeout=0.2))
    stranger.twist(0.0, 0.08, 0.0, ticks=3)
    assert stranger.wants
    stranger.tick(6)
    assert not stranger.wants


def test_a_twist_is_cut_down_to_full_speed(so101: Hardware, sit: Sit) -> None:
    stranger = sit(so101)
    stranger.twist(0.0, 50.0, 0.0, ticks=12)
    before = stranger.tip
    stranger.twist(0.0, 50.0, 0.0, ticks=1)
    assert np.linalg.norm(stranger.tip - before) <= 0.2 * so101.config.control_period + 1e-3


@pytest.mark.parametrize(
    ("frame", "linear", "message"),
    [("base_lnk", [0.1, 0, 0], "Did you mean 'base_link'"), ("", [np.nan, 0, 0], "not finite")],
)
def test_twists_that_cannot_be_understood_are_refused(
    so101: Hardware, sit: Sit, frame: str, linear: list[float], message: str
) -> None:
    with pytest.raises(ValueError, match=message):
        sit(so101).source.take_twist(0, np.array(linear), np.zeros(3), frame)


def test_a_message_on_a_slower_way_is_refused_and_one_of_another_clock_is_not(
    so101: Hardware, sit: Sit
) -> None:
    source, still = sit(so101).source, np.zeros(3)
    source.take_twist(10_000_000_000, still, still, "")
    with pytest.raises(ValueError, match="before the last one"):
        source.take_twist(9_900_000_000, still, still, "")
    source.take_twist(2_000_000_000, still, still, "")
    source.take_twist(0, still, still, "")


def test_a_trajectory_begins_at_the_present_target_and_is_followed(hardware: Hardware, sit: Sit) -> None:
    stranger = sit(hardware)
    before = stranger.target.copy()
    goal = before[:2] + 0.2
    names = hardware.robot.joint_names[:2]
    stranger.source.take_trajectory(0, names, [1_000_000_000], [goal])
    stranger.tick()
    np.testing.assert_allclose(stranger.chunks[-1].position, before[None], atol=1e-12)
    stranger.tick(10)
    assert (stranger.target[:2] > before[:2] + 0.08).all()
    assert (stranger.target[:2] < before[:2] + 0.12).all()
    stranger.tick(11)
    np.testing.assert_allclose(stranger.target[:2], goal)
    np.testing.assert_array_equal(stranger.target[2:], before[2:])
    stranger.tick(6)
    assert not stranger.wants


def test_a_stream_of_single_points_is_followed_without_stutter(so101: Hardware, sit: Sit) -> None:
    stranger, names = sit(so101), so101.robot.joint_names
    goal = stranger.target.copy()
    way = []
    for _ in range(20):
        goal[0] += 0.02
        stranger.source.take_trajectory(0, names, [so101.period], [goal])
        stranger.tick()
        way.append(stranger.target[0])
    np.testing.assert_allclose(np.diff(way)[2:], 0.02, atol=1e-9)


def test_a_trajectory_without_points_lets_go(so101: Hardware, sit: Sit) -> None:
    stranger = sit(so101)
    stranger.source.take_trajectory(0, so101.robot.joint_names, [so101.period], [stranger.target])
    stranger.tick()
    assert stranger.wants
    stranger.source.take_trajectory(0, (), [], [])
    stranger.tick()
    assert not stranger.wants


def test_a_trajectory_that_came_long_ago_is_not_begun(so101: Hardware, sit: Sit, time: FakeTime) -> None:
    stranger = sit(so101)
    stranger.source.take_trajectory(0, so101.robot.joint_names, [so101.period], [stranger.target])
    time.sleep(3.0)
    stranger.tick()
    assert not stranger.wants


@pytest.mark.parametrize(
    ("names", "times", "positions", "message"),
    [
        (("shoulder_pam",), [1], [[0.0]], "Did you mean 'shoulder_pan'"),
        (("shoulder_pan",), [1], [[0.0, 1.0]], "expected 1 different joints"),
        (("shoulder_pan", "shoulder_pan"), [1], [[0.0, 1.0]], "different joints"),
        (("shoulder_pan",), [2, 1], [[0.0], [0.1]], "must rise"),
        (("shoulder_pan",), [-1], [[0.0]], "must rise"),
        (("shoulder_pan",), [1], [[float("inf")]], "not finite"),
    ],
)
def test_trajectories_that_cannot_be_understood_are_refused(
    so101: Hardware,
    sit: Sit,
    names: tuple[str, ...],
    times: list[int],
    positions: list[list[float]],
    message: str,
) -> None:
    with pytest.raises(ValueError, match=message):
        sit(so101).source.take_trajectory(0, names, times, positions)


def test_trajectories_are_kept_inside_the_limits(hardware: Hardware, sit: Sit) -> None:
    stranger, robot = sit(hardware), hardware.robot
    stranger.source.take_trajectory(0, robot.joint_names, [1], [robot.upper + 1.0])
    stranger.tick(3)
    assert (stranger.target <= robot.upper).all()


def test_a_reset_forgets_what_came(so101: Hardware, sit: Sit) -> None:
    stranger = sit(so101)
    stranger.source.take_twist(0, np.ones(3), np.zeros(3), "")
    stranger.source.reset(TASK)
    stranger.tick()
    assert not stranger.wants
