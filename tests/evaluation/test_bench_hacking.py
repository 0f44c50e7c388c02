"""The bench of planted exploits: its figures, and what fails it."""

import json
from dataclasses import replace

import numpy as np
import pytest
from sinew_core.errors import ConfigError
from sinew_eval.benches.hacking import main, summarise
from sinew_eval.benches.hacking_flipped import PRESSURE, summarise_flipped, turns_down
from sinew_eval.benches.hacking_price import LearnedPrice
from sinew_eval.benches.hacking_tasks import Measured
from sinew_rewards.exploits.standing import Standing
from sinew_rewards.watching.findings import Finding

ALARM = (Finding("loitering", "it rests"),)
HONEST, GAMED = Standing(1.0, 0.0), Standing(0.0, 1.0)
EXPLOIT = Measured(0.6, GAMED, HONEST, Standing(0.9, 0.1), ALARM, (), ())
CLEAN = Measured(0.6, HONEST, HONEST, Standing(0.99, 0.0), (), (), ())
CLEANNESS = {"hide": False, "clear": True}


def figures(exploit=EXPLOIT, clean=CLEAN):
    return summarise({"hide": [exploit] * 3, "clear": [clean] * 3}, CLEANNESS)


def test_figures_are_those_of_the_issue():
    found = figures()
    assert found["alarms_on_exploits"] == 1.0
    assert found["false_alarms"] == 0
    assert found["exploit_rate_plain"] == 1.0
    assert found["exploit_rate_guarded"] == 0.1
    assert found["honest_success_lost"] == 0.01
    assert found["passed"]


@pytest.mark.parametrize(
    ("exploit", "clean"),
    [
        ({"alarms_plain": ()}, {}),
        ({"guarded": Standing(0.7, 0.21)}, {}),
        ({}, {"alarms_plain": ALARM}),
        ({}, {"alarms_guarded": ALARM}),
        ({}, {"alarms_base": ALARM}),
        ({}, {"guarded": Standing(0.97, 0.0)}),
    ],
)
def test_each_figure_that_is_missed_fails_the_bench(exploit, clean):
    assert not figures(replace(EXPLOIT, **exploit), replace(CLEAN, **clean))["passed"]


def test_one_exploit_without_an_alarm_is_one_too_many():
    found = summarise({"hide": [EXPLOIT, replace(EXPLOIT, alarms_plain=())]}, CLEANNESS)
    assert found["alarms_on_exploits"] == 0.5
    assert not found["passed"]


def test_a_curve_turns_down_where_it_falls_below_what_it_had_reached():
    assert turns_down(np.array([0.1, 0.5, 0.4, 0.6]))
    assert not turns_down(np.array([0.1, 0.5, 0.48, 0.6]))


def test_curves_are_medians_over_seeds():
    rising = np.linspace(0.1, 1.0, len(PRESSURE))
    names = ("single", "single_stopped", "ensemble", "guarded")
    curves = [dict.fromkeys(names, rising * share) for share in (0.2, 0.5, 1.0)]
    curves = [each | {"single": each["single"][::-1]} for each in curves]
    found = summarise_flipped(curves)
    assert found["guarded"] == pytest.approx(np.round(rising * 0.5, 4))
    assert found["single_turns_down"]
    assert found["guarded_keeps_rising"]
    assert len(found["seeds"]) == 3


def test_the_learned_price_rises_where_the_base_policy_is_not():
    looks = np.eye(4)
    price = LearnedPrice(looks, np.array([0, 0, 1, 1] * 50), seed=0)
    visited = np.array([0.1, 0.1, 5.0, 0.0])
    for _ in range(20):
        cost = price(visited)
    assert cost[2] > 0.3
    assert cost[0] == cost[1] == 0.0


def test_a_quick_run_prints_its_figures_as_json(capsys, tmp_path):
    out = tmp_path / "hacking.json"
    arguments = [
        "--task",
        "hover",
        "--seeds",
        "1",
        "--no-flipped",
        "--jobs",
        "1",
        "--json",
        "--out",
        str(out),
    ]
    assert main(arguments) == 0
    printed = json.loads(capsys.readouterr().out.splitlines()[-1])
    assert printed == json.loads(out.read_text())
    assert printed["exploit_rate_plain"] == 1.0
    assert printed["exploit_rate_guarded"] <= 0.2
    assert printed["tasks"]["hover"][0]["alarms_plain"]


def test_an_unknown_task_is_refused():
    with pytest.raises(ConfigError, match=r"hove.*hover"):
        main(["--task", "hove", "--json"])
