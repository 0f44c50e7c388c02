"""Claims about the model with the weights that are shipped: what it finds, and what it refuses and why."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from drawn_tables import Table
from sinew_core.errors import ConfigError
from sinew_core.models import make_affordance
from sinew_core.types import Affordance, CameraFrame, Keypoint, Observation, Refusal
from sinew_perception.ground.grounder import WEIGHTS, load_weights
from sinew_perception.ground.model import Config, SinewGround

THINGS = [("red", "cube", 0.20, 0.08), ("blue", "bowl", 0.23, -0.06), ("green", "cylinder", 0.17, 0.0)]
CUBE, BOWL = np.array([0.20, 0.08, 0.014]), np.array([0.23, -0.06, 0.014])
PLAIN = "put the red cube in the blue bowl"
PARAPHRASE = "fetch the crimson brick and drop it within the azure basin"


@pytest.fixture(scope="module")
def model(table: Table) -> SinewGround:
    return SinewGround(Config(), table.hardware)


@pytest.fixture(scope="module")
def scene(table: Table) -> Observation:
    return table.observe(THINGS)


def _point(place: object) -> np.ndarray:
    assert isinstance(place, np.ndarray)
    return place


def _answer(model: SinewGround, observation: Observation, sentence: str) -> Affordance:
    given = model.propose(observation, sentence)
    assert isinstance(given, Affordance), given
    return given


def _refusal(model: SinewGround, observation: Observation, sentence: str) -> Refusal:
    given = model.propose(observation, sentence)
    assert isinstance(given, Refusal), given
    return given


@pytest.mark.parametrize("sentence", [PLAIN, PARAPHRASE])
def test_grasp_and_target_are_found_in_plain_words_and_others(
    model: SinewGround, scene: Observation, sentence: str
) -> None:
    given = _answer(model, scene, sentence)
    assert np.linalg.norm(_point(given.grasp) - CUBE) < 0.02
    assert np.linalg.norm(_point(given.target) - BOWL) < 0.02
    assert given.closed.all()
    assert np.allclose(given.waypoints[-1][:2], _point(given.target)[:2])
    assert given.source == "sinew_ground"


def test_a_keypoint_nearby_gives_the_answer_its_name(model: SinewGround, scene: Observation) -> None:
    keypoints = {
        "red_cube": Keypoint(CUBE + 0.01),
        "blue_bowl": Keypoint(BOWL),
        "green_cylinder": Keypoint(CUBE + 0.1),
    }
    given = _answer(model, replace(scene, keypoints=keypoints), PARAPHRASE)
    assert (given.grasp, given.moves, given.target) == ("red_cube", "red_cube", "blue_bowl")


def test_a_keypoint_far_away_does_not(model: SinewGround, scene: Observation) -> None:
    far = {"red_cube": Keypoint(CUBE + np.array([0.03, 0.0, 0.0]))}
    given = _answer(model, replace(scene, keypoints=far), PLAIN)
    assert given.moves is None
    assert np.linalg.norm(_point(given.grasp) - CUBE) < 0.02


def test_the_same_question_has_the_same_answer(model: SinewGround, scene: Observation) -> None:
    first, second = _answer(model, scene, PARAPHRASE), _answer(model, scene, PARAPHRASE)
    assert np.array_equal(_point(first.grasp), _point(second.grasp))
    assert np.array_equal(first.waypoints, second.waypoints)


@pytest.mark.parametrize("missing", ["all", "none", "half"])
def test_depth_may_be_missing_or_full_of_holes(model: SinewGround, scene: Observation, missing: str) -> None:
    frame = scene.frames["top"]
    assert frame.depth is not None
    holes = {"all": np.zeros_like(frame.depth), "none": None, "half": frame.depth.copy()}
    if missing == "half":
        holes["half"][np.random.default_rng(0).uniform(size=frame.depth.shape) < 0.5] = 0  # type: ignore[index]
    given = _answer(model, replace(scene, frames={"top": replace(frame, depth=holes[missing])}), PLAIN)
    assert np.linalg.norm(_point(given.grasp) - CUBE) < 0.02
    assert np.linalg.norm(_point(given.target) - BOWL) < 0.02


@pytest.mark.parametrize(
    ("sentence", "reason"),
    [
        ("", "the instruction is empty"),
        ("   ?!", "the instruction is empty"),
        ("lege den roten Würfel in die blaue Schüssel", "I do not understand this as a request"),
        ("zet de rode kubus in de blauwe kom", "I do not understand this as a request"),
        ("把红色方块放进蓝色的碗里", "I do not understand this as a request"),
        ("do not put the red cube in the blue bowl", "I do not understand this as a request"),
        ("take the red cube out of the blue bowl", "cannot take anything out yet"),
        ("put the yellow cube in the blue bowl", 'I do not see "yellow cube"'),
        ("put the red cube in the orange bowl", 'I do not see "orange bowl"'),
        ("put the red zorble in the blue bowl", "zorble"),
        ("put the red cube in the green cylinder", "only a bowl holds things"),
    ],
)
def test_what_cannot_be_done_is_refused_with_its_reason(
    model: SinewGround, scene: Observation, sentence: str, reason: str
) -> None:
    given = _refusal(model, scene, sentence)
    assert reason in given.reason
    assert given.instruction == sentence


def test_a_refusal_names_what_is_seen_without_any_keypoint(model: SinewGround, scene: Observation) -> None:
    given = _refusal(model, scene, "touch the yellow ball")
    assert set(given.saw) == {"red_cube", "blue_bowl", "green_cylinder"}


def test_of_two_alike_neither_is_guessed(model: SinewGround, table: Table) -> None:
    twins = table.observe([*THINGS, ("red", "cube", 0.25, 0.07)])
    given = _refusal(model, twins, PLAIN)
    assert "say which" in given.reason
    assert given.reason.count("the red cube at") == 2


def test_an_empty_table_is_refused(model: SinewGround, table: Table) -> None:
    assert "I see no object" in _refusal(model, table.observe([]), PLAIN).reason


def test_a_white_thing_that_the_detector_cannot_see_is_a_point(model: SinewGround, table: Table) -> None:
    observation = table.observe([("white", "cube", 0.2, 0.06), ("blue", "bowl", 0.23, -0.06)])
    observation = replace(observation, keypoints={"blue_bowl": Keypoint(BOWL)})
    given = _answer(model, observation, "put the white cube in the blue bowl")
    assert given.target == "blue_bowl"
    assert np.linalg.norm(_point(given.grasp) - [0.2, 0.06, 0.014]) < 0.02


def test_an_image_of_another_size_is_refused_with_both_sizes(model: SinewGround, scene: Observation) -> None:
    small = CameraFrame(7, scene.frames["top"].rgb[::2, ::2].copy())
    reason = _refusal(model, replace(scene, frames={"top": small}), PLAIN).reason
    assert "120x160x3" in reason
    assert "240x320x3" in reason
    shallow = replace(scene.frames["top"], depth=np.zeros((4, 4), np.float32))
    assert "4x4" in _refusal(model, replace(scene, frames={"top": shallow}), PLAIN).reason


def test_no_image_is_refused_and_no_such_camera_is_an_error(model: SinewGround, scene: Observation) -> None:
    assert "no image of the camera 'top'" in _refusal(model, replace(scene, frames={}), PLAIN).reason
    hardware = model._hardware
    with pytest.raises(ConfigError, match="no camera 'topp'.*'top'"):
        SinewGround(Config(camera="topp"), hardware)


def test_heat_is_on_what_is_meant(model: SinewGround, scene: Observation) -> None:
    heat, said = model.heat_maps(scene, PARAPHRASE)
    assert heat.shape == (2, 60, 80)
    assert said.phrases == ("crimson brick", "azure basin")
    view = model.view(scene)
    for role, name in enumerate(("red_cube", "blue_bowl")):
        blob = next(blob for blob in view.blobs if blob.name == name)
        row, column = np.unravel_index(heat[role].argmax(), heat[role].shape)
        assert row * 80 + column in blob.cells
        outside = np.delete(heat[role].ravel(), blob.cells)
        assert outside.max() < heat[role].max()


def test_it_is_to_be_had_by_its_short_name(table: Table) -> None:
    assert isinstance(make_affordance("sinew_ground", table.hardware, "pick_place"), SinewGround)


def test_the_shipped_weights_are_small_and_say_how_to_make_them_again() -> None:
    assert Path(WEIGHTS).stat().st_size < 10e6
    _, provenance = load_weights(WEIGHTS)
    assert str(provenance["command"]).startswith("sinew ground train")
    assert {"training", "data", "calibration", "versions"} <= set(provenance)
