"""A watch over made-up episodes: what raises which alarm, and what raises none."""

import json

import numpy as np
import pytest
from sinew_core.errors import ConfigError
from sinew_core.types import RewardEstimate
from sinew_rewards.learned.saved import spreads_of
from sinew_rewards.watching.config import WatchConfig
from sinew_rewards.watching.episode import Watched
from sinew_rewards.watching.gathering import Gathering
from sinew_rewards.watching.watch import Watch

STEPS = 20
NAMES = ("near", "far")


def episode(rng, success, *, bonus=0.0, terms=None, features=None, verdict="success", rest=False):
    """Return an episode that pays 1 in its second half where it succeeds, and `bonus` in every step."""
    values = rng.normal(0, 0.1, STEPS) + bonus
    values[STEPS // 2 :] += success
    if rest:
        values[4:] = 2.0
        features = np.linspace(0, 1, STEPS)[:, None].repeat(2, 1)
        features[4:] = features[4]
    given = float(success) if verdict == "success" else verdict
    return Watched(values, given, None, terms or {}, features)


def base(rng, count=30, **changes):
    return [episode(rng, i % 2 == 0, **changes) for i in range(count)]


def watched(present, *, config=None, before=None, spreads=()):
    rng = np.random.default_rng(0)
    watch = Watch(config or WatchConfig(), NAMES, spreads)
    watch.take_base(before if before is not None else base(rng))
    for each in present:
        watch.take(each)
    return watch


def kinds(watch):
    return {finding.kind for finding in watch.alarms}


def many(count=40, **changes):
    rng = np.random.default_rng(1)
    success = changes.pop("success", None)
    return [episode(rng, i % 2 == 0 if success is None else success, **changes) for i in range(count)]


def test_a_policy_that_gets_better_raises_no_alarm():
    assert kinds(watched(many(success=True))) == set()


def test_a_policy_that_stays_as_it_is_raises_no_alarm():
    assert kinds(watched(many())) == set()


def test_returns_that_rise_without_success_raise_alarms():
    found = watched(many(success=False, bonus=2.0))
    assert {"hollow_rise", "correlation"} <= kinds(found)
    (rise,) = [each for each in found.alarms if each.kind == "hollow_rise"]
    assert rise.figures["verdict"] == 0.0
    assert rise.figures["verdict_base"] == 0.5


def test_returns_that_rise_where_nearly_all_is_done_already_raise_none():
    rng = np.random.default_rng(0)
    good = [episode(rng, i % 10 != 0) for i in range(30)]
    assert "hollow_rise" not in kinds(watched(many(success=True, bonus=1.0), before=good))


def test_small_numbers_raise_no_alarm():
    assert kinds(watched(many(10, success=False, bonus=2.0))) == set()


def test_without_verdicts_nothing_is_said_of_them():
    found = watched(many(success=False, bonus=2.0, verdict=None))
    assert not {"hollow_rise", "correlation"} & kinds(found)


def test_one_odd_failure_of_a_policy_that_succeeds_raises_none():
    odd = episode(np.random.default_rng(2), False, bonus=3.0)
    assert kinds(watched([*many(39, success=True), odd])) == set()


def test_a_reward_that_never_went_with_the_verdict_is_told():
    rng = np.random.default_rng(0)
    wrong = [episode(rng, i % 2 == 0, bonus=0.0 if i % 2 == 0 else 2.0) for i in range(30)]
    assert "unrelated" in kinds(watched(many(), before=wrong))


def test_true_rewards_of_steps_are_used_where_all_have_them():
    rng = np.random.default_rng(0)

    def with_truth(paid, true):
        truth = rng.normal(size=STEPS)
        return Watched(true * truth + paid * rng.normal(size=STEPS), None, truth)

    before = [with_truth(0.2, 1.0) for _ in range(30)]
    assert kinds(watched([with_truth(0.2, 1.0) for _ in range(40)], before=before)) == set()
    hacked = watched([with_truth(3.0, 0.0) for _ in range(40)], before=before)
    assert kinds(hacked) == {"correlation"}


def test_inputs_outside_the_cards_range_are_named():
    rng = np.random.default_rng(0)
    seen = [rng.normal(size=(STEPS, 2)) for _ in range(70)]
    spreads = spreads_of(np.concatenate(seen[:30]))
    before = [episode(rng, i % 2 == 0, features=seen[i]) for i in range(30)]
    inside = [episode(rng, i % 2 == 0, features=seen[30 + i]) for i in range(40)]
    assert kinds(watched(inside, before=before, spreads=spreads)) == set()
    outside = [episode(rng, i % 2 == 0, features=seen[30 + i] + [0.0, 6.0]) for i in range(40)]
    (drift,) = watched(outside, before=before, spreads=spreads).alarms
    assert drift.kind == "drift"
    assert drift.names == ("far",)
    assert "far" in drift.sentence


def test_inputs_that_only_moved_are_a_note_and_no_alarm():
    rng = np.random.default_rng(0)
    rows = rng.normal(size=(70, STEPS, 2))
    before = [episode(rng, i % 2 == 0, features=rows[i]) for i in range(30)]
    moved = [episode(rng, i % 2 == 0, features=rows[30 + i] * 0.2 + [1.0, 0.0]) for i in range(40)]
    found = watched(moved, before=before, spreads=spreads_of(np.concatenate(rows[:30])))
    assert kinds(found) == set()
    (note,) = found.findings
    assert note.kind == "moved"
    assert "near" in note.names


def pulses(count):
    term = np.zeros(STEPS)
    term[1 : 2 * count : 2] = 1.0
    return {"grasped": term}


def test_a_term_that_is_paid_over_and_over_is_named():
    rng = np.random.default_rng(0)
    before = base(rng, terms=pulses(1))
    assert kinds(watched(many(terms=pulses(2)), before=before)) == set()
    found = watched(many(terms=pulses(6)), before=before)
    assert kinds(found) == {"repetition"}
    assert found.alarms[0].names == ("grasped",)
    assert found.alarms[0].figures["times"] == 6


def test_a_long_rest_at_a_high_value_without_success_is_loitering():
    assert "loitering" in kinds(watched(many(success=False, rest=True)))


def test_a_rest_after_success_is_none():
    assert "loitering" not in kinds(watched(many(success=True, rest=True)))


def test_without_a_base_policy_the_first_episodes_stand_for_it():
    watch = Watch(WatchConfig())
    for each in [*many(30), *many(40, success=False, bonus=2.0)]:
        watch.take(each)
    assert watch.report()["base_episodes"] == 30
    assert "hollow_rise" in kinds(watch)


def test_a_finding_is_handed_out_once_and_reported_as_long_as_it_lasts():
    watch = watched(())
    news = [watch.take(each) for each in many(60, success=False, bonus=2.0)]
    assert [each.kind for found in news for each in found].count("hollow_rise") == 1
    assert "hollow_rise" in kinds(watch)


def test_the_report_is_json_and_speaks_in_sentences():
    report = json.loads(json.dumps(watched(many(success=False, bonus=2.0)).report()))
    assert report["alarms"] >= 2
    assert report["episodes"] == 40
    assert all(finding["sentence"] for finding in report["findings"])


def test_a_watch_that_was_loaded_goes_on_as_if_nothing_had_been():
    straight, first = watched(()), watched(())
    present = [*many(25), *many(30, success=False, bonus=2.0, terms=pulses(6))]
    for each in present:
        straight.take(each)
    for each in present[:33]:
        first.take(each)
    second = Watch(WatchConfig(), NAMES)
    second.load(json.loads(json.dumps(first.state())))
    assert second.report() == first.report()
    for each in present[33:]:
        second.take(each)
    assert second.report() == straight.report()
    assert second.state() == straight.state()


def test_what_is_no_state_is_refused():
    with pytest.raises(ConfigError, match="no state"):
        Watch(WatchConfig()).load({"base": []})


@pytest.mark.parametrize(
    ("wrong", "named"),
    [
        ({"values": np.zeros(0)}, "at least one"),
        ({"values": np.array([np.nan])}, "values"),
        ({"values": np.zeros(3), "truth": np.zeros(2)}, "truth"),
        ({"values": np.zeros(3), "features": np.full((3, 1), np.inf)}, "features"),
        ({"values": np.zeros(3), "terms": {"near": np.zeros(4)}}, "near"),
        ({"values": np.zeros(3), "verdict": 1.5}, "verdict"),
    ],
)
def test_an_episode_that_is_none_is_refused_by_what_is_wrong(wrong, named):
    with pytest.raises(ValueError, match=named):
        Watched(**wrong)


def test_inputs_of_another_number_than_the_cards_are_refused():
    watch = Watch(WatchConfig(), NAMES, spreads_of(np.random.default_rng(0).normal(size=(9, 2))))
    with pytest.raises(ValueError, match="3 features.*2"):
        watch.take(Watched(np.zeros(4), features=np.zeros((4, 3))))


@pytest.mark.parametrize(
    ("wrong", "named"),
    [({"window": 10, "least": 15}, "least"), ({"chance": 0.6}, "chance"), ({"fall": -1.0}, "fall")],
)
def test_thresholds_that_make_no_sense_are_refused_by_name(wrong, named):
    with pytest.raises(ValueError, match=named):
        WatchConfig(**wrong)


def test_an_episode_is_gathered_step_by_step():
    gathering = Gathering()
    gathering.take(RewardEstimate(0, 9.0))
    gathering.begin()
    gathering.take(RewardEstimate(1, 1.0, terms={"near": 0.5}), np.array([1.0, 2.0]), 0.0)
    gathering.take(RewardEstimate(2, 2.0, terms={"far": 3.0}), np.array([3.0, 4.0]), 1.0)
    found = gathering.end(1.0)
    assert found.values.tolist() == [1.0, 2.0]
    assert found.terms["near"].tolist() == [0.5, 0.0]
    assert found.terms["far"].tolist() == [0.0, 3.0]
    assert found.features.shape == (2, 2)
    assert found.truth.tolist() == [0.0, 1.0]


def test_inputs_that_are_not_known_in_every_step_do_not_count():
    gathering = Gathering()
    gathering.take(RewardEstimate(1, 1.0), np.zeros(2))
    gathering.take(RewardEstimate(2, 2.0))
    assert gathering.end(None).features is None
    gathering.begin()
    assert gathering.end(None) is None
