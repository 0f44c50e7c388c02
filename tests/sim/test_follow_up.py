"""What is asked next of a scene as it lies, and when the way back is done."""

from __future__ import annotations

import numpy as np
import pytest
from sinew_core.hardware import SceneConfig, load_hardware
from sinew_sim.scene import ObjectState, Scene, SceneState
from sinew_sim.task import load_task

AREA = SceneConfig((0.16, -0.11), (0.27, 0.11))
TASKS = ("pick_place", "push", "stack", "reach")
BACK = {
    "pick_place": "take the {0} out of the {1}",
    "push": "push the {0} away from the {1}",
    "stack": "take the {0} off the {1}",
    "reach": "move the gripper away from the {0}",
}
FAR = np.array([0.0, 0.0, 0.5])


def sample(task: str, seed: int = 3) -> Scene:
    return load_task(task).sample(np.random.default_rng(seed), "", AREA)


def done(task: str, scene: Scene, offset: float, height: float = 0.0, tip: np.ndarray = FAR) -> bool:
    """Judge with the object `offset` m beside the target and `height` m above where it lies on the table."""
    objects = {
        placed.spec.name: ObjectState(np.array(placed.position), np.array([1.0, 0, 0, 0]), np.zeros(3))
        for placed in scene.objects
    }
    if scene.target is not None and scene.moved is not None:
        position = np.add(objects[scene.target].position, [offset, 0.0, 0.0])
        position[2] = scene.spec(scene.moved).height / 2 + height
        objects[scene.moved] = ObjectState(position, np.array([1.0, 0, 0, 0]), np.zeros(3))
    return load_task(task).success(scene, SceneState(objects, tip, 1.0))


@pytest.mark.parametrize("task", TASKS)
def test_an_empty_instruction_undoes_the_present_one_and_then_repeats_it(task: str) -> None:
    definition, scene = load_task(task), sample(task)
    back = definition.ask(scene, "")
    assert back.instruction == BACK[task].format(scene.moved, scene.target)
    there = definition.ask(back, "")
    assert (there.moved, there.target, there.backward) == (scene.moved, scene.target, False)
    assert definition.ask(there, "") == back


@pytest.mark.parametrize("task", TASKS)
def test_asking_moves_no_object(task: str) -> None:
    scene = sample(task)
    assert load_task(task).ask(scene, "").objects == scene.objects


@pytest.mark.parametrize("task", TASKS)
def test_the_wording_of_either_way_is_read_back(task: str) -> None:
    definition, scene = load_task(task), sample(task)
    back = definition.ask(scene, "")
    assert definition.ask(scene, back.instruction) == back
    assert definition.ask(back, scene.instruction) == scene


@pytest.mark.parametrize("sentence", ["dance", "put the pink horse on the table", "take the cube"])
def test_what_cannot_be_read_is_never_a_success(sentence: str) -> None:
    scene = load_task("pick_place").ask(sample("pick_place"), sentence)
    assert scene.instruction == sentence
    assert scene.moved is None
    assert not done("pick_place", scene, 0.3)


def test_what_is_not_in_the_scene_is_never_a_success() -> None:
    scene = sample("pick_place")
    absent = next(
        f"{colour} sphere"
        for colour in ("red", "green", "blue", "yellow")
        if f"{colour} sphere" not in {placed.spec.name for placed in scene.objects}
    )
    asked = load_task("pick_place").ask(scene, f"put the {absent} in the {scene.target}")
    assert asked.moved is None


def test_on_the_table_means_off_what_the_last_instruction_was_about() -> None:
    scene = sample("pick_place")
    asked = load_task("pick_place").ask(scene, f"put the {scene.moved} on the table")
    assert (asked.moved, asked.target, asked.backward) == (scene.moved, scene.target, True)


@pytest.mark.parametrize(
    ("task", "inside", "outside"), [("pick_place", 0.02, 0.09), ("push", 0.02, 0.08), ("stack", 0.0, 0.06)]
)
def test_either_way_is_done_where_the_other_one_is_not(task: str, inside: float, outside: float) -> None:
    scene = sample(task)
    back = load_task(task).ask(scene, "")
    lifted = scene.spec(scene.target).height if task == "stack" and scene.target else 0.0
    assert done(task, scene, inside, lifted) and not done(task, back, inside, lifted or 0.001)
    assert done(task, back, outside) and not done(task, scene, outside)


@pytest.mark.parametrize("task", ["pick_place", "stack"])
def test_what_is_still_held_or_in_the_air_is_not_taken_out(task: str) -> None:
    scene = sample(task)
    back = load_task(task).ask(scene, "")
    assert not done(task, back, 0.12, height=0.05)
    target = next(placed for placed in scene.objects if placed.spec.name == scene.target)
    assert not done(task, back, 0.12, tip=np.array([target.position[0] + 0.12, target.position[1], 0.02]))


@pytest.mark.parametrize("name", ["sim_mujoco", "sim_pybullet"])
def test_a_world_asked_again_stays_as_it_is(name: str) -> None:
    station = load_hardware(name).open_station("pick_place")
    try:
        world = station.world
        first = world.reset(4)
        stamp, before, joints = world.stamp, world.state(), station.arm.read().position
        task = world.ask()
        assert (task.name, task.max_steps) == (first.name, first.max_steps)
        assert task.instruction != first.instruction
        assert world.stamp == stamp
        assert np.array_equal(station.arm.read().position, joints)
        for thing, state in world.state().objects.items():
            assert np.array_equal(state.position, before.objects[thing].position)
    finally:
        station.close()
