"""Demonstrations with the rewards that lie beside the recorded episodes: the same actions, other rewards."""

import numpy as np
import pytest
from sinew_core.config import from_mapping
from sinew_core.errors import ConfigError
from sinew_core.hardware import load_hardware
from sinew_core.models import make_reward
from sinew_core.runtime import run_episode
from sinew_core.types import RewardEstimate
from sinew_data.dataset import Dataset
from sinew_data.reader import open_episode
from sinew_data.rewards_beside import join
from sinew_data.rewards_beside_files import save_beside
from sinew_eval.process_graph import make_brain
from sinew_eval.process_recording import ProcessRecorder
from sinew_eval.records import RunConfig
from sinew_policies.learned.encoding import KeypointEncoding
from sinew_training.config import TrainConfig
from sinew_training.demonstrations import from_dataset
from sinew_training.transitions import Gathered


@pytest.fixture(scope="module")
def recorded(tmp_path_factory):
    """A dataset of one successful episode, and its hardware."""
    folder = tmp_path_factory.mktemp("dataset")
    config = RunConfig("sim_mujoco", "reach", "affordance_follower", "goal_distance", record=str(folder))
    hardware = load_hardware(config.hardware).with_pace("lockstep")
    station, brain = hardware.open_station(config.task), make_brain(config, hardware)

    def run(record):
        return run_episode(station, hardware, brain, seed=5, on_step=record)

    assert ProcessRecorder(config, hardware).record(5, run).success
    station.close()
    return folder, hardware


def stamps_of(path):
    with open_episode(path) as episode:
        return [step.observation.stamp for step in episode.steps(frames=False)]


def label(folder, name, *, without=(), shift=0):
    path = Dataset(folder).paths()[0]
    stamps = stamps_of(path)
    said = [
        RewardEstimate(stamp + shift, 10.0 + row, progress=0.5)
        for row, stamp in enumerate(stamps)
        if row not in without
    ]
    estimates = join([stamp + shift for stamp in stamps], said).estimates
    save_beside(path, name, estimates, {"model": "made up"})


def take(folder, hardware, **changes):
    config = TrainConfig(task="reach", reward="goal_distance", shaping=0.0, dataset=str(folder), **changes)
    reward = make_reward("goal_distance", hardware, "reach")
    sink = Gathered()
    from_dataset(folder, hardware, KeypointEncoding(hardware.robot), reward, [sink], config, lambda _: None)
    return sink


def test_labels_replace_the_rewards_and_nothing_else(recorded):
    folder, hardware = recorded
    label(folder, "mine")
    anew, labelled = take(folder, hardware), take(folder, hardware, labels="mine")
    assert all(10.0 <= step[1] < 500.0 for step in labelled.steps)
    assert not any(step[1] >= 10.0 for step in anew.steps)
    for mine, other in zip(labelled.steps, anew.steps, strict=True):
        np.testing.assert_array_equal(mine[0], other[0])
        assert mine[3:] == other[3:]


def test_a_learner_chooses_which_labels_to_use(recorded):
    folder, hardware = recorded
    path = Dataset(folder).paths()[0]
    stamps = stamps_of(path)
    for name, value in (("low", -1.0), ("high", 1.0)):
        said = [RewardEstimate(stamp, value) for stamp in stamps]
        save_beside(path, name, join(stamps, said).estimates, {})
    assert {step[1] for step in take(folder, hardware, labels="low").steps} == {-1.0}
    assert {step[1] for step in take(folder, hardware, labels="high").steps} == {1.0}


def test_labels_that_are_not_there_are_named_with_those_that_are(recorded):
    folder, hardware = recorded
    label(folder, "mine")
    with pytest.raises(ConfigError, match="no reward 'mime'.*Did you mean 'mine'"):
        take(folder, hardware, labels="mime")


def test_a_control_period_without_a_label_is_an_error_and_not_zero(recorded):
    folder, hardware = recorded
    label(folder, "holes", without={7})
    with pytest.raises(ConfigError, match="no estimate for the control period"):
        take(folder, hardware, labels="holes")


def test_labels_of_other_stamps_are_never_taken_for_neighbours(recorded):
    folder, hardware = recorded
    label(folder, "shifted", shift=1)
    with pytest.raises(ConfigError, match="of another recording"):
        take(folder, hardware, labels="shifted")


def test_labels_want_a_dataset():
    with pytest.raises(ConfigError, match="name one"):
        from_mapping(TrainConfig, {"labels": "mine"}, "config.yaml")
