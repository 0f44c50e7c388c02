"""Recorded episodes: their features, and rewards written beside them."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np
import pytest
from sinew_core import cli
from sinew_core.errors import ConfigError
from sinew_core.hardware import load_hardware
from sinew_core.models import make_reward
from sinew_core.runtime import run_episode
from sinew_data.dataset import Dataset
from sinew_data.reader import open_episode
from sinew_data.rewards_beside_files import beside_path, list_beside, load_beside
from sinew_eval.process_graph import make_brain
from sinew_eval.process_recording import ProcessRecorder
from sinew_eval.records import RunConfig
from sinew_rewards.learned.features import FeatureConfig
from sinew_rewards.report import relabelling
from sinew_rewards.report.episodes import Wanted, open_episodes
from sinew_rewards.report.mistakes import Moment
from sinew_rewards.report.moment_pictures import MomentPictures

from tests.rewards.tiny_learned import write_card, write_reward


@pytest.fixture(scope="module")
def recorded(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two short episodes, a success and one that was cut short."""
    folder = tmp_path_factory.mktemp("recorded")
    config = RunConfig("sim_mujoco", "reach", "affordance_follower", "goal_distance", record=str(folder))
    hardware = load_hardware(config.hardware).with_pace("lockstep")
    station, brain = hardware.open_station(config.task), make_brain(config, hardware)
    recorder = ProcessRecorder(config, hardware)  # one, so that names are in the order of recording
    for seed, steps in ((5, 0), (6, 3)):
        recorder.record(
            seed,
            lambda record, seed=seed, steps=steps: run_episode(
                station, hardware, brain, seed=seed, max_steps=steps, on_step=record
            ),
        )
    station.close()
    return folder


@pytest.fixture
def dataset(recorded: Path, tmp_path: Path) -> Path:
    """A copy, to write beside."""
    return Path(shutil.copytree(recorded, tmp_path / "data"))


def sinew(*arguments: object) -> int:
    return cli.main(["reward", *map(str, arguments)])


def relabel(dataset: Path, model: object = "goal_distance", *more: object) -> int:
    return sinew("relabel", model, "--episodes", dataset, "--name", "mine", *more)


def stamps_of(path: Path) -> list[int]:
    with open_episode(path) as episode:
        return [step.observation.stamp for step in episode.steps(frames=False)]


def test_an_episode_has_a_row_of_features_for_each_control_period(recorded: Path, tmp_path: Path) -> None:
    found = open_episodes(recorded, Wanted(), tmp_path)
    first, second = found.episodes.trajectories
    paths = Dataset(recorded).paths()
    assert len(first.stamps) + len(second.stamps) + found.unknown_rows == sum(
        len(stamps_of(path)) for path in paths
    )
    assert set(first.stamps.tolist()) <= set(stamps_of(paths[0]))
    assert (first.success, second.success) == (True, False)
    assert found.problems == ()
    assert (found.robot, found.task, found.recorded) == ("so101", "reach", True)


def test_features_are_kept_and_read_again_without_the_recording(recorded: Path, tmp_path: Path) -> None:
    first = open_episodes(recorded, Wanted(), tmp_path).episodes.trajectories[0]
    kept = {path: path.stat().st_mtime_ns for path in tmp_path.iterdir()}
    assert len(kept) == 2
    again = open_episodes(recorded, Wanted(), tmp_path).episodes.trajectories[0]
    np.testing.assert_array_equal(first.features, again.features)
    assert {path: path.stat().st_mtime_ns for path in tmp_path.iterdir()} == kept


def test_other_features_are_not_taken_from_the_cache(recorded: Path, tmp_path: Path) -> None:
    whole = open_episodes(recorded, Wanted(), tmp_path)
    fewer = open_episodes(recorded, Wanted(FeatureConfig(without=("speed",))), tmp_path)
    assert len(fewer.names) == len(whole.names) - 1
    assert fewer.episodes.trajectories[0].features.shape[1] == len(fewer.names)


def test_pictures_come_where_they_are_wanted(recorded: Path, tmp_path: Path) -> None:
    camera = next(iter(load_hardware("sim_mujoco").cameras))
    item = open_episodes(recorded, Wanted(camera=camera, size=32), tmp_path).episodes.trajectories[1]
    assert item.pictures is not None
    assert item.pictures.shape == (len(item.stamps), 32, 32, 3)


def test_a_camera_that_is_not_there_is_told_with_those_that_are(recorded: Path, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="in no control period are all features known.*Its cameras"):
        open_episodes(recorded, Wanted(camera="nowhere"), tmp_path)


def test_a_damaged_episode_is_told_and_hides_no_other(dataset: Path, tmp_path: Path) -> None:
    path = Dataset(dataset).paths()[0]
    path.write_bytes(path.read_bytes()[:-200])
    found = open_episodes(dataset, Wanted(), tmp_path / "cache")
    assert len(found.episodes.trajectories) == 1
    assert path.name in found.problems[0]


def test_episodes_of_another_robot_are_no_episodes(recorded: Path, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="none of its 2 episodes can be used.*recorded on so101"):
        open_episodes(recorded, Wanted(hardware="sim_mujoco_fr3"), tmp_path)


def test_a_task_that_is_not_there_is_named(recorded: Path, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="no episode of the task 'rech'. Did you mean 'reach'"):
        open_episodes(recorded, Wanted(task="rech"), tmp_path)


def test_a_moment_is_shown_from_the_recording(recorded: Path, tmp_path: Path) -> None:
    found = open_episodes(recorded, Wanted(), tmp_path)
    item = found.episodes.trajectories[1]
    picture = MomentPictures(found)(Moment(item.name, 2, int(item.stamps[2])))
    assert picture is not None
    assert picture.std() > 5
    assert MomentPictures(found)(Moment(item.name, 0, 17)) is None


def test_labels_are_what_the_model_says_of_each_control_period(dataset: Path) -> None:
    assert relabel(dataset) == 0
    hardware = load_hardware("sim_mujoco")
    model = make_reward("goal_distance", hardware, "reach")
    for path in Dataset(dataset).paths():
        estimates, provenance = load_beside(path, "mine")
        assert estimates.stamps.tolist() == stamps_of(path)
        with open_episode(path) as episode:
            for i, step in enumerate(episode.steps()):
                if i == 0:
                    model.reset(step.observation.task)
                assert estimates.at(step.observation.stamp) == model.estimate(step.observation)
        assert provenance["model"] == "goal_distance"
        assert (provenance["missing"], provenance["unknown"], provenance["forced"]) == (0, 0, False)
        assert str(dataset) not in json.dumps(provenance)


def test_an_interruption_leaves_whole_files_and_the_same_command_goes_on(
    dataset: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    save, done = relabelling.save_beside, []

    def interrupted(*arguments: object) -> Path:
        if done:
            raise KeyboardInterrupt
        done.append(save(*arguments))  # type: ignore[arg-type]
        return done[0]

    monkeypatch.setattr(relabelling, "save_beside", interrupted)
    assert relabel(dataset) == 130
    monkeypatch.undo()
    found = list(list_beside(Dataset(dataset)))
    assert [one.problem for one in found] == [""]
    before = found[0].path.stat().st_mtime_ns
    assert relabel(dataset) == 0
    assert "1 episodes relabelled, 1 there already" in capsys.readouterr().out
    assert found[0].path.stat().st_mtime_ns == before


def test_labels_of_another_maker_are_not_written_over_unasked(
    dataset: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    relabel(dataset)
    before = [one.path.read_bytes() for one in list_beside(Dataset(dataset))]
    assert relabel(dataset, "affordance_way") == 2
    assert "--replace" in capsys.readouterr().err
    assert [one.path.read_bytes() for one in list_beside(Dataset(dataset))] == before
    assert relabel(dataset, "affordance_way", "--replace") == 0
    assert {one.provenance["model"] for one in list_beside(Dataset(dataset))} == {"affordance_way"}


def test_a_damaged_episode_is_told_and_the_others_are_relabelled(
    dataset: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = Dataset(dataset).paths()[0]
    path.write_bytes(path.read_bytes()[:-200])
    assert relabel(dataset) == 1
    said = capsys.readouterr()
    assert path.name in said.err
    assert "1 episodes relabelled, 1 with a problem" in said.out


def test_late_estimates_of_a_file_find_their_step_by_stamp(
    dataset: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    first, second = Dataset(dataset).paths()
    stamps = stamps_of(first)
    late = tmp_path / "late.jsonl"
    lines = [
        {"episode": first.stem, "stamp": stamps[3], "value": 3.0, "terms": {"vote": 1.0}},
        {"episode": first.stem, "stamp": stamps[1], "value": 1.0},
        {"episode": first.stem, "stamp": stamps[1] + 1, "value": 9.0},
    ]
    late.write_text("\n".join(map(json.dumps, lines)))
    assert relabel(dataset, late) == 1  # nothing is said of the second episode
    estimates, provenance = load_beside(first, "mine")
    assert estimates.value[[1, 3]].tolist() == [1.0, 3.0]
    assert np.isnan(estimates.value[[0, 2]]).all()
    assert (provenance["unknown"], provenance["missing"]) == (1, len(stamps) - 2)
    assert f"{second.stem}: no estimate is about it" in capsys.readouterr().err
    assert not beside_path(second, "mine").exists()


@pytest.mark.parametrize("line", ['{"stamp": 1, "value": 2.0}', "[1]", '{"episode": "a", "stmp": 1}', "{"])
def test_a_line_that_is_no_estimate_is_named(
    dataset: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], line: str
) -> None:
    late = tmp_path / "late.jsonl"
    late.write_text("\n" + line)
    assert relabel(dataset, late) == 2
    assert "late.jsonl, line 2" in capsys.readouterr().err
    assert list(list_beside(Dataset(dataset))) == []


def test_what_was_recorded_can_be_laid_beside(dataset: Path) -> None:
    assert relabel(dataset, "recorded") == 0
    for path in Dataset(dataset).paths():
        estimates, _ = load_beside(path, "mine")
        with open_episode(path) as episode:
            said = [step.reward for step in episode.steps(frames=False)]
        assert [estimates.at(int(stamp)) for stamp in estimates.stamps] == said


def test_a_learned_reward_without_a_card_labels_nothing_unless_forced(
    dataset: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    weights = tmp_path / "tiny.safetensors"
    facts = write_reward(weights)
    assert relabel(dataset, weights) == 2
    assert "no report card" in capsys.readouterr().err
    assert list(list_beside(Dataset(dataset))) == []
    assert relabel(dataset, weights, "--force") == 0
    found = list(list_beside(Dataset(dataset)))
    assert [one.provenance["forced"] for one in found] == [True, True]
    assert found[0].provenance["files"] == {weights.name: facts.weights_sha256}
    write_card(weights, facts.weights_sha256)
    assert relabel(dataset, weights, "--replace") == 0
    assert [one.provenance["forced"] for one in list_beside(Dataset(dataset))] == [False, False]


def test_a_model_that_fails_is_told_episode_by_episode(
    dataset: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert relabel(dataset, "tests.training.bad_rewards:Failing") == 1
    said = capsys.readouterr()
    assert "the lens is dirty" in said.err
    assert "1 episodes relabelled, 1 with a problem" in said.out  # the short one ends before it fails
    assert len(list(list_beside(Dataset(dataset)))) == 1


def test_labels_are_listed_and_dropped(dataset: Path, capsys: pytest.CaptureFixture[str]) -> None:
    relabel(dataset)
    capsys.readouterr()
    assert sinew("labels", dataset) == 0
    assert "goal_distance" in capsys.readouterr().out
    assert sinew("labels", dataset, "--drop", "mine") == 0
    assert list(list_beside(Dataset(dataset))) == []
    assert sinew("labels", dataset, "--drop", "mine") == 2


def test_a_wrong_name_is_refused_before_anything_is_done(
    dataset: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert sinew("relabel", "goal_distance", "--episodes", dataset, "--name", "../mine") == 2
    assert "expected a name of letters" in capsys.readouterr().err


def test_a_reward_that_was_not_learned_has_a_page(dataset: Path, tmp_path: Path) -> None:
    page = tmp_path / "way.card.html"
    arguments = ["--episodes", dataset, "--cache", tmp_path / "cache", "--reference", "goal_distance"]
    assert sinew("report", "affordance_way", *arguments, "--out", page) == 1  # two episodes are too few
    assert "It was not learned" in page.read_text()
    figures = json.loads(page.with_suffix(".json").read_text())["figures"]
    assert figures["rank_correlation"] > 0.5
    assert 0 <= figures["starc_distance"] < 1
