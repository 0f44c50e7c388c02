"""Scenes hold what the sentence names, leave room for the gripper, and are judged by their truth alone."""

from __future__ import annotations

from itertools import combinations

import numpy as np
import pytest
from sinew_core.errors import ConfigError
from sinew_core.hardware import SceneConfig
from sinew_sim.language import mentioned, read
from sinew_sim.layout import JAW_ROOM, ROOM, gap
from sinew_sim.scene import BOWL_WALL, GRASPABLE, ObjectState, Scene, SceneState, make_object
from sinew_sim.task import RELEASED, SLOW, load_task
from sinew_sim.tasks.push import FARTHEST, LANE, NEAREST
from sinew_sim.tasks.reach import HOVER, NEAR

TASKS = ("reach", "push", "pick_place", "stack")
AREA = SceneConfig((0.16, -0.11), (0.27, 0.11))
STILL = np.zeros(3)
UPRIGHT = np.array([1.0, 0.0, 0.0, 0.0])
FAR = np.array([0.0, 0.0, 0.5])


def sample(task: str, seed: int, instruction: str = "") -> Scene:
    return load_task(task).sample(np.random.default_rng(seed), instruction, AREA)


def laid_out(scene: Scene) -> dict[str, ObjectState]:
    return {o.spec.name: ObjectState(np.array(o.position), UPRIGHT, STILL) for o in scene.objects}


def success(task: str, scene: Scene, objects: dict[str, ObjectState], tip: np.ndarray = FAR) -> bool:
    return load_task(task).success(scene, SceneState(objects, tip, 1.0))


def at(position: np.ndarray, speed: float = 0.0) -> ObjectState:
    return ObjectState(position, UPRIGHT, np.array([speed, 0.0, 0.0]))


@pytest.mark.parametrize("task", TASKS)
def test_scenes_are_drawn_alike_for_a_seed_and_vary_with_it(task: str) -> None:
    assert sample(task, 1) == sample(task, 1)
    assert len({sample(task, seed).instruction for seed in range(20)}) > 5


@pytest.mark.parametrize("task", TASKS)
def test_objects_are_unlike_and_lie_in_the_area_with_room_between(task: str) -> None:
    for seed in range(60):
        scene = sample(task, seed)
        named = [placed.spec.name for placed in scene.objects]
        assert len(named) == len(set(named))
        assert {scene.moved, scene.target} - {None} <= set(named)
        for placed in scene.objects:
            assert (np.array(placed.position[:2]) >= AREA.lower).all()
            assert (np.array(placed.position[:2]) <= AREA.upper).all()
            assert placed.position[2] == pytest.approx(placed.spec.height / 2)
        for a, b in combinations(scene.objects, 2):
            pushed = task == "push" and {a.spec.name, b.spec.name} == {scene.moved, scene.target}
            grasped = scene.moved in (a.spec.name, b.spec.name)
            assert gap(a, b) >= (0.0 if pushed else JAW_ROOM if grasped else ROOM)


@pytest.mark.parametrize(
    ("task", "sentence", "moved", "target"),
    [
        ("pick_place", "put the red cube in the blue bowl", "red cube", "blue bowl"),
        ("pick_place", "Place the GREEN ball into the yellow bowl!", "green sphere", "yellow bowl"),
        ("push", "push the purple cylinder to the orange pad", "purple cylinder", "orange pad"),
        ("stack", "stack the red block on the green cube", "red cube", "green cube"),
        ("reach", "move the gripper above the yellow cube", "yellow cube", None),
    ],
)
def test_what_a_readable_sentence_names_is_there(
    task: str, sentence: str, moved: str, target: str | None
) -> None:
    for seed in range(10):
        scene = sample(task, seed, sentence)
        assert (scene.moved, scene.target, scene.instruction) == (moved, target, sentence)


@pytest.mark.parametrize("task", TASKS)
def test_the_sentences_that_a_task_draws_are_ones_it_reads(task: str) -> None:
    for seed in range(20):
        drawn = sample(task, seed)
        again = sample(task, seed + 100, drawn.instruction)
        assert (again.moved, again.target) == (drawn.moved, drawn.target)


@pytest.mark.parametrize("task", TASKS)
@pytest.mark.parametrize(
    "sentence",
    [
        "put the red cube in the pink bowl",
        "put the red banana in the blue bowl",
        "put the red cube in the red cube",
        "tidy up",
        "stack the blue bowl on the red cube on the green cube",
    ],
)
def test_what_an_unreadable_sentence_names_is_not_there_and_nothing_is_success(
    task: str, sentence: str
) -> None:
    for seed in range(20):
        scene = sample(task, seed, sentence)
        assert scene.instruction == sentence
        assert scene.objects
        assert not {str(thing) for thing in mentioned(sentence)} & {o.spec.name for o in scene.objects}
        heap = {name: at(np.array([0.2, 0.0, 0.02])) for name in laid_out(scene)}
        assert not success(task, scene, heap)


def test_half_understood_is_not_understood() -> None:
    kinds = (GRASPABLE, ("bowl",))
    assert read("put the red cube in the blue bowl", kinds) is not None
    assert read("put the dark red cube near the blue cube in the blue bowl", kinds) is None
    assert read("put the cube in the blue bowl", kinds) is None
    assert read("put the blue bowl in the red cube", kinds) is None


def test_an_area_too_small_is_a_config_error() -> None:
    with pytest.raises(ConfigError, match="make the area larger"):
        load_task("pick_place").sample(np.random.default_rng(0), "", SceneConfig((0.2, 0.0), (0.21, 0.01)))


def test_a_push_is_short_straight_and_free() -> None:
    for seed in range(60):
        scene = sample("push", seed)
        places = {o.spec.name: np.array(o.position[:2]) for o in scene.objects}
        start, end = places[str(scene.moved)], places[str(scene.target)]
        length = np.linalg.norm(end - start)
        assert NEAREST <= length <= FARTHEST
        along = (end - start) / length
        for name, place in places.items():
            if name not in (scene.moved, scene.target) and 0 < (place - start) @ along < length:
                assert abs(along[0] * (place - start)[1] - along[1] * (place - start)[0]) > LANE


def test_a_bowl_takes_the_largest_cube_flat_on_its_floor() -> None:
    bowl, cube = make_object("blue", "bowl"), make_object("red", "cube", 0.030)
    floor = next(part for part in bowl.parts() if part.kind == "cylinder")
    assert floor.position[2] + floor.size[1] == pytest.approx(-bowl.height / 2 + BOWL_WALL)
    assert cube.radius < floor.size[0] - BOWL_WALL
    assert 2 * bowl.inner_radius < bowl.size[0]


def test_parts_fill_the_bounding_box() -> None:
    for shape in ("cube", "cylinder", "sphere", "pad", "bowl"):
        spec = make_object("red", shape)
        reach = max(
            np.hypot(part.position[0], part.position[1]) + (part.size[0] if part.kind != "box" else 0.0)
            for part in spec.parts()
        )
        assert reach <= spec.size[0] / 2 + 1e-9


def test_pick_place_wants_the_object_inside_at_rest_and_let_go() -> None:
    scene = sample("pick_place", 0)
    objects = laid_out(scene)
    moved, bowl = str(scene.moved), objects[str(scene.target)].position
    inside = bowl + np.array([0.01, 0.0, 0.003])
    assert not success("pick_place", scene, objects)
    assert success("pick_place", scene, {**objects, moved: at(inside)})
    assert not success("pick_place", scene, {**objects, moved: at(inside, speed=2 * SLOW)})
    assert not success("pick_place", scene, {**objects, moved: at(inside)}, tip=inside + 0.5 * RELEASED)
    assert not success("pick_place", scene, {**objects, moved: at(bowl + np.array([0.0, 0.0, 0.06]))})
    assert not success("pick_place", scene, {**objects, moved: at(bowl + np.array([0.06, 0.0, 0.0]))})


def test_push_wants_the_object_on_the_pad_and_on_the_table() -> None:
    scene = sample("push", 0)
    objects = laid_out(scene)
    moved, pad = str(scene.moved), objects[str(scene.target)].position
    height = scene.spec(moved).height
    assert not success("push", scene, objects)
    assert success("push", scene, {**objects, moved: at(pad + np.array([0.03, 0.0, height / 2]))})
    assert not success("push", scene, {**objects, moved: at(pad + np.array([0.04, 0.0, height / 2]))})
    assert not success("push", scene, {**objects, moved: at(pad + np.array([0.0, 0.0, height / 2 + 0.02]))})


def test_stack_wants_the_object_on_top_and_let_go() -> None:
    scene = sample("stack", 0)
    objects = laid_out(scene)
    moved, base = str(scene.moved), objects[str(scene.target)].position
    up = np.array([0.0, 0.0, (scene.spec(moved).height + scene.spec(str(scene.target)).height) / 2])
    assert not success("stack", scene, objects)
    assert success("stack", scene, {**objects, moved: at(base + up)})
    assert not success("stack", scene, {**objects, moved: at(base + up)}, tip=base + up)
    assert not success("stack", scene, {**objects, moved: at(base + up + np.array([0.0, 0.0, 0.01]))})
    assert not success("stack", scene, {**objects, moved: at(base + up + np.array([0.02, 0.0, 0.0]))})


def test_reach_is_a_point_above_the_middle_of_the_top() -> None:
    scene = sample("reach", 0)
    objects = laid_out(scene)
    moved = str(scene.moved)
    goal = objects[moved].position + np.array([0.0, 0.0, scene.spec(moved).height / 2 + HOVER])
    assert success("reach", scene, objects, tip=goal)
    assert success("reach", scene, objects, tip=goal + np.array([0.9 * NEAR, 0.0, 0.0]))
    assert not success("reach", scene, objects, tip=goal + np.array([0.0, 1.1 * NEAR, 0.0]))


def test_an_unknown_task_names_the_nearest() -> None:
    with pytest.raises(ConfigError, match=r"unknown task 'pick_plase'.*Did you mean 'pick_place'.*stack"):
        load_task("pick_plase")


@pytest.mark.parametrize(
    ("sentence", "meant"),
    [
        ("drop the crimson block into the azure dish", [("red", "cube"), ("blue", "bowl")]),
        ("stow the canary yellow drum in a violet basin", [("yellow", "cylinder"), ("purple", "bowl")]),
    ],
)
def test_other_names_of_colours_and_shapes_lay_out_the_same_things(
    sentence: str, meant: list[tuple[str, str]]
) -> None:
    assert [tuple(thing) for thing in mentioned(sentence)] == meant
