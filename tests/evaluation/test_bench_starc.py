"""`sinew bench starc` in small."""

import json
from pathlib import Path
from typing import Any

import pytest
from sinew_eval.benches import starc

SMALL = ("--tasks", "10", "--states", "8", "--actions", "3", "--seeds", "2", "--json")


def run(capsys: pytest.CaptureFixture[str], *options: str) -> tuple[int, dict[str, Any]]:
    code = starc.main([*SMALL, *options])
    return code, json.loads(capsys.readouterr().out.splitlines()[-1])


def test_copies_are_at_0_and_regret_rises(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    code, result = run(capsys, "--out", str(tmp_path / "starc.json"))
    assert code == 0
    assert result["shaped_copy_max"] <= 1e-3
    assert result["monotone_with_regret"] > 0.8
    assert result == json.loads((tmp_path / "starc.json").read_text())


def test_the_same_seed_gives_the_same_figures(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(capsys, "--seed", "3")[1] == run(capsys, "--seed", "3")[1]


@pytest.mark.parametrize(
    "worse", [{"shaped_copy_max": 2e-3}, {"monotone_with_regret": 0.7}, {"bins_rise": False}]
)
def test_a_figure_that_is_not_as_it_must_be_fails_the_bench(worse: dict[str, Any]) -> None:
    good = {"shaped_copy_max": 1e-9, "monotone_with_regret": 0.9, "bins_rise": True}
    assert starc.passes(good)
    assert not starc.passes(good | worse)


@pytest.mark.parametrize(
    "option", [("--tasks", "4"), ("--states", "1"), ("--actions", "x"), ("--seeds", "0")]
)
def test_sizes_that_say_nothing_are_refused(option: tuple[str, str]) -> None:
    with pytest.raises(SystemExit):
        starc.main(list(option))
