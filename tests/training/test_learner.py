import dataclasses
import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from arm_data import HARDWARE, SCHEMA, data, fragment, rewards
from sinew_core.errors import ConfigError
from sinew_training.inbox import Inbox, Letter
from sinew_training.learner import Learner
from sinew_training.learner_run import LearnerConfig, open_learner_run, training_asked_for
from sinew_training.occupancy import OccupancyConfig
from sinew_training.roster import Roster, RosterError
from sinew_training.weights import Weights, WeightsError, keep, recall, unpack
from sinew_training.wire import WireError, encode
from tiny_training import small


def letter(first, count=3, actor="a", oldest=1, **what):
    return Letter(actor, first, count, oldest, data(first, count, **what))


def training(**changes):
    return small(demonstrations=0, warm_up=0, batch=4, **changes)


@pytest.fixture
def open_learner(tmp_path):
    opened = []

    def make(name="out", train=None, run="run", **config):
        train = training() if train is None else train
        opened.append(Learner(train, LearnerConfig(**config), tmp_path / name, run, print))
        return opened[-1]

    yield make
    for learner in opened:
        learner.learning.close()


def killed(learner):
    """Leave everything as a kill -9 does, which runs nothing more; the files' locks go with the process."""
    for buffer in (learner.learning.replay.online, learner.learning.replay.demonstrations):
        buffer._storage.close()
        buffer._storage = None


def work(learner, most=200):
    for _ in range(most):
        if not learner.turn():
            return
    raise AssertionError("there is no end of it")


def test_each_transition_is_taken_once_however_often_it_is_sent(open_learner):
    learner = open_learner()
    for first in (1, 1, 4, 1, 4, 7, 7):
        assert learner.receive(letter(first, begins=first == 1), 0.0).refusal == ""
    work(learner)
    assert learner.learning.replay.online.added == 9
    assert rewards(learner.learning.replay.online) == list(range(1, 10))
    assert learner.actors == {"a": 9}


def test_what_comes_too_early_waits_for_what_comes_before_it(open_learner):
    learner = open_learner()
    learner.receive(letter(1, begins=True), 0.0)
    assert learner.receive(letter(7), 0.0).sequence == 3
    assert learner.receive(letter(4), 0.0).sequence == 6
    assert learner.receive(letter(7), 0.0).sequence == 9


def test_what_an_actor_no_longer_has_is_not_waited_for_and_told(open_learner):
    learner = open_learner()
    learner.receive(letter(1, begins=True), 0.0)
    receipt = learner.receive(letter(7, oldest=7), 0.0)
    assert receipt.sequence == 9
    assert receipt.news == "actor a has lost 3 transitions before number 7"


def test_what_was_acknowledged_survives_a_kill_before_and_after_it_was_learnt_from(open_learner):
    learner = open_learner()
    for first in range(1, 31, 3):
        learner.receive(letter(first, begins=first == 1, person=(2, 3) if first == 1 else ()), 0.0)
    work(learner)
    learner.receive(letter(31), 0.0)  # acknowledged, and not looked at yet
    killed(learner)
    again = open_learner()
    assert again.actors == {"a": 33}
    assert again.receive(letter(31), 0.0).sequence == 33
    work(again)
    assert again.learning.replay.online.added == 33
    assert rewards(again.learning.replay.online) == list(range(1, 34))
    assert again.learning.replay.demonstrations.added == 2


@pytest.mark.parametrize(("checkpoint", "known"), [(False, range(1, 7)), (True, range(4, 7))])
def test_an_episode_that_ended_in_success_demonstrates_as_far_as_it_is_known(open_learner, checkpoint, known):
    learner = open_learner(train=training(imitate=True))
    learner.receive(letter(1, begins=True), 0.0)
    work(learner)
    if checkpoint:  # a resume cuts the episode that was running there in two
        learner.save()
    learner.receive(letter(4, terminated=True), 0.0)
    work(learner)
    assert rewards(learner.learning.replay.demonstrations) == list(range(1, 7))
    killed(learner)
    again = open_learner(train=training(imitate=True))
    work(again)
    assert rewards(again.learning.replay.demonstrations) == list(known)
    assert again.learning.replay.demonstrations.added == len(known)


def test_success_does_not_demonstrate_where_that_is_not_asked_for(open_learner):
    learner = open_learner(train=training(imitate=False))
    learner.receive(letter(1, begins=True, terminated=True), 0.0)
    work(learner)
    assert learner.learning.replay.demonstrations.added == 0


def test_a_resumed_learner_goes_on_from_its_checkpoint(open_learner):
    learner = open_learner()
    learner.receive(letter(1, 12, begins=True), 0.0)
    work(learner)
    learner.save()
    before = {name: tensor.clone() for name, tensor in learner.learning.agent.tensors().items()}
    killed(learner)
    again = open_learner()
    assert (again.counters.calls, again.learning.updates) == (12, learner.learning.updates)
    after = again.learning.agent.tensors()
    assert all(torch.equal(tensor, after[name]) for name, tensor in before.items())


def test_letters_are_deleted_when_a_checkpoint_has_them(open_learner, tmp_path):
    learner = open_learner()
    learner.receive(letter(1, begins=True), 0.0)
    assert len(list((tmp_path / "out/inbox").iterdir())) == 1
    work(learner)
    learner.save()
    assert list((tmp_path / "out/inbox").iterdir()) == []
    assert learner.receive(letter(1), 0.0).sequence == 3


def test_a_learner_killed_in_truth_loses_nothing_that_it_acknowledged(tmp_path):
    code = (
        "import sys; sys.path.insert(0, sys.argv[1])\n"
        "import itertools, torch; torch.set_num_threads(1)\n"
        "from pathlib import Path; from arm_data import data; from tiny_training import small\n"
        "from sinew_training.inbox import Letter\n"
        "from sinew_training.learner import Learner\n"
        "from sinew_training.learner_run import LearnerConfig\n"
        "train = small(demonstrations=0, warm_up=0, batch=4, checkpoint_every=0.05, capacity=4000)\n"
        "learner = Learner(train, LearnerConfig(), Path(sys.argv[2]), 'run', print)\n"
        "start = learner.actors.get('a', 0)\n"
        "for first in itertools.count(start + 1, 3):\n"
        "    letter = Letter('a', first, 3, 1, data(first, 3, begins=first == 1))\n"
        "    print(learner.receive(letter, 0.0).sequence, flush=True)\n"
        "    learner.turn()\n"
    )
    here, out = str(Path(__file__).parent), tmp_path / "out"
    acknowledged = 0
    for lines in (7, 23):
        process = subprocess.Popen(
            [sys.executable, "-c", code, here, str(out)], stdout=subprocess.PIPE, text=True
        )
        for _ in range(lines):
            acknowledged = int(process.stdout.readline())
        os.kill(process.pid, signal.SIGKILL)
        process.communicate()
    train = training(checkpoint_every=0.05, capacity=4000)
    learner = Learner(train, LearnerConfig(pace=0.001), out, "run", print)
    work(learner)
    there = learner.actors["a"]
    assert there >= acknowledged >= 80
    assert rewards(learner.learning.replay.online) == list(range(1, there + 1))
    learner.close()


def test_a_fragment_that_goes_on_with_its_episode_is_joined_to_it(open_learner):
    learner = open_learner()
    learner.receive(letter(1, begins=True), 0.0)
    learner.receive(letter(4, terminated=True), 0.0)
    learner.receive(letter(7, begins=True), 0.0)
    work(learner)
    replay = learner.learning.replay.online
    assert replay._storage.rows == 9 + 2  # an observation for each, and two that episodes begin with


def test_fragments_of_two_actors_do_not_mix_their_episodes(open_learner):
    learner = open_learner(actors=2)
    learner.receive(letter(1, begins=True, actor="a"), 0.0)
    learner.receive(letter(101, begins=True, actor="b", oldest=101), 0.0)
    learner.receive(letter(4, actor="a"), 0.0)
    work(learner)
    replay = learner.learning.replay.online
    assert replay._storage.rows == 9 + 3
    assert rewards(replay) == [1, 2, 3, 4, 5, 6, 101, 102, 103]


@pytest.mark.parametrize("damage", [b"", b"nonsense", data(1)[:60], data(1, 2)])
def test_a_letter_that_does_not_fit_is_refused_with_a_sentence_and_changes_nothing(open_learner, damage):
    learner = open_learner()
    receipt = learner.receive(Letter("a", 1, 3, 1, damage), 0.0)
    assert receipt.sequence == 0
    assert receipt.refusal
    assert learner.receive(letter(1, begins=True), 0.0).sequence == 3


def test_an_actor_whose_name_is_a_path_is_refused(tmp_path):
    inbox = Inbox(tmp_path / "inbox", SCHEMA, 0, {})
    with pytest.raises(WireError, match="letters, digits and -"):
        inbox.receive(letter(1, actor="../../etc"))


def test_acknowledged_letters_that_vanish_are_told(tmp_path):
    inbox = Inbox(tmp_path / "inbox", SCHEMA, 0, {})
    for first in (1, 4, 7):
        inbox.receive(letter(first))
    next((tmp_path / "inbox").glob("000000000002_*")).unlink()
    with pytest.raises(ConfigError, match="some that were acknowledged are missing"):
        Inbox(tmp_path / "inbox", SCHEMA, 0, {})


def test_another_run_or_another_training_does_not_get_into_a_directory(open_learner):
    learner = open_learner()
    learner.close()
    with pytest.raises(ConfigError, match="belongs to the run 'run', this is 'other'"):
        open_learner(run="other")
    with pytest.raises(ConfigError, match="seed is 0 there, 5 here"):
        open_learner(train=training(seed=5))
    open_learner()


def test_a_price_for_straying_that_nobody_would_ask_is_refused(tmp_path):
    with pytest.raises(ConfigError, match="occupancy: a learner beside actors"):
        open_learner_run(tmp_path / "out", small(occupancy=OccupancyConfig()))


def test_what_is_not_asked_for_is_as_it_was_when_the_training_began(open_learner, tmp_path):
    asked = {"batch": 4, "demonstrations": 0, "agent": training().agent, "actions": {"periods": 4}}
    train = training_asked_for(tmp_path / "out", asked, "asked")
    assert train.batch == 4
    open_learner(train=dataclasses.replace(train, discount=0.5)).close()  # a default of another version
    again = training_asked_for(tmp_path / "out", asked, "asked")
    assert (again.discount, again.actions) == (0.5, train.actions)
    open_learner(train=again).close()
    other = training_asked_for(tmp_path / "out", {**asked, "actions": {"periods": 2}}, "asked")
    with pytest.raises(ConfigError, match="another training: actions is"):
        open_learner(train=other)


def test_updates_keep_pace_with_what_comes(open_learner):
    learner = open_learner(pace=0.5)
    learner.receive(letter(1, 12, begins=True), 0.0)
    work(learner)
    assert learner.counters.calls == 6


def test_versions_rise_across_a_kill_and_weights_come_every_so_many_updates(open_learner):
    learner = open_learner(publish_every=4)
    assert learner.weights().version == 1  # at once, so that somebody can act
    assert learner.weights() is None
    learner.receive(letter(1, 12, begins=True), 0.0)
    versions = []
    while learner.turn():
        weights = learner.weights()
        versions += [] if weights is None else [(weights.version, learner.counters.calls)]
    assert versions == [(2, 4), (3, 8), (4, 12)]
    killed(learner)  # its checkpoint knows of none of them
    again = open_learner(publish_every=4)
    assert again.weights().version == 5


def test_as_many_actors_as_announced_are_admitted_and_a_silent_one_is_replaced():
    roster = Roster(1, 10.0)
    assert roster.admit("a", 0.0) == "actor a acts"
    assert roster.admit("a", 5.0) == ""
    with pytest.raises(RosterError, match="actor b: one too many. 1 may act and a does"):
        roster.admit("b", 14.0)
    assert roster.admit("b", 16.0) == "actor b replaces a, silent for 11.0 s"
    with pytest.raises(RosterError, match="actor a: one too many"):
        roster.admit("a", 17.0)
    two = Roster(2, 10.0)
    assert [two.admit(name, 0.0) for name in "ab"] == ["actor a acts", "actor b acts"]


def test_one_actor_too_many_is_told_so_and_its_transitions_are_not_taken(open_learner):
    learner = open_learner(silence=10.0)
    learner.receive(letter(1, begins=True), 0.0)
    receipt = learner.receive(letter(1, begins=True, actor="b"), 1.0)
    assert (receipt.sequence, "one too many" in receipt.refusal) == (0, True)
    assert learner.receive(letter(1, begins=True, actor="b"), 20.0).sequence == 3


def published(open_learner, name="out", **changes):
    return open_learner(name, training(**changes)).weights()


def test_weights_are_acted_with_and_recalled_after_a_restart(open_learner, tmp_path):
    weights = published(open_learner)
    held = unpack(weights, HARDWARE, None)
    keep(tmp_path / "actor", weights)
    again = unpack(recall(tmp_path / "actor"), HARDWARE, None)
    assert again.version == held.version == 1
    left, right = held.acting.agent.policy_tensors(), again.acting.agent.policy_tensors()
    assert all(torch.equal(left[name], right[name]) for name in left)


def test_truncated_or_foreign_weights_are_refused_and_the_old_ones_stay(open_learner):
    weights = published(open_learner)
    held = unpack(weights, HARDWARE, None)
    before = held.acting.agent.policy_tensors()
    sheet = json.loads(weights.sheet)
    panda = json.dumps({**sheet, "robot": "panda"})
    elsewhere = json.dumps({**sheet, "agent": {"plugin": "os:system"}})
    frozen = sheet["seeing"]["frozen"]
    foreign = [
        json.dumps(
            {
                **sheet,
                "seeing": {"kind": "features", "frozen": {**frozen, **network, "weights": "x.safetensors"}},
            }
        )
        for network in ({"plugin": "torch.nn:Flatten"}, {"timm": "resnet18"})
    ]
    wider = published(open_learner, "wide", agent={**training().agent, "hidden": [8, 8]})
    for bad, told in (
        (Weights(2, 0, weights.sheet, weights.data[:-5]), "refused"),
        (Weights(2, 0, weights.sheet, b""), "refused"),
        (Weights(2, 0, "{", weights.data), "no JSON"),
        (Weights(2, 0, panda, weights.data), "panda"),
        (Weights(2, 0, elsewhere, weights.data), "takes agents of sinew_policies.agents only"),
        *((Weights(2, 0, text, weights.data), "takes Sinew's own only") for text in foreign),
        (Weights(2, 0, weights.sheet, wider.data), "refused"),
    ):
        with pytest.raises(WeightsError, match=told):
            unpack(bad, HARDWARE, held)
    after = held.acting.agent.policy_tensors()
    assert all(torch.equal(before[name], after[name]) for name in before)


def test_new_numbers_go_into_the_same_agent(open_learner):
    learner = open_learner(publish_every=1)
    held = unpack(learner.weights(), HARDWARE, None)
    learner.receive(letter(1, 12, begins=True), 0.0)
    learner.turn()
    newer = unpack(learner.weights(), HARDWARE, held)
    assert newer.acting is held.acting
    assert newer.version == 2


def test_nan_never_gets_on_its_way():
    bad = fragment(1)
    bad.reward[1] = float("nan")
    with pytest.raises(WireError, match="reward"):
        encode(bad, SCHEMA)
