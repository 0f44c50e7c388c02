"""The scripted person: takes over when nothing gets on, for a while, within a budget."""

import numpy as np
import pytest
from sinew_core.hardware import load_hardware
from sinew_core.types import RewardEstimate
from sinew_training.scripted_human import ScriptedHuman, ScriptedHumanConfig

from tests.contract.observations import TASK, affordances, observe, scene

HARDWARE = load_hardware("sim_mujoco")
AFFORDANCE = next(affordances(HARDWARE))
CONFIG = ScriptedHumanConfig(patience=0.5, turn=1.0, least=0.05, progress_wanted=0.3)


class Told:
    """Progress as the test says it is."""

    def __init__(self):
        self.progress = 0.0

    def reset(self, task):
        self.progress = 0.0

    def estimate(self, observation):
        return RewardEstimate(observation.stamp, 0.0, progress=self.progress)


@pytest.fixture
def progress():
    return Told()


def person_of(progress, budget=100):
    person = ScriptedHuman(CONFIG, HARDWARE, TASK.name, progress, budget)
    person.reset(TASK)
    return person


def drives(person, step):
    return len(person.infer(observe(HARDWARE, scene(HARDWARE), AFFORDANCE, step)).position) > 0


def test_it_watches_while_there_is_progress(progress):
    person = person_of(progress)
    for step in range(60):
        progress.progress = step * 0.06
        assert not drives(person, step)


def test_it_takes_over_when_progress_stalls_and_lets_go_after_its_turn(progress):
    person = person_of(progress)
    driven = [drives(person, step) for step in range(45)]
    first, turns = driven.index(True), np.diff(np.flatnonzero(np.diff(driven)))
    assert first == 11  # half a second, and one control period more
    assert turns[0] == 21  # a second


def test_it_lets_go_when_it_has_brought_the_robot_on(progress):
    person = person_of(progress)
    step = 0
    while not drives(person, step):
        step += 1
    progress.progress = 0.31
    assert not drives(person, step + 1)


def test_it_never_spends_more_than_its_budget(progress):
    person = person_of(progress, budget=7)
    assert sum(drives(person, step) for step in range(200)) == 7
    assert person.left == 0


def test_the_budget_is_of_the_whole_training(progress):
    person = person_of(progress, budget=7)
    for step in range(15):
        drives(person, step)
    person.reset(TASK)
    assert sum(drives(person, step) for step in range(200)) == 7 - 4
