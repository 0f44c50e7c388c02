"""Demonstrations from recorded episodes: the same transitions as live, and what is refused."""

import numpy as np
import pytest
from sinew_core.errors import ConfigError
from sinew_core.hardware import load_hardware
from sinew_core.models import make_reward
from sinew_core.runtime import run_episode
from sinew_eval.process_graph import make_brain
from sinew_eval.process_recording import ProcessRecorder
from sinew_eval.records import RunConfig
from sinew_policies.learned.encoding import KeypointEncoding
from sinew_policies.learned.tip_actions import TipActions
from sinew_training.config import TrainConfig
from sinew_training.demonstrations import from_dataset
from sinew_training.transitions import Gathered, Transitions

CONFIG = TrainConfig(task="reach", reward="goal_distance", shaping=0.0)


@pytest.fixture(scope="module")
def recorded(tmp_path_factory):
    """One episode, recorded, with the transitions that it gave live."""
    folder = tmp_path_factory.mktemp("dataset")
    config = RunConfig("sim_mujoco", "reach", "affordance_follower", "goal_distance", record=str(folder))
    hardware = load_hardware(config.hardware).with_pace("lockstep")
    station, brain = hardware.open_station(config.task), make_brain(config, hardware)
    live = Gathered()
    collector = Transitions(live, KeypointEncoding(hardware.robot), TipActions(CONFIG.actions, hardware))
    collector.begin()

    def run(record):
        def take(step):
            record(step)
            collector.take(step)

        def end(observation, reward, done):
            collector.end(observation, reward, terminated=done)

        return run_episode(station, hardware, brain, seed=5, on_step=take, on_end=end)

    result = ProcessRecorder(config, hardware).record(5, run)
    station.close()
    assert result.success
    return folder, hardware, live


class Episodes(list):
    """Keeps every episode that is handed over."""

    def begin(self, observation):
        self.append(Gathered())
        self[-1].begin(observation)

    def add(self, *args, **kwargs):
        self[-1].add(*args, **kwargs)


def take(folder, hardware, sink):
    reward = make_reward("goal_distance", hardware, "reach")
    return from_dataset(
        folder, hardware, KeypointEncoding(hardware.robot), reward, [sink], CONFIG, lambda _: None
    )


def test_a_recorded_episode_gives_the_transitions_that_it_gave_live(recorded):
    folder, hardware, live = recorded
    cuts = Episodes()
    assert take(folder, hardware, cuts) == sum(len(cut.steps) for cut in cuts)
    cut = cuts[0]
    assert len(cut.steps) == len(live.steps) >= 3
    np.testing.assert_array_equal(cut.first["state"], live.first["state"])
    for again, once in zip(cut.steps[:-1], live.steps[:-1], strict=True):
        np.testing.assert_array_equal(again[0], once[0])
        assert again[1] == pytest.approx(once[1])
        np.testing.assert_array_equal(again[2]["state"], once[2]["state"])
        assert again[3:] == once[3:]
    assert cut.steps[-1][3]  # the last one ends in success


def test_an_episode_is_cut_into_decisions_from_each_control_period_on(recorded):
    folder, hardware, live = recorded
    cuts = Episodes()
    take(folder, hardware, cuts)
    periods = CONFIG.actions.periods
    assert len(cuts) == periods
    assert [len(cut.steps) for cut in cuts[1:]] == pytest.approx([len(live.steps)] * (periods - 1), abs=1)
    firsts = np.array([cut.first["state"] for cut in cuts])
    assert len(np.unique(firsts, axis=0)) == periods  # each begins later
    assert all(cut.steps[-1][3] for cut in cuts)


def test_episodes_of_another_robot_are_refused_by_name(recorded):
    folder, *_ = recorded
    with pytest.raises(ConfigError, match="recorded on so101"):
        take(folder, load_hardware("sim_mujoco_fr3"), Gathered())


def test_episodes_of_another_control_period_are_refused(recorded):
    folder, hardware, _ = recorded
    with pytest.raises(ConfigError, match=r"control period of 0\.05 s"):
        take(folder, hardware.with_control_period(0.1), Gathered())


def test_a_dataset_without_a_success_is_nothing_to_learn_from(tmp_path):
    (tmp_path / "episodes").mkdir()
    with pytest.raises(ConfigError, match="nothing to learn from"):
        take(tmp_path, load_hardware("sim_mujoco"), Gathered())
