import numpy as np
import pytest
from sinew_core.estimates import answer_fault, needs_frames
from sinew_core.types import RewardEstimate


@pytest.mark.parametrize(
    ("answer", "fault"),
    [
        (None, "None, expected a RewardEstimate"),
        (RewardEstimate(1, 0.0), "the observation of stamp 1, expected that of 5"),
        (RewardEstimate(5, np.zeros(2)), "the value an array of shape (2,)"),
        (RewardEstimate(5, float("nan")), "the value nan"),
        (RewardEstimate(5, 0.0, progress=1.5), "the progress 1.5, expected a finite number from 0 to 1"),
        (RewardEstimate(5, 0.0, terms={"reach": None}), "the term 'reach' None"),
    ],
)
def test_what_is_no_estimate_of_an_observation_is_named(answer, fault):
    assert answer_fault(answer, 5).startswith(fault)


def test_an_estimate_with_numpy_numbers_is_one():
    assert answer_fault(RewardEstimate(5, np.float32(0.5), success=1.0, terms={"a": np.int64(2)}), 5) == ""


def test_frames_are_needed_where_any_model_needs_them():
    class Looks:
        needs_frames = True

    assert needs_frames(object(), Looks())
    assert not needs_frames(object(), None)
