import numpy as np
import pytest
from sinew_core.arbiter import Arbiter
from sinew_core.authority import AuthorityConfig
from sinew_core.types import ActionChunk

MS = 1_000_000
AT = np.ones(2)  # where the arm is, and what `chunk` wants


def chunk(stamp, rows=((1.0, 1.0),), dt=0.05):
    return ActionChunk(stamp, dt, np.array(rows, dtype=float))


def make_arbiter(**config):
    speed = np.array([10.0, 20.0])
    return Arbiter(("pan", "lift"), speed, AuthorityConfig(**config), timeout=200 * MS, max_age=300 * MS)


def choose(arbiter, now, target=AT):
    return arbiter.choose(now, np.asarray(target, float), 0.05)


def empty(stamp):
    return ActionChunk(stamp, 0.05, np.zeros((0, 2)))


@pytest.fixture
def arbiter():
    return make_arbiter()


def test_without_a_chunk_it_holds(arbiter):
    choice = choose(arbiter, 0)
    assert (choice.source, choice.position) == ("hold", None)


def test_rows_are_taken_by_their_time_and_the_last_one_is_kept(arbiter):
    arbiter.offer("policy", chunk(0, [(1, 1), (2, 2), (3, 3)]), 0)
    times = [0, 49, 50, 149, 150, 300]
    assert [choose(arbiter, t * MS).position[0] for t in times] == [1, 1, 2, 3, 3, 3]


def test_a_stale_policy_gives_way_to_a_hold_that_says_why(arbiter):
    arbiter.offer("policy", chunk(0), 0)
    assert choose(arbiter, 250 * MS).source == "policy"
    choice = choose(arbiter, 251 * MS)
    assert (choice.source, choice.reasons) == ("hold", ("stale:policy",))


def test_an_exhausted_chunk_is_named(arbiter):
    arbiter.offer("policy", chunk(0), 0)
    assert choose(arbiter, 49 * MS).reasons == ()
    assert choose(arbiter, 50 * MS).reasons == ("late:policy",)


def test_a_fresh_human_beats_the_policy(arbiter):
    arbiter.offer("policy", chunk(0), 0)
    arbiter.offer("human", chunk(0, [(2, 2)]), 0)
    choice = choose(arbiter, 0)
    assert (choice.source, choice.position[0]) == ("human", 2)


def test_a_human_who_falls_silent_is_followed_by_a_hold_until_they_give_back(arbiter):
    arbiter.offer("human", chunk(0), 0)
    choose(arbiter, 0)
    arbiter.offer("policy", chunk(290 * MS), 290 * MS)
    choice = choose(arbiter, 301 * MS)
    assert (choice.source, choice.reasons) == ("hold", ("stale:human", "lost:human: silent"))
    arbiter.offer("human", empty(310 * MS), 310 * MS)
    arbiter.offer("policy", chunk(310 * MS), 310 * MS)
    assert choose(arbiter, 310 * MS).source == "policy"


def test_a_human_who_was_lost_may_come_back(arbiter):
    arbiter.offer("human", chunk(0), 0)
    choose(arbiter, 0)
    choose(arbiter, 301 * MS)
    arbiter.offer("human", chunk(310 * MS), 310 * MS)
    assert choose(arbiter, 310 * MS).source == "human"
    assert arbiter.lost == ""


def test_giving_back_voids_what_the_policy_wanted_before(arbiter):
    arbiter.offer("human", chunk(0), 0)
    arbiter.offer("policy", chunk(0, [(1, 1)] * 20), 0)
    choose(arbiter, 0)
    arbiter.offer("human", empty(100 * MS), 100 * MS)
    assert choose(arbiter, 100 * MS).source == "hold"
    assert "before the control was given back" in arbiter.offer("policy", chunk(99 * MS), 100 * MS)
    assert arbiter.offer("policy", chunk(100 * MS), 100 * MS) is None
    assert choose(arbiter, 100 * MS).source == "policy"


def test_to_give_back_what_one_does_not_have_changes_nothing(arbiter):
    arbiter.offer("policy", chunk(0), 0)
    arbiter.offer("human", empty(0), 0)
    assert choose(arbiter, 0).source == "policy"


@pytest.mark.parametrize("source", ["human", "policy"])
def test_a_source_that_starts_far_from_the_arm_is_refused_with_joint_and_distance(arbiter, source):
    arbiter.offer(source, chunk(0, [(1, 5)]), 0)
    choice = choose(arbiter, 0)
    assert choice.source == "hold"
    assert choice.reasons == (f"refused:{source}: lift begins 4.000 from where the arm is, 3.000 allowed",)
    assert choice.fault == ""


def test_a_human_who_starts_far_away_does_not_stop_the_policy(arbiter):
    arbiter.offer("policy", chunk(0), 0)
    arbiter.offer("human", chunk(0, [(9, 1)]), 0)
    choice = choose(arbiter, 0)
    assert choice.source == "policy"
    assert "pan begins 8.000" in choice.reasons[0]


def test_a_jump_of_the_driving_source_is_refused_and_it_must_start_anew(arbiter):
    arbiter.offer("policy", chunk(0), 0)
    choose(arbiter, 0)
    arbiter.offer("policy", chunk(50 * MS, [(7, 1)]), 50 * MS)
    choice = choose(arbiter, 50 * MS)
    assert choice.source == "hold"
    assert choice.fault == "policy: pan jumps to 6.000 from where the arm is, 5.000 allowed"
    arbiter.offer("policy", chunk(100 * MS, [(3, 1)]), 100 * MS)
    assert choose(arbiter, 100 * MS).source == "hold", "3 > 0.15 s of travel"
    arbiter.offer("policy", chunk(150 * MS), 150 * MS)
    assert choose(arbiter, 150 * MS).source == "policy"


def test_a_human_who_jumps_is_not_followed_by_the_policy(arbiter):
    arbiter.offer("human", chunk(0), 0)
    choose(arbiter, 0)
    arbiter.offer("policy", chunk(50 * MS), 50 * MS)
    arbiter.offer("human", chunk(50 * MS, [(9, 1)]), 50 * MS)
    choice = choose(arbiter, 50 * MS)
    assert choice.source == "hold"
    assert "pan jumps to" in arbiter.lost


def test_where_it_is_allowed_a_far_source_is_led_in_at_a_bounded_speed():
    arbiter = make_arbiter(blend_speed=0.5)
    target = AT.copy()
    for i in range(100):
        arbiter.offer("human", chunk(i * 50 * MS, [(3, 1)]), i * 50 * MS)
        choice = choose(arbiter, i * 50 * MS, target)
        assert choice.source == "human"
        assert np.abs(choice.position - target).max() <= 0.25 + 1e-12, "half of 10 per second"
        target = choice.position
        if "blending:human" not in choice.reasons:
            break
    assert i == 8
    np.testing.assert_array_equal(target, [3, 1])


def test_shared_autonomy_mixes_both_and_says_so():
    arbiter = make_arbiter(human_share=0.75)
    arbiter.offer("policy", chunk(0, [(2, 2)]), 0)
    arbiter.offer("human", chunk(0, [(1, 1)]), 0)
    choice = choose(arbiter, 0)
    assert (choice.source, choice.reasons) == ("human", ("shared:0.75",))
    np.testing.assert_allclose(choice.position, 1.25)


def test_shared_autonomy_without_a_policy_is_the_human_alone():
    arbiter = make_arbiter(human_share=0.75)
    arbiter.offer("human", chunk(0), 0)
    assert choose(arbiter, 0).reasons == ()


@pytest.mark.parametrize(
    "wrong",
    [{"guard": 0.0}, {"guard": 0.6}, {"blend_speed": 1.5}, {"human_share": 0.0}, {"human_timeout": 0.0}],
)
def test_settings_out_of_range_are_refused(wrong):
    with pytest.raises(ValueError, match=r"expected|must"):
        AuthorityConfig(**wrong)


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
    choice = choose(arbiter, 0)
    assert choice.source == "hold"
    assert sentence in choice.reasons[0]


@pytest.mark.parametrize(
    ("stamp", "sentence"), [(400, "lies before the last one"), (600, "in the future"), (0, "0.500 s old")]
)
def test_a_chunk_from_another_time_is_refused_and_the_last_one_stands(arbiter, stamp, sentence):
    arbiter.offer("policy", chunk(450 * MS), 450 * MS)
    assert sentence in arbiter.offer("policy", chunk(stamp * MS, [(2, 2)]), 500 * MS)
    choice = choose(arbiter, 500 * MS)
    assert (choice.source, choice.position[0]) == ("policy", 1)
    assert any(sentence in reason for reason in choice.reasons)


def test_a_reason_is_reported_once(arbiter):
    arbiter.offer("policy", chunk(0, [(np.nan, 0)]), 0)
    assert choose(arbiter, 0).reasons
    assert choose(arbiter, 1).reasons == ()


def test_what_is_chosen_is_a_copy(arbiter):
    arbiter.offer("policy", chunk(0), 0)
    choose(arbiter, 0).position[:] = 7
    assert choose(arbiter, 0).position[0] == 1


def test_it_covers_a_moment_while_a_row_is_meant_for_it(arbiter):
    arbiter.offer("policy", chunk(0, [(1, 1), (2, 2)]), 0)
    assert arbiter.covers(99 * MS)
    assert not arbiter.covers(100 * MS)


def test_a_clock_that_is_set_back_voids_the_chunks_of_before(arbiter):
    arbiter.offer("policy", chunk(1000 * MS, [(1, 1), (2, 2), (3, 3)]), 1000 * MS)
    choice = choose(arbiter, 990 * MS)
    assert choice.source == "hold", "and not the last row, which a negative index would give"
    assert choice.reasons == ("refused:policy: stamp 1000000000 lies in the future of 990000000",)


@pytest.mark.parametrize("dt", [0.0, -0.05, 1e-12, np.nan, np.inf])
def test_rows_must_lie_apart_by_a_time_that_can_be_told(arbiter, dt):
    assert "dt" in arbiter.offer("policy", chunk(0, dt=dt), 0)
    assert choose(arbiter, 0).source == "hold"


def test_a_person_whose_commands_cannot_be_told_from_anothers_is_followed_by_a_hold(arbiter):
    arbiter.offer("policy", chunk(0), 0)
    arbiter.refuse("human", "2 sources publish at once")
    choice = choose(arbiter, 0)
    assert choice.source == "hold", "a person wants control, so the policy must not have it"
    assert choice.reasons == (
        "refused:human: 2 sources publish at once",
        "lost:human: 2 sources publish at once",
    )
    arbiter.offer("human", chunk(10 * MS), 10 * MS)
    assert choose(arbiter, 10 * MS).source == "human"
