import pytest
from sinew_core.errors import ConfigError
from sinew_rewards.success import JudgedBy
from sinew_training.rollouts import Rollouts
from sinew_training.train import main
from sinew_training.transitions import Gathered
from tiny_training import small


@pytest.fixture
def roll():
    """Return a function that runs an episode of the scripted policy under a judge, with its transitions."""
    opened = []

    def run(judge: JudgedBy | None, max_steps: int = 24):
        rollouts = Rollouts(small(judge=judge, max_steps=max_steps))
        opened.append(rollouts)
        gathered = Gathered()
        return rollouts.run(5, rollouts.expert(), gathered), gathered.steps

    yield run
    for rollouts in opened:
        rollouts.close()


def patient(looks: int, **settings) -> JudgedBy:
    return JudgedBy({"plugin": "judges:Patient", "looks": looks}, **settings)


def test_an_episode_ends_when_the_judge_says_so_whatever_the_simulator_says(roll):
    rollout, steps = roll(patient(9))
    assert rollout.result.outcome == "success"
    assert rollout.result.steps == 9
    reward, terminated = steps[-1][1], steps[-1][3]
    assert terminated
    assert reward == 1.0


def test_what_the_judge_does_not_see_is_no_success(roll):
    assert roll(None, max_steps=300)[0].result.outcome == "success"
    rollout, steps = roll(patient(10_000), max_steps=300)
    assert rollout.result.outcome == "timeout"
    assert not any(terminated for _, _, _, terminated, _, _ in steps)


def test_a_verdict_counts_after_as_many_looks_as_asked_for(roll):
    assert roll(patient(9, success_frames=3))[0].result.steps == 11


def test_a_judge_that_fails_ends_nothing(roll):
    assert roll(JudgedBy({"plugin": "judges:Blind"}))[0].result.outcome == "timeout"


def test_a_judge_that_is_misspelt_is_answered_with_the_nearest_one(tmp_path):
    with pytest.raises(ConfigError, match="placed"):
        main(["--out", str(tmp_path / "run"), "--judge", "plased"])
