"""The gate: nothing above the cap without a verdict, and the verdict is the judge's alone."""

import pytest
from sinew_core.errors import ConfigError
from sinew_core.hardware import Hardware

from tests.rewards.wrappers.stand_ins import make, run, told, wrapper, wrong


def test_nothing_above_the_cap_is_paid_without_a_verdict_of_success(hardware: Hardware) -> None:
    judge = told(0.0, success=[0.0, None, 0.4, 0.9])
    said = run(wrapper("success_gate", source=told(5.0), cap=-0.5, success=judge), hardware, 4)
    assert [each.value for each in said] == [-0.5, -0.5, -0.5, 5.0]
    assert [each.success for each in said] == [0.0, None, 0.0, 1.0]
    assert [each.terms["taken"] for each in said] == [5.5, 5.5, 5.5, 0.0]
    assert said[1].uncertainty == 5.5
    assert said[3].progress == 1.0


def test_what_is_below_the_cap_is_left_alone(hardware: Hardware) -> None:
    spec = wrapper("success_gate", source=told(-2.0), cap=-0.5, success=told(0.0, success=[0.0]))
    assert run(spec, hardware, 1)[0].value == -2.0


def test_the_success_of_the_gated_reward_counts_for_nothing(hardware: Hardware) -> None:
    source = told(5.0, success=[1.0])
    said = run(
        wrapper("success_gate", source=source, cap=0.0, success=told(0.0, success=[0.0])), hardware, 1
    )[0]
    assert (said.value, said.success) == (0.0, 0.0)


@pytest.mark.parametrize("how", ["raises", "late", "number", "success"])
def test_a_judge_that_fails_is_no_success(how: str, hardware: Hardware) -> None:
    said = run(wrapper("success_gate", source=told(5.0), cap=0.0, success=wrong(how)), hardware, 1)[0]
    assert (said.value, said.success) == (0.0, None)


def test_the_verdict_takes_as_many_observations_as_asked(hardware: Hardware) -> None:
    judge = told(0.0, success=[0.0, 1.0, 1.0, 1.0])
    spec = wrapper("success_gate", source=told(5.0), cap=0.0, success=judge, success_frames=2)
    assert [each.value for each in run(spec, hardware, 4)] == [0.0, 0.0, 5.0, 5.0]


def test_a_missing_cap_is_refused(hardware: Hardware) -> None:
    with pytest.raises(ConfigError, match="missing key cap"):
        make(wrapper("success_gate", source=told()), hardware)
