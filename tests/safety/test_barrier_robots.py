"""The barrier on both robots: nothing is touched, no limit is broken, and what is far away passes."""

from dataclasses import replace

import numpy as np
import pytest
from sinew_core.hardware import Hardware, load_hardware
from sinew_core.protocols import SafetyFilter
from sinew_core.types import JointCommand
from sinew_safety.barrier import BarrierFilter
from sinew_safety.collision_model import CollisionModel
from sinew_safety.config import CONSTRAINTS, BarrierConfig
from sinew_safety.judge import Judge
from sinew_safety.pairs import find_pairs

from tests.safety.conftest import DT, chase, obstacles, safe_start, state, step

STARTS = 8


def random_goals(hardware: Hardware, rng: np.random.Generator) -> list[np.ndarray]:
    return list(rng.uniform(hardware.robot.lower, hardware.robot.upper, (2, len(hardware.robot.lower))))


@pytest.mark.parametrize("lag", [0.0, 1.0])
def test_from_random_starts_neither_target_nor_arm_ever_touches_anything(
    hardware: Hardware, barrier: BarrierFilter, judge: Judge, lag: float
) -> None:
    config, changed = BarrierConfig(), 0
    for seed in range(STARTS):
        rng = np.random.default_rng(seed)
        start = safe_start(hardware, judge, rng)
        targets, arms, reasons = chase(barrier, hardware, start, random_goals(hardware, rng), 12, lag)
        changed += sum(map(bool, reasons))
        for target in targets:
            near = judge.smallest(target)
            # The judge's cylinders have 32 sides, which is up to half a millimetre.
            assert all(near[name] > config.margin(name) - 1e-3 for name in CONSTRAINTS), (seed, near)
        assert min(min(judge.smallest(arm).values()) for arm in arms) > 0, seed
    assert changed > STARTS


def test_without_the_filter_the_same_motions_touch_things(hardware: Hardware, judge: Judge) -> None:
    class Nothing:
        def filter(self, command, state):  # type: ignore[no-untyped-def]
            from sinew_core.protocols import SafeCommand

            return SafeCommand(command)

    free: SafetyFilter = Nothing()
    touched = 0
    for seed in range(STARTS):
        rng = np.random.default_rng(seed)
        start = safe_start(hardware, judge, rng)
        targets, _, _ = chase(free, hardware, start, random_goals(hardware, rng), 12)
        touched += min(min(judge.smallest(target).values()) for target in targets) < 0
    assert touched >= STARTS / 2


def test_no_limit_of_the_robot_is_ever_broken(
    hardware: Hardware, barrier: BarrierFilter, judge: Judge
) -> None:
    robot = hardware.robot
    for seed in range(STARTS):
        rng = np.random.default_rng(100 + seed)
        start = safe_start(hardware, judge, rng)
        far = [10 * goal for goal in random_goals(hardware, rng)]  # beyond the position limits, mostly
        targets, _, _ = chase(barrier, hardware, start, far, 10, lag=1.0)
        sent = np.vstack([start, targets])
        velocity = np.diff(sent, axis=0) / DT
        acceleration = np.diff(np.vstack([np.zeros(len(start)), velocity]), axis=0) / DT
        assert (sent >= robot.lower).all() and (sent <= robot.upper).all()
        assert (np.abs(velocity) <= robot.velocity + 1e-6).all()
        assert (np.abs(acceleration) <= robot.acceleration + 1e-6).all()


def test_far_from_everything_the_very_command_passes(hardware: Hardware, barrier: BarrierFilter) -> None:
    robot = hardware.robot
    inwards = np.sign(robot.lower + robot.upper - 2 * robot.home)
    command = JointCommand(3, robot.home + inwards * 0.2 * robot.acceleration * DT**2)
    safe = barrier.filter(command, state(robot.home))
    assert safe.command is command
    assert safe.reasons == ()


def test_a_wanted_standstill_stays_one_wherever_the_arm_is(
    hardware: Hardware, barrier: BarrierFilter
) -> None:
    """Also inside obstacles and below the table: the filter never moves an arm of its own accord."""
    rng = np.random.default_rng(0)
    for _ in range(40):
        target = rng.uniform(hardware.robot.lower, hardware.robot.upper)
        safe = barrier.filter(JointCommand(0, target.copy()), state(target))
        np.testing.assert_array_equal(safe.command.position, target)
        assert safe.reasons == ()


@pytest.mark.parametrize("constraint", CONSTRAINTS)
def test_a_start_inside_something_only_leads_out(
    hardware: Hardware, barrier: BarrierFilter, judge: Judge, constraint: str
) -> None:
    rng, robot = np.random.default_rng(5), hardware.robot
    found = 0
    while found < 5:
        inside = rng.uniform(robot.lower, robot.upper)
        depth = judge.smallest(inside)[constraint]
        if depth > -0.005:
            continue
        found += 1
        wanted = rng.uniform(-1, 1, len(inside)) * robot.acceleration * DT**2
        moved = inside + step(barrier, wanted, state(inside))
        assert judge.smallest(moved)[constraint] > depth - 6e-4  # to which the judge's cylinders are exact


def test_what_held_the_arm_back_is_named(hardware: Hardware, barrier: BarrierFilter, judge: Judge) -> None:
    heard: set[str] = set()
    links = {link for reason in barrier.gaps.reasons for link in reason.split(":")[2].split("/")}
    for seed in range(2 * STARTS):
        rng = np.random.default_rng(200 + seed)
        start = safe_start(hardware, judge, rng)
        _, _, reasons = chase(barrier, hardware, start, random_goals(hardware, rng), 15)
        heard |= {reason for each in reasons for reason in each}
    barriers = {reason for reason in heard if reason.startswith("barrier:")}
    assert {reason.split(":")[1] for reason in barriers} >= {"table", "obstacle", "walls"}
    assert {
        name for reason in barriers - {"barrier:brake:slack"} for name in reason.split(":")[2].split("/")
    } <= links
    assert {"barrier:obstacle:post", "barrier:obstacle:board"} & barriers


def test_the_arm_is_kept_from_itself(hardware: Hardware, judge: Judge) -> None:
    """Towards poses in which it would touch itself, from near them, with nothing else in the way."""
    barrier = BarrierFilter(BarrierConfig(), hardware)
    rng, robot, heard, stopped = np.random.default_rng(1), hardware.robot, set(), 0
    while stopped < 4:
        goal = rng.uniform(robot.lower, robot.upper)
        if judge.smallest(goal)["self"] > -0.01:
            continue
        start = np.clip(goal + rng.uniform(-0.8, 0.8, len(goal)), robot.lower, robot.upper)
        if min(judge.smallest(start).values()) < 0.02:
            continue
        stopped += 1
        targets, _, reasons = chase(barrier, hardware, start, [goal], 30)
        heard |= {reason.split(":")[1] for each in reasons for reason in each}
        assert min(judge.smallest(target)["self"] for target in targets) > 0.004
    assert "self" in heard


def test_obstacles_belong_to_the_filter_that_lists_them(hardware: Hardware, judge: Judge) -> None:
    """A filter without them goes through: it is they that stop the other one."""
    blind = BarrierFilter(BarrierConfig(), hardware)
    assert not any("obstacle" in reason for reason in blind.gaps.reasons)
    assert obstacles(hardware)
    through = 0
    for seed in range(STARTS):
        rng = np.random.default_rng(seed)
        start = safe_start(hardware, judge, rng)
        targets, _, _ = chase(blind, hardware, start, random_goals(hardware, rng), 12)
        through += min(judge.smallest(target)["obstacle"] for target in targets) < 0
    assert through


def test_the_same_shapes_are_searched_once_and_others_anew() -> None:
    hardware = load_hardware("sim_mujoco")
    robot, box = hardware.robot, hardware.config.safety
    once = find_pairs(robot, CollisionModel(robot, box))
    again = load_hardware("sim_mujoco").robot
    assert find_pairs(again, CollisionModel(again, box)) is once
    raised = replace(box, floor=box.floor + 0.05)
    assert find_pairs(robot, CollisionModel(robot, raised)) is not once
    stiff = replace(robot, upper=robot.upper - 0.1)
    assert find_pairs(stiff, CollisionModel(stiff, box)) is not once
