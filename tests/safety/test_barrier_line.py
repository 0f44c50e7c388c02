"""The barrier in one dimension, where its answer is known: u = max(u_nom, -alpha (h - margin))."""

from dataclasses import replace
from threading import Thread

import numpy as np
import pytest
from sinew_core.hardware import Hardware
from sinew_core.types import JointCommand
from sinew_safety.barrier import BarrierFilter
from sinew_safety.config import BarrierConfig, Obstacle

from tests.safety.conftest import DT, state, step

MARGIN = 0.01
CONFIG = BarrierConfig(alpha_table=4.0, margin_table=MARGIN)


@pytest.mark.parametrize("alpha", [1.0, 4.0, 9.0])
@pytest.mark.parametrize("height", [0.011, 0.05, 0.1])
@pytest.mark.parametrize("wanted", [-0.09, -0.01, -1e-4, 0.03])
def test_the_step_is_the_closed_form(block: Hardware, alpha: float, height: float, wanted: float) -> None:
    barrier = BarrierFilter(BarrierConfig(alpha_table=alpha, margin_table=MARGIN), block)
    got = step(barrier, [wanted, 0.0], state([height, 0.0]))
    expected = max(wanted, -alpha * DT * (height - MARGIN))
    np.testing.assert_allclose(got, [expected, 0.0], atol=2e-6)


def test_the_margin_is_approached_and_never_passed(block: Hardware) -> None:
    barrier, height, velocity = BarrierFilter(CONFIG, block), 1.0, 0.0
    heights = []
    for _ in range(200):
        moved = step(barrier, [-0.2, 0.0], state([height, 0.0], [velocity, 0.0]))[0]
        height, velocity = height + moved, moved / DT
        heights.append(height)
    assert min(heights) >= MARGIN - 1e-6
    assert heights[-1] < MARGIN + 1e-4


def test_what_passes_is_the_very_command_without_a_reason(block: Hardware) -> None:
    command = JointCommand(7, np.array([1.01, 0.02]))
    safe = BarrierFilter(CONFIG, block).filter(command, state([1.0, 0.0]))
    assert safe.command is command
    assert safe.reasons == ()


def test_a_changed_command_names_constraint_and_link(block: Hardware) -> None:
    safe = BarrierFilter(CONFIG, block).filter(JointCommand(7, np.array([0.02, 0.0])), state([0.05, 0.0]))
    assert safe.reasons == ("barrier:table:block",)
    assert safe.command.stamp == 7


def test_below_its_margin_a_distance_does_not_shrink_and_is_not_forced_to_grow(block: Hardware) -> None:
    barrier = BarrierFilter(CONFIG, block)
    for height in (-0.03, 0.0, 0.004):
        motion = state([height, 0.0])
        assert step(barrier, [-0.01, 0.0], motion)[0] == pytest.approx(0.0, abs=2e-6)
        assert step(barrier, [0.0, 0.0], motion)[0] == 0.0
        assert step(barrier, [0.01, 0.0], motion)[0] == pytest.approx(0.01, abs=1e-12)


def test_where_the_limits_leave_no_room_the_arm_brakes_as_hard_as_it_may(block: Hardware) -> None:
    barrier = BarrierFilter(CONFIG, block)
    motion = state([0.05, 0.0], [-4.0, 0.0])  # at full speed towards the table
    safe = barrier.filter(JointCommand(0, np.array([-0.1, 0.0])), motion)
    hardest = (-4.0 + block.robot.acceleration[0] * DT) * DT
    assert safe.command.position[0] - 0.05 == pytest.approx(hardest)
    assert "barrier:brake:slack" in safe.reasons
    assert "barrier:table:block" in safe.reasons


def test_a_solver_that_fails_leads_to_braking_with_a_reason(
    block: Hardware, monkeypatch: pytest.MonkeyPatch
) -> None:
    def failed(H, f, A, *_, **__):  # type: ignore[no-untyped-def]
        return np.full(len(f), np.nan), 0.0, -1, {"lam": np.zeros(len(f) + len(A))}

    barrier = BarrierFilter(CONFIG, block)
    monkeypatch.setattr("daqp.solve", failed)
    safe = barrier.filter(JointCommand(0, np.array([0.0, 0.0])), state([0.05, 0.0], [-1.0, 0.0]))
    assert safe.command.position[0] == pytest.approx(0.05)  # 1 m/s is braked within one period
    assert safe.reasons == ("barrier:brake:solver",)


def test_an_arm_that_sags_is_kept_from_the_table_as_its_target_is(block: Hardware) -> None:
    barrier = BarrierFilter(CONFIG, block)
    sagging = state([0.05, 0.0], arm=[MARGIN, 0.0])
    assert step(barrier, [-0.005, 0.0], sagging)[0] == pytest.approx(0.0, abs=2e-6)
    assert step(barrier, [-0.005, 0.0], state([0.05, 0.0]))[0] == pytest.approx(-0.005, abs=1e-12)


def test_a_new_rate_holds_from_the_next_call_on(block: Hardware) -> None:
    barrier, motion = BarrierFilter(CONFIG, block), state([0.11, 0.0])
    assert barrier.parameters()["alpha_table"] == 4.0
    for alpha in (4.0, 1.0, 8.0):
        barrier.set_parameter("alpha_table", alpha)
        assert barrier.parameters()["alpha_table"] == alpha
        assert step(barrier, [-0.09, 0.0], motion)[0] == pytest.approx(-alpha * DT * 0.1, abs=2e-6)


def test_a_rate_changed_by_another_thread_is_seen_whole(block: Hardware) -> None:
    barrier, motion, steps = BarrierFilter(CONFIG, block), state([0.11, 0.0]), set()

    def change() -> None:
        for i in range(300):
            barrier.set_parameter("alpha_table", (2.0, 4.0)[i % 2])

    other = Thread(target=change)
    other.start()
    while other.is_alive():
        steps.add(round(step(barrier, [-0.09, 0.0], motion)[0], 5))
    other.join()
    assert steps <= {-0.01, -0.02}


def test_parameters_are_a_copy(block: Hardware) -> None:
    barrier = BarrierFilter(CONFIG, block)
    barrier.parameters()["alpha_table"] = 99.0
    assert barrier.parameters()["alpha_table"] == 4.0


def test_the_answer_does_not_depend_on_earlier_calls(block: Hardware) -> None:
    config = replace(CONFIG, obstacles=(Obstacle("lid", (0.3, 0.3, 0.1), (0.0, 0.0, 1.0)),))
    barrier = BarrierFilter(config, block)
    asked = [
        (state([h, 0.0], [v, 0.0]), w) for h in (0.02, 0.8) for v in (-0.5, 0.0, 1.0) for w in (-0.1, 0.1)
    ]
    first = [step(barrier, [w, 0.0], motion) for motion, w in asked]
    again = [step(barrier, [w, 0.0], motion) for motion, w in reversed(asked)]
    np.testing.assert_array_equal(first, again[::-1])


def test_a_command_that_is_no_number_leads_to_braking(block: Hardware) -> None:
    motion = state([1.0, 0.0], [-4.0, 0.0])
    safe = BarrierFilter(CONFIG, block).filter(JointCommand(0, np.array([np.nan, 0.0])), motion)
    assert safe.command.position[0] == pytest.approx(1.0 + (-4.0 + 40.0 * DT) * DT)
    assert safe.reasons == ("barrier:brake:command",)


def test_joints_that_are_no_numbers_leave_the_targets_barriers_in_force(block: Hardware) -> None:
    lost = state([0.05, 0.0], arm=[np.nan, np.nan])
    got = step(BarrierFilter(CONFIG, block), [-0.09, 0.0], lost)
    assert got[0] == pytest.approx(-4.0 * DT * (0.05 - MARGIN), abs=2e-6)
