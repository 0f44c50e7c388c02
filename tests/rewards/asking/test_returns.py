"""Members of a reward are heard, or made up from its uncertainty, or missed."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from sinew_core.errors import ConfigError
from sinew_core.types import FloatArray
from sinew_data.feedback.types import Clip
from sinew_rewards.asking.material import Candidate, Material, read_material
from sinew_rewards.asking.returns import DRAWS, clip_returns
from sinew_rewards.learned.scoring import Score

CLIPS = [Candidate(Clip("a"), 0, 0, 2), Candidate(Clip("a"), 0, 1, 4)]
Scoring = Callable[[FloatArray], Score]


class Judge:
    def __init__(self, score: Scoring) -> None:
        self.score = score
        self.resets = 0

    def reset(self) -> None:
        self.resets += 1


@pytest.fixture
def materials(recorded: Callable[..., Path]) -> list[Material]:
    [found], _ = read_material(recorded(4), "", None)
    return [Material(found.summary, found.stamps, np.arange(4, dtype=np.float32)[:, None])]


def returns(materials: list[Material], score: Scoring) -> FloatArray:
    judge = Judge(score)
    found = clip_returns(Path("w.safetensors"), judge, materials, CLIPS)  # type: ignore[arg-type]
    assert judge.resets == 1
    return found


def test_each_member_sums_over_a_clip(materials: list[Material]) -> None:
    found = returns(
        materials, lambda x: Score(0.0, terms={"member_0": x[0], "member_1": -x[0], "other": 9.0})
    )
    assert found.tolist() == [[1.0, 6.0], [-1.0, -6.0]]


def test_uncertainty_makes_members_that_differ_as_much(materials: list[Material]) -> None:
    found = returns(materials, lambda x: Score(float(x[0]), uncertainty=float(x[0] > 2)))
    assert found.shape == (DRAWS, 2)
    assert found[:, 0].tolist() == [1.0] * DRAWS
    assert found[:, 1].std() > 0.3


def test_a_reward_without_any_doubt_is_an_error(materials: list[Material]) -> None:
    with pytest.raises(ConfigError, match=r"w\.safetensors.*--by random"):
        returns(materials, lambda _: Score(1.0))
