"""The motors inside emulated servos: each thing that makes them unlike an ideal one, alone."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from memory_bus import ROBOT, SECOND
from sinew_core.types import FloatArray
from sinew_hardware.emulators.motors import OVERLOAD_SHARE, OVERLOAD_TIME, PROTECTED, Motors, MotorsConfig

IDEAL = MotorsConfig(backlash=0.0, delay=0.0, noise=0.0, stall_torque=2.0)
DT = 0.002  # s
NO_FORCE = np.zeros(6)
PLAY = np.radians(2.0)


class Bench:
    """Motors under torque, and the time that passes for them."""

    def __init__(self, on: bool = True, **changes: float) -> None:
        self.motors = Motors(replace(IDEAL, **changes), ROBOT, np.ones(6), seed=1)
        self.now, self.drive = 0, ROBOT.home
        for joint in range(6):
            self.motors.enable(joint, on, float(ROBOT.home[joint]))

    def goal(self, offset: float, joint: int = 0) -> None:
        self.motors.command(joint, float(ROBOT.home[joint] + offset), self.now)

    def run(self, seconds: float, force: FloatArray = NO_FORCE) -> FloatArray:
        """Let time pass; return how far each output was driven from home."""
        for _ in range(round(seconds / DT)):
            self.now += round(DT * SECOND)
            self.drive = self.motors.step(DT, self.now, force)
        moved: FloatArray = self.drive - ROBOT.home
        return moved


def force(share: float, joint: int = 0) -> FloatArray:
    forces = np.zeros(6)
    forces[joint] = share * IDEAL.stall_torque
    return forces


def test_a_motor_goes_to_its_goal_at_its_own_speed_and_no_further() -> None:
    bench = Bench(speed=0.5)
    bench.goal(0.3)
    assert bench.run(0.1)[0] == pytest.approx(0.1 * 0.5 * ROBOT.velocity[0])
    np.testing.assert_allclose(bench.run(2.0), [0.3, 0, 0, 0, 0, 0], atol=1e-12)


def test_a_command_is_heeded_after_the_delay_and_in_order() -> None:
    bench = Bench(delay=0.05)
    bench.goal(0.2)
    assert bench.run(0.048)[0] == 0.0
    bench.goal(-0.2)
    assert bench.run(0.004)[0] > 0.0
    assert bench.run(2.0)[0] == pytest.approx(-0.2)


def test_reversing_by_less_than_the_play_moves_nothing() -> None:
    bench = Bench(backlash=np.degrees(PLAY))
    bench.goal(0.2)
    there = bench.run(1.0)[0]
    assert there == pytest.approx(0.2 - PLAY / 2)
    bench.goal(0.2 - 0.9 * PLAY)
    assert bench.run(1.0)[0] == there
    bench.goal(0.2 - 1.5 * PLAY)
    assert bench.run(1.0)[0] == pytest.approx(0.2 - 1.5 * PLAY + PLAY / 2)


def test_the_way_there_and_the_way_back_lie_the_whole_play_apart() -> None:
    bench = Bench(backlash=np.degrees(PLAY))
    bench.goal(0.3)
    bench.run(1.0)
    bench.goal(0.1)
    back = bench.run(1.0)[0]
    bench.goal(-0.1)
    bench.run(1.0)
    bench.goal(0.1)
    assert back - bench.run(1.0)[0] == pytest.approx(PLAY)


def test_the_encoder_sits_before_the_play() -> None:
    bench = Bench(backlash=np.degrees(PLAY))
    bench.goal(0.2)
    moved = bench.run(1.0)
    assert bench.motors.encoder(bench.drive)[0] - ROBOT.home[0] == pytest.approx(0.2)
    bench.motors.enable(0, on=False, position=0.0)
    assert bench.motors.encoder(bench.drive)[0] - ROBOT.home[0] == pytest.approx(moved[0])


def test_torque_is_limited_by_the_share_that_was_commanded() -> None:
    motors = Bench().motors
    np.testing.assert_allclose(motors.torque, 2.0)
    for share, limited in ((0.3, 0.6), (7.0, 2.0), (-1.0, 0.0)):
        motors.limit(2, share)
        np.testing.assert_allclose(motors.torque, [2, 2, limited, 2, 2, 2])


def test_without_a_stall_torque_each_joint_has_its_own_limit_of_effort() -> None:
    np.testing.assert_array_equal(Bench(stall_torque=0.0).motors.torque, ROBOT.effort)


def test_a_limp_motor_has_no_torque_and_holds_where_it_is_switched_on() -> None:
    bench = Bench(on=False)
    bench.goal(0.3)
    bench.run(1.0)
    np.testing.assert_array_equal(bench.motors.torque, 0.0)
    bench.motors.enable(0, on=True, position=float(ROBOT.home[0] - 0.1))
    assert bench.run(1.0)[0] == pytest.approx(-0.1)
    assert bench.motors.torque[0] == 2.0


def test_a_strained_motor_protects_itself_until_it_is_switched_off() -> None:
    bench = Bench()
    strain = force(1.05 * OVERLOAD_SHARE, joint=3)
    bench.run(0.9 * OVERLOAD_TIME, strain)
    assert not bench.motors.overloaded.any()
    bench.run(0.2 * OVERLOAD_TIME, strain)
    assert bench.motors.overloaded.tolist() == [False, False, False, True, False, False]
    bench.run(1.0)
    assert bench.motors.torque[3] == pytest.approx(PROTECTED * 2.0)
    bench.motors.enable(3, on=False, position=0.0)
    bench.motors.enable(3, on=True, position=0.0)
    assert bench.motors.torque[3] == 2.0


def test_a_strong_force_near_the_goal_is_no_strain() -> None:
    motors = Bench().motors
    strain, near, far = force(1.0), np.full(6, np.radians(2.0)), np.full(6, np.radians(2.5))
    motors.step(1.5 * OVERLOAD_TIME, 1, strain, near)
    assert not motors.overloaded.any()
    motors.step(1.5 * OVERLOAD_TIME, 2, strain, far)
    assert motors.overloaded.any()


def test_a_strain_that_lets_go_in_between_is_none() -> None:
    bench = Bench()
    for _ in range(4):
        bench.run(0.9 * OVERLOAD_TIME, force(1.0))
        bench.run(DT)
    bench.run(2 * OVERLOAD_TIME, force(0.95 * OVERLOAD_SHARE))
    assert not bench.motors.overloaded.any()


def test_heat_comes_with_the_square_of_the_load_and_goes_by_itself() -> None:
    bench = Bench(heating=1.0, cooling=1e9)
    bench.run(4.0, force(-1.0) + force(0.5, joint=1))
    np.testing.assert_allclose(bench.motors.temperature, [29, 26, 25, 25, 25, 25], atol=1e-3)


def test_a_hot_motor_cools_towards_its_surroundings() -> None:
    bench = Bench(cooling=2.0)
    bench.motors.temperature[:] = 65.0
    bench.run(2.0)
    np.testing.assert_allclose(bench.motors.temperature, 25.0 + 40.0 / np.e, atol=0.05)


def test_voltage_sags_with_the_loads_of_all_motors() -> None:
    bench = Bench(voltage=12.0, sag=0.5)
    assert bench.motors.voltage == 12.0
    bench.run(DT, force(1.0) + force(-0.5, joint=4))
    assert bench.motors.voltage == pytest.approx(11.25)


def test_noise_has_its_deviation_no_mean_and_no_memory() -> None:
    motors = Bench(noise=0.1).motors
    told = np.array([motors.encoder(ROBOT.home) - ROBOT.home for _ in range(4000)])
    np.testing.assert_allclose(np.degrees(told.std(axis=0)), 0.1, rtol=0.06)
    np.testing.assert_allclose(np.degrees(told.mean(axis=0)), 0.0, atol=0.008)
    assert abs(np.corrcoef(told[:-1, 0], told[1:, 0])[0, 1]) < 0.08
    again = Bench(noise=0.1).motors
    np.testing.assert_array_equal(again.encoder(ROBOT.home) - ROBOT.home, told[0])


def test_play_and_noise_are_the_servos_and_reach_a_joint_through_its_gears() -> None:
    config = replace(IDEAL, backlash=np.degrees(PLAY), noise=0.1)
    geared = Motors(config, ROBOT, np.full(6, 0.01), seed=1)
    told = np.array([geared.encoder(ROBOT.home) - ROBOT.home for _ in range(500)])
    assert np.degrees(told.std()) == pytest.approx(0.001, rel=0.1)
    geared.enable(0, on=True, position=0.0)
    geared.command(0, 0.2, 0)
    assert geared.step(10.0, 1, NO_FORCE)[0] == pytest.approx(0.2 - 0.01 * PLAY / 2)


@pytest.mark.parametrize(
    "fields", [{"noise": -0.1}, {"backlash": -1.0}, {"speed": 0.0}, {"cooling": 0.0}, {"voltage": -12.0}]
)
def test_impossible_motors_are_refused(fields: dict[str, float]) -> None:
    with pytest.raises(ValueError, match=f"{next(iter(fields))}.*expected"):
        MotorsConfig(**fields)
