"""What an agent does that optimises a form of the reward and nothing else, on the chain of the notes.

States lie along the path; the last one ends the episode with success. The actions: back, stay, on.
"""

import numpy as np
import pytest
from sinew_rewards.forms import Form, combine, dense_reward, distance_reward

STATES, GAMMA, C = 8, 0.99, 0.5
BACK, STAY, ON = -1, 0, 1
DIAGONAL = 2.0 * (STATES - 1)
PATIENCE = 3  # steps that the agent may stay before that counts as loitering


def paid(state: int, form: Form, loitering: float = 0.0) -> float:
    """Return what arriving in a state pays."""
    dense = dense_reward(state / (STATES - 1), 0.0, C)
    if form == "distance":
        dense = distance_reward(min(state + 1, STATES - 1) - state, DIAGONAL)
    return combine(dense, state == STATES - 1, form, loitering, 2.0)


def greedy(form: Form, *, clock: bool = False) -> list[int]:
    """Return the greedy action of each state, newly entered, after value iteration.

    With a clock a state is also how long the agent has stayed, and staying too long is loitering.
    """
    waits = PATIENCE + 2 if clock else 1
    values = np.zeros((STATES, waits))  # of what comes after; nothing comes after the last

    def returns(state: int, wait: int) -> list[float]:
        options = []
        for action in (BACK, STAY, ON):
            after = min(max(state + action, 0), STATES - 1)
            waited = min(wait + 1, waits - 1) if after == state else 0
            reward = paid(after, form, float(waited > PATIENCE))
            options.append(reward + GAMMA * values[after, waited] * (after < STATES - 1))
        return options

    for _ in range(2000):
        best = [[max(returns(state, wait)) for wait in range(waits)] for state in range(STATES - 1)]
        change = np.abs(values[:-1] - best).max()
        values[:-1] = best
        if change < 1e-9:
            break
    return [int(np.argmax(returns(state, 0))) - 1 for state in range(STATES - 1)]


@pytest.mark.parametrize("form", ["shifted", "distance"])
def test_these_forms_are_solved_by_finishing(form: Form) -> None:
    assert greedy(form) == [ON] * (STATES - 1)


def test_taking_back_what_loitering_pays_leaves_finishing_the_best() -> None:
    assert greedy("shifted", clock=True) == [ON] * (STATES - 1)


def test_the_plain_form_with_termination_is_solved_by_loitering() -> None:
    assert greedy("plain")[-1] == STAY


def test_in_the_shifted_form_staying_anywhere_is_worth_less_than_going_on() -> None:
    steps = np.arange(STATES - 1)
    for state in range(STATES - 1):
        loiter = paid(state, "shifted") / (1 - GAMMA)
        finish = sum(GAMMA**t * paid(min(state + 1 + t, STATES - 1), "shifted") for t in steps)
        assert finish > loiter
