"""Scripted episodes: the simulator's truth frame by frame, the same for a seed, cropped to the scene."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from sinew_core.errors import ConfigError
from sinew_core.hardware import Hardware, load_hardware
from sinew_core.types import ActionChunk, Affordance, Observation, Task
from sinew_rewards.classifier.behaviours import OFF, Lingering, OffTarget, Shaken
from sinew_rewards.classifier.command import main
from sinew_rewards.classifier.frames import load_frames
from sinew_rewards.classifier.pictures import scene_crop
from sinew_rewards.classifier.simulated import (
    SimulationConfig,
    behaviour_of,
    episode_path,
    roll_missing,
)
from squares import observe

REACH = SimulationConfig(task="reach", size=16, max_steps=60, linger=6, cameras=("top",), shares=(1.0, 0, 0))


@pytest.fixture(scope="module")
def rolled(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("rolled")
    assert [facts.outcome for facts in roll_missing(REACH, folder, [1])]
    return folder


def test_an_episode_goes_on_after_success_and_says_when_it_began(rolled: Path) -> None:
    frames = load_frames(episode_path(REACH, rolled, 1))
    assert frames.truth is not None
    assert frames.truth[0] == 0
    assert frames.truth.sum() >= 1
    first = int(frames.step[frames.truth.argmax()])
    assert frames.facts.steps == first + REACH.linger
    dense = frames.step[frames.step >= first - 10]
    assert np.array_equal(dense, np.arange(dense[0], frames.facts.steps))


def test_the_policy_finishes_in_calm_before_the_arm_wanders(tmp_path: Path) -> None:
    calm, linger = 4, 4
    seen = {}
    for name, wander in (("wandering", 0.5), ("never", REACH.noise)):
        config = replace(REACH, calm=calm, linger=linger, wander=wander)
        list(roll_missing(config, tmp_path, [1]))
        seen[name] = load_frames(episode_path(config, tmp_path, 1))
    wandering, never = seen["wandering"], seen["never"]
    assert never.truth is not None
    first = int(never.step[never.truth.argmax()])
    assert wandering.facts.steps == never.facts.steps == first + calm + linger
    calmly = wandering.step <= first + calm
    assert np.array_equal(wandering.pictures[calmly], never.pictures[calmly])
    assert not np.array_equal(wandering.pictures[~calmly], never.pictures[~calmly])


def test_an_episode_depends_on_its_seed_and_settings_alone(rolled: Path, tmp_path: Path) -> None:
    list(roll_missing(REACH, tmp_path, [2, 1]))
    first, again = (load_frames(episode_path(REACH, folder, 1)) for folder in (rolled, tmp_path))
    assert first.facts == again.facts
    assert np.array_equal(first.pictures, again.pictures)
    assert not np.array_equal(
        first.pictures, load_frames(episode_path(REACH, tmp_path, 2)).pictures[: len(first)]
    )


def test_what_is_there_is_not_run_again(rolled: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def never(*_: object) -> None:
        raise AssertionError("it was run again")

    monkeypatch.setattr("sinew_rewards.classifier.simulated._roll", never)
    (facts,) = roll_missing(REACH, rolled, [1])
    assert facts.name == "reach-00001"


def test_frames_of_other_settings_are_not_mixed(rolled: Path) -> None:
    given = ["collect", str(rolled), "--scripted", "--task", "reach", "--episodes", "1", "--size", "32"]
    with pytest.raises(ConfigError, match="made with other settings, as reach-00001"):
        main(given)
    assert episode_path(REACH, rolled, 1).is_file()


def test_the_shares_decide_how_often_each_behaviour_is_shown() -> None:
    shown = [behaviour_of(SimulationConfig(), seed) for seed in range(400)]
    assert shown.count("follow") == pytest.approx(240, abs=30)
    assert shown.count("empty") == pytest.approx(80, abs=25)


def test_the_crop_holds_the_scene_and_leaves_out_the_rest() -> None:
    hardware = load_hardware("sim_mujoco")
    scene = hardware.config.scene
    for name in ("top", "side"):
        model, (left, top, right, bottom) = hardware.cameras[name], scene_crop(hardware, name)
        assert (right - left) * (bottom - top) < 0.8 * model.width * model.height
        for x in (scene.lower[0], scene.upper[0]):
            for y in (scene.lower[1], scene.upper[1]):
                px, py, depth = (np.linalg.inv(model.X_LC) @ (x, y, 0.02, 1.0))[:3]
                assert left <= model.fx * px / depth + model.cx <= right
                assert top <= model.fy * py / depth + model.cy <= bottom
    assert scene_crop(hardware, "wrist") == (0, 0, 160, 120)


class Still:
    """A policy that stays at home."""

    def __init__(self, hardware: Hardware) -> None:
        self._home = hardware.robot.home

    def reset(self, task: Task) -> None:
        pass

    def infer(self, observation: Observation) -> ActionChunk:
        return ActionChunk(observation.stamp, 0.05, self._home[None].copy())


def test_a_shaken_policy_keeps_limits_and_gripper_and_follows_its_spread(hardware: Hardware) -> None:
    robot, gripper = hardware.robot, hardware.robot.gripper_index
    for spread in (0.0, 0.02, 5.0):
        shaken = Shaken(Still(hardware), hardware, np.random.default_rng(0), lambda spread=spread: spread)
        rows = np.array([shaken.infer(observe(hardware, [])).position[0] for _ in range(300)])
        assert np.all((rows >= robot.lower - 1e-12) & (rows <= robot.upper + 1e-12))
        assert np.all(rows[:, gripper] == robot.home[gripper])
        if spread < 1:
            moved = np.delete(rows - robot.home, gripper, axis=1)
            assert moved.std() == pytest.approx(spread, rel=0.4)
    shaken.keeps_open = True
    assert robot.aperture(shaken.infer(observe(hardware, [])).position[0]) == pytest.approx(1.0)


def test_a_plan_that_misses_is_off_by_the_same_everywhere(hardware: Hardware) -> None:
    way = np.array([[0.2, 0.0, 0.1], [0.25, 0.05, 0.03]])
    given = way.copy()
    answer = Affordance(1, "put", "cube", way, way[-1], "test", np.array([True, True]), "cube")

    class Plan:
        def propose(self, observation: Observation, instruction: str) -> Affordance:
            return answer

    missed = OffTarget(Plan(), np.random.default_rng(0)).propose(observe(hardware, []), "put")
    assert isinstance(missed, Affordance)
    off = missed.waypoints - way
    assert OFF[0] <= np.linalg.norm(off[0]) <= OFF[1]
    assert np.allclose(off, off[0])
    assert off[0, 2] == 0.0
    assert np.allclose(missed.target - way[-1], off[0])
    assert np.array_equal(way, given)


def test_a_lingering_world_keeps_its_success_for_so_long(hardware: Hardware) -> None:
    class World:
        stamp = 0

        def __init__(self) -> None:
            self.said = iter([False, True, False, True, True])

        def success(self) -> bool:
            return next(self.said)

    station = hardware.open_station("put")
    lingering = Lingering(station, 2)
    lingering.world._world = World()  # type: ignore[attr-defined]
    heard = []
    for _ in range(5):
        ended = lingering.world.success()
        heard.append((ended, lingering.truth, lingering.since))
    assert heard == [
        (False, False, 0),
        (False, True, 1),
        (False, False, 2),
        (True, True, 3),
        (True, True, 4),
    ]
