import json
from dataclasses import replace

import pytest
import torch
from sinew_core.errors import ConfigError
from sinew_training.run_directory import RunDirectory
from sinew_training.scripted_human import ScriptedHumanConfig
from sinew_training.trainer import VALIDATION_SEED
from tiny_training import SMALL, Interrupting, small


def everything(trainer):
    return {name: tensor.clone() for name, tensor in trainer.learning.agent.tensors().items()}


def assert_same(left, right):
    assert left.keys() == right.keys()
    for name, tensor in left.items():
        assert torch.equal(tensor, right[name]), name


def lines(path):
    timed = ("wall_s", "updates_per_s")
    records = [json.loads(line) for line in path.read_text().splitlines()]
    return [{key: value for key, value in record.items() if key not in timed} for record in records]


def interrupted(open_trainer, name, config, after):
    """Train until Ctrl-C after so many episodes; return the closed trainer."""
    trainer = open_trainer(name, config, listener=Interrupting(after))
    with pytest.raises(KeyboardInterrupt):
        trainer.train()
    return trainer


def test_a_resumed_training_comes_to_the_same_numbers_as_an_uninterrupted_one(open_trainer, tmp_path):
    config = small()
    straight = open_trainer("straight", config)
    straight.train()
    broken = interrupted(open_trainer, "broken", config, 2)
    broken.save()
    broken.close()
    resumed = open_trainer("broken", config, resume=True)
    resumed.train()
    assert straight.counters.steps == resumed.counters.steps >= 24
    assert_same(everything(straight), everything(resumed))
    assert straight.counters.watch == resumed.counters.watch
    assert len(resumed.counters.watch["base"]) == resumed.counters.episodes
    assert lines(tmp_path / "straight/progress.jsonl") == lines(tmp_path / "broken/progress.jsonl")


def test_what_came_after_the_last_checkpoint_of_a_killed_training_is_done_again_alike(open_trainer, tmp_path):
    config = small()
    straight = open_trainer("straight", config)
    straight.train()
    killed = interrupted(open_trainer, "killed", config, 2)  # its only checkpoint is from before its episodes
    killed.close()
    resumed = open_trainer("killed", config, resume=True)
    assert resumed.counters.steps == 0
    resumed.train()
    assert_same(everything(straight), everything(resumed))
    assert lines(tmp_path / "straight/progress.jsonl") == lines(tmp_path / "killed/progress.jsonl")


def test_takeovers_are_resumed_within_their_budget(open_trainer):
    config = small(interventions=20, human=ScriptedHumanConfig(patience=0.2))
    straight = open_trainer("straight", config)
    straight.train()
    broken = interrupted(open_trainer, "broken", config, 2)
    broken.save()
    broken.close()
    resumed = open_trainer("broken", config, resume=True)
    resumed.train()
    assert straight.counters.budget == resumed.counters.budget < 20
    assert_same(everything(straight), everything(resumed))


def test_takeovers_demonstrate_as_densely_as_demonstrations(open_trainer):
    config = small(interventions=20, human=ScriptedHumanConfig(patience=0.2), demonstrations=0, imitate=False)
    trainer = open_trainer("run", config)
    trainer._turn()
    replay = trainer.learning.replay
    assert trainer._person is not None
    spent = 20 - trainer._person.left
    assert spent > 4
    assert len(replay.demonstrations) > 2 * spent / config.actions.periods


def test_the_same_seed_gives_the_same_training_and_another_seed_another(open_trainer):
    first, second = open_trainer("first", small()), open_trainer("second", small())
    other = open_trainer("other", small(seed=1))
    for trainer in (first, second, other):
        trainer.train()
    assert_same(everything(first), everything(second))
    mine, others = everything(first), everything(other)
    assert any(not torch.equal(mine[name], others[name]) for name in mine)


def test_a_checkpoint_of_another_shape_is_refused_and_nothing_is_lost(open_trainer, tmp_path):
    trainer = open_trainer("run", small())
    trainer.train()
    trainer.close()
    before = (tmp_path / "run/checkpoint.safetensors").read_bytes()
    with pytest.raises(ConfigError, match=r"shape|expected"):
        open_trainer("run", small(agent={**SMALL, "hidden": [8, 8]}), resume=True)
    assert (tmp_path / "run/checkpoint.safetensors").read_bytes() == before


def test_a_truncated_checkpoint_is_named(open_trainer, tmp_path):
    trainer = open_trainer("run", small())
    trainer.close()
    file = RunDirectory(tmp_path / "run").checkpoint
    file.write_bytes(file.read_bytes()[:100])
    with pytest.raises(ConfigError, match=r"checkpoint\.safetensors: cannot be read"):
        open_trainer("run", small(), resume=True)


def test_a_reward_that_is_not_a_number_ends_the_training_and_enters_no_replay(open_trainer):
    config = small(reward="bad_rewards:NotANumber", demonstrations=0)
    trainer = open_trainer("run", config)
    with pytest.raises(ConfigError, match="NotANumber answered the value nan"):
        trainer.train()
    assert trainer.counters.steps == 0


def test_a_reward_model_that_fails_ends_the_training_with_its_name(open_trainer):
    trainer = open_trainer("run", small(reward="bad_rewards:Failing", demonstrations=0))
    with pytest.raises(ConfigError, match="Failing: RuntimeError: the lens is dirty"):
        trainer.train()


@pytest.mark.parametrize(("imitate", "success"), [(True, True), (True, False), (False, True)])
def test_an_episode_that_ends_in_success_demonstrates_where_that_is_asked_for(
    open_trainer, monkeypatch, imitate, success
):
    trainer = open_trainer("run", small(imitate=imitate, steps=6))
    run, replay = trainer._rollouts.run, trainer.learning.replay
    outcome = "success" if success else "timeout"

    def ended_so(seed, policy, sink, human=None):
        rollout = run(seed, policy, sink, human)
        if seed < VALIDATION_SEED:
            rollout = replace(rollout, result=replace(rollout.result, outcome=outcome))
        return rollout

    monkeypatch.setattr(trainer._rollouts, "run", ended_so)
    demonstrated = len(replay.demonstrations)
    trainer.train()
    added = len(replay.demonstrations) - demonstrated
    assert added == (len(replay.online) if imitate and success else 0)
    assert len(replay.online) >= 6


def test_what_cloning_alone_can_do_is_measured_first_and_once(open_trainer, tmp_path):
    config = small(agent={**SMALL, "cloning_weight": 1.0}, pretrain=3)
    straight = open_trainer("straight", config)
    straight.train()
    assert lines(tmp_path / "straight/progress.jsonl")[0]["steps"] == 0
    assert RunDirectory(tmp_path / "straight").policy.is_file()
    killed = interrupted(open_trainer, "killed", config, 1)  # after its evaluation, before a checkpoint of it
    killed.close()
    resumed = open_trainer("killed", config, resume=True)
    resumed.train()
    assert lines(tmp_path / "straight/progress.jsonl") == lines(tmp_path / "killed/progress.jsonl")


def test_an_evaluation_that_no_checkpoint_knows_of_is_made_again_not_told_twice(open_trainer, tmp_path):
    config = small()
    straight = open_trainer("straight", config)
    straight.train()
    ended = open_trainer("ended", config)
    while ended.counters.steps < config.evaluate_every:
        ended._turn()
    ended.save()
    ended.assess()
    ended.close()
    open_trainer("ended", config, resume=True).train()
    assert lines(tmp_path / "straight/progress.jsonl") == lines(tmp_path / "ended/progress.jsonl")


def test_it_ends_where_it_is_good_enough_and_a_resume_learns_no_more(open_trainer, monkeypatch):
    trainer = open_trainer("run", small(until=0.5, steps=48))
    run = trainer._rollouts.run

    def done_after_a_while(seed, policy, sink, human=None):
        rollout = run(seed, policy, sink, human)
        late = seed >= VALIDATION_SEED and trainer.counters.steps >= 24
        return replace(rollout, result=replace(rollout.result, outcome="success")) if late else rollout

    monkeypatch.setattr(trainer._rollouts, "run", done_after_a_while)
    trainer.train()
    assert 24 <= trainer.counters.steps < 48
    steps = trainer.counters.steps
    trainer.close()
    resumed = open_trainer("run", small(until=0.5, steps=48), resume=True)
    resumed.train()
    assert resumed.counters.steps == steps
