import numpy as np
import pytest
from sinew_core.arbiter import Arbiter
from sinew_core.types import ActionChunk

MS = 1_000_000


def chunk(stamp, rows=((1.0, 1.0),), dt=0.05):
    return ActionChunk(stamp, dt, np.array(rows, dtype=float))


@pytest.fixture
def arbiter():
    return Arbiter(joints=2, timeout=200 * MS, max_age=300 * MS)


def test_without_a_chunk_it_holds(arbiter):
    choice = arbiter.choose(0)
    assert (choice.source, choice.position) == ("hold", None)


def test_rows_are_taken_by_their_time_and_the_last_one_is_kept(arbiter):
    arbiter.offer("policy", chunk(0, [(1, 1), (2, 2), (3, 3)]), 0)
    times = [0, 49, 50, 149, 150, 300]
    assert [arbiter.choose(t * MS).position[0] for t in times] == [1, 1, 2, 3, 3, 3]


def test_a_stale_policy_gives_way_to_a_hold_that_says_why(arbiter):
    arbiter.offer("policy", chunk(0), 0)
    assert arbiter.choose(250 * MS).source == "policy"
    choice = arbiter.choose(251 * MS)
    assert (choice.source, choice.reasons) == ("hold", ("stale:policy",))


def test_a_fresh_human_beats_the_policy_and_a_stale_one_gives_back(arbiter):
    arbiter.offer("policy", chunk(0), 0)
    arbiter.offer("human", chunk(0, [(9, 9)]), 0)
    assert arbiter.choose(0).source == "human"
    arbiter.offer("policy", chunk(200 * MS), 200 * MS)
    assert arbiter.choose(260 * MS).source == "policy"


@pytest.mark.parametrize(
    ("bad", "sentence"),
    [
        (chunk(0, [(np.nan, 0)]), "non-finite"),
        (chunk(0, [(np.inf, 0)]), "non-finite"),
        (chunk(0, [(1, 2, 3)]), "shape (1, 3), expected (horizon, 2)"),
        (ActionChunk(0, 0.05, np.zeros(2)), "shape (2,)"),
        (ActionChunk(0, 0.05, np.zeros((0, 2))), "shape (0, 2)"),
        (chunk(0, dt=0.0), "dt 0.0"),
        (chunk(0, dt=float("nan")), "dt nan"),
    ],
)
def test_a_faulty_chunk_revokes_its_source_and_is_named(arbiter, bad, sentence):
    arbiter.offer("policy", chunk(0), 0)
    assert sentence in arbiter.offer("policy", bad, 0)
    choice = arbiter.choose(0)
    assert choice.source == "hold"
    assert sentence in choice.reasons[0]


@pytest.mark.parametrize(
    ("stamp", "sentence"), [(400, "lies before the last one"), (600, "in the future"), (0, "0.500 s old")]
)
def test_a_chunk_from_another_time_is_refused_and_the_last_one_stands(arbiter, stamp, sentence):
    arbiter.offer("policy", chunk(450 * MS), 450 * MS)
    assert sentence in arbiter.offer("policy", chunk(stamp * MS, [(5, 5)]), 500 * MS)
    choice = arbiter.choose(500 * MS)
    assert (choice.source, choice.position[0]) == ("policy", 1)
    assert any(sentence in reason for reason in choice.reasons)


def test_a_reason_is_reported_once(arbiter):
    arbiter.offer("policy", chunk(0, [(np.nan, 0)]), 0)
    assert arbiter.choose(0).reasons
    assert arbiter.choose(1).reasons == ()


def test_what_is_chosen_is_a_copy(arbiter):
    arbiter.offer("policy", chunk(0), 0)
    arbiter.choose(0).position[:] = 7
    assert arbiter.choose(0).position[0] == 1


def test_it_covers_a_moment_while_a_row_is_meant_for_it(arbiter):
    arbiter.offer("policy", chunk(0, [(1, 1), (2, 2)]), 0)
    assert arbiter.covers(99 * MS)
    assert not arbiter.covers(100 * MS)
