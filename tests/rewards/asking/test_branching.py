"""Episodes that branch from one moment begin bit for bit alike and may be asked about."""

from __future__ import annotations

from pathlib import Path

import doubtful
import numpy as np
import pytest
from sinew_core.errors import ConfigError
from sinew_core.hardware import load_hardware
from sinew_core.types import NANOSECONDS, JointCommand
from sinew_data.dataset import Dataset
from sinew_data.reader import open_episode
from sinew_rewards.asking.branching import BranchConfig, record_trees
from sinew_rewards.asking.preparing import Request, prepare
from sinew_rewards.learned.features import FeatureConfig, make_features
from sinew_rewards.learned.saved import LearnedFacts, Spread, save_learned
from sinew_sim.branching import BranchedStation, restore, save
from sinew_sim.mujoco_station import MujocoStation

PERIOD = NANOSECONDS // 20
CONFIG = BranchConfig(earliest=3, latest=3, branches=2, steps=12, spread=(0.0, 0.3))


@pytest.fixture(scope="module")
def station() -> MujocoStation:
    found = load_hardware("sim_mujoco").open_station("push")
    assert isinstance(found, MujocoStation)
    return found


def drive(station: MujocoStation, periods: int) -> np.ndarray:
    """Swing the arm through the scene; return everything that moves, (periods, ...)."""
    world, rows = station.world, []
    start = world.position
    for i in range(periods):
        station.arm.write(JointCommand(world.stamp, start + 0.5 * np.sin((i + 1) / 5)))
        world.step(PERIOD)
        data = world.data
        rows.append(np.concatenate([data.qpos, data.qvel, data.qacc, data.xpos.ravel(), data.actuator_force]))
    return np.array(rows)


def test_a_restored_moment_goes_on_bit_for_bit_alike(station: MujocoStation) -> None:
    world = station.world
    task = world.reset(3)
    drive(station, 8)
    moment, seen = save(world, task), world.state()
    first = drive(station, 15)
    restore(world, moment)
    now = world.state()
    assert np.array_equal(now.tip, seen.tip)
    for name, item in seen.objects.items():
        assert np.array_equal(item.position, now.objects[name].position)
    assert np.array_equal(drive(station, 15), first)


def test_a_moment_outlives_other_scenes_and_is_not_used_up(station: MujocoStation) -> None:
    world = station.world
    task = world.reset(3)
    drive(station, 4)
    moment = save(world, task)
    first = drive(station, 6)
    for seed in (4, 5):
        world.reset(seed)
        restore(world, moment)
        assert np.array_equal(drive(station, 6), first)


def test_the_clock_goes_on_over_a_restored_moment(station: MujocoStation) -> None:
    world = station.world
    moment = save(world, world.reset(3))
    drive(station, 2)
    before = world.stamp
    restore(world, moment)
    assert world.stamp >= before


def test_every_episode_of_a_branched_station_begins_at_the_moment(station: MujocoStation) -> None:
    task = station.world.reset(3)
    drive(station, 5)
    branched = BranchedStation(station, save(station.world, task))
    began = station.arm.read().position
    for seed in (0, 9):
        assert branched.world.reset(seed, "whatever") == task
        assert np.array_equal(branched.arm.read().position, began)
        drive(station, 3)


@pytest.fixture(scope="module")
def trees(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("trees")
    [tree] = record_trees(CONFIG, folder, range(1, 2))
    assert len(tree.siblings) == 2
    return folder


def test_recorded_siblings_have_one_tree_and_one_first_picture(trees: Path) -> None:
    firsts, lasts = [], []
    for summary in Dataset(trees).episodes():
        assert summary.start.extra["tree"] == "push-000001"
        with open_episode(summary.path) as episode:
            steps = list(episode.steps())
        firsts.append(steps[0].observation)
        lasts.append(steps[-1].observation)
    one, other = firsts
    assert np.array_equal(one.joints.position, other.joints.position)
    for camera, frame in one.frames.items():
        assert np.array_equal(frame.rgb, other.frames[camera].rgb)
    assert not np.array_equal(lasts[0].joints.position, lasts[1].joints.position)


def test_siblings_are_asked_about_over_the_same_control_periods(trees: Path) -> None:
    questions = prepare(Request(trees, siblings=True, seconds=0.3), [])
    assert len(questions.pairs) > 0
    for a, b in questions.pairs:
        one, other = questions.clips[a], questions.clips[b]
        assert one.begin == other.begin and one.episode != other.episode
    asked = questions.question(0)
    assert np.array_equal(asked.first.frames[0].pixels, asked.second.frames[0].pixels) == (
        questions.clips[questions.pairs[0][0]].begin == 0
    )


def saved_reward(folder: Path, robot: str = "") -> Path:
    hardware = load_hardware("sim_mujoco")
    features = make_features(FeatureConfig(), hardware)
    facts = LearnedFacts(
        features=FeatureConfig(),
        feature_names=features.names,
        feature_tag=features.tag,
        spreads=(Spread(0, 1, 0, 1),) * len(features.names),
        robot=robot or hardware.robot.name,
        task="push",
    )
    save_learned(folder / "w.safetensors", doubtful.DoubtfulScorer(), facts)
    return folder / "w.safetensors"


@pytest.mark.parametrize("rule", ["disagreement", "information"])
def test_a_reward_in_doubt_asks_first_where_its_members_differ_most(
    trees: Path, tmp_path: Path, rule: str
) -> None:
    weights = saved_reward(tmp_path)
    request = Request(trees, weights, rule, seconds=0.3, count=100)  # type: ignore[arg-type]
    questions = prepare(request, [])
    speed = {
        i: questions.materials[clip.episode].features[clip.begin : clip.end, 13].sum()
        for i, clip in enumerate(questions.clips)
    }
    apart = [abs(speed[a] - speed[b]) for a, b in questions.pairs]
    assert apart[0] == pytest.approx(max(apart))


def test_a_reward_for_another_robot_is_refused(trees: Path, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="learnt on 'fr3'"):
        prepare(Request(trees, saved_reward(tmp_path, "fr3"), "information"), [])


@pytest.mark.parametrize("wrong", [{"earliest": 0}, {"branches": 1}, {"spread": (-0.1,)}])
def test_a_branching_that_makes_no_sense_is_an_error(wrong: dict[str, object]) -> None:
    with pytest.raises(ConfigError, match="expected"):
        BranchConfig(**wrong)  # type: ignore[arg-type]
