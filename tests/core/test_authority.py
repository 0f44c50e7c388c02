"""The state machine of who moves the arm, as the table in its module says."""

import threading

import pytest
from sinew_core.authority import (
    Authority,
    AuthorityLatch,
    Cause,
    arm,
    clear,
    grant,
    hold,
    release,
    stop,
)

OWNERS = ["hold", "policy", "human", "stopped"]
BUTTON = Cause("button", "pressed", present=True)
SERVICE = Cause("service", "asked for")


def owned_by(owner):
    if owner == "stopped":
        return stop(Authority(), SERVICE)
    return grant(Authority(), owner, "test")


@pytest.mark.parametrize("owner", OWNERS)
def test_a_stop_stops_whoever_owns_the_arm(owner):
    state = stop(owned_by(owner), BUTTON)
    assert state.stopped
    assert BUTTON in state.causes


@pytest.mark.parametrize("source", ["hold", "policy", "human"])
@pytest.mark.parametrize("owner", ["hold", "policy", "human"])
def test_the_arm_is_granted_to_whoever_commands(owner, source):
    state = grant(owned_by(owner), source, "because")
    assert state.owner == source
    if owner != source:
        assert (state.previous, state.reason) == (owner, "because")


@pytest.mark.parametrize("source", ["hold", "policy", "human"])
def test_a_stopped_arm_is_granted_to_nobody(source):
    assert grant(owned_by("stopped"), source, "because").stopped


@pytest.mark.parametrize("owner", ["hold", "policy", "human"])
def test_a_forced_hold_lasts_until_its_cause_is_over(owner):
    frozen = Cause("camera", "frozen", present=True)
    state = hold(owned_by(owner), frozen)
    assert state.owner == "hold"
    assert grant(state, "policy", "because").owner == "hold"
    assert grant(release(state, "camera"), "policy", "because").owner == "policy"


def test_a_forced_hold_does_not_end_a_stop():
    assert hold(owned_by("stopped"), BUTTON).stopped


def test_to_go_on_takes_two_steps():
    state = owned_by("stopped")
    refused, why = arm(state)
    assert refused.stopped
    assert why == "clear first: service: asked for"
    state, why = clear(state)
    assert state.stopped
    assert why == ""
    state, why = arm(state)
    assert (state.owner, why) == ("hold", "")


def test_a_cause_that_is_still_there_cannot_be_cleared():
    state, why = clear(stop(owned_by("stopped"), BUTTON))
    assert why == "still there: button: pressed"
    assert [cause.name for cause in state.causes] == ["button"], "the other one is cleared"
    assert arm(state)[0].stopped
    state, why = clear(release(state, "button"))
    assert (state.causes, why) == ((), "")


def test_a_button_that_is_let_go_is_a_cleared_cause():
    state = release(stop(Authority(), BUTTON), "button", forget=True)
    assert state.stopped
    assert arm(state)[0].owner == "hold"


def test_to_arm_what_is_not_stopped_is_refused():
    assert arm(owned_by("policy")) == (owned_by("policy"), "not stopped")


def test_the_same_cause_twice_is_one_cause():
    state = stop(stop(Authority(), BUTTON), BUTTON)
    assert len(state.causes) == 1


def test_changes_are_told_once_in_order_with_when_they_were_asked_for():
    latch = AuthorityLatch()
    latch.grant("policy", "commands", asked=1)
    latch.grant("policy", "commands", asked=2)
    latch.stop("service", "asked for", asked=3)
    told = [(change.state.owner, change.asked) for change in latch.take_changes()]
    assert told == [("policy", 1), ("stopped", 3)]
    assert latch.take_changes() == []


def test_a_stop_among_many_threads_is_never_lost():
    latch = AuthorityLatch()

    def grant_often():
        for i in range(2000):
            latch.grant(("policy", "human", "hold")[i % 3], "test")

    threads = [threading.Thread(target=grant_often) for _ in range(4)]
    for thread in threads:
        thread.start()
    latch.stop("service", "now")
    for thread in threads:
        thread.join()
    assert latch.state.stopped
