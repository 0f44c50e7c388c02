"""What the rules make of sentences, and what they refuse."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sinew_core.plugins import build, plugin_spec
from sinew_core.protocols import AffordanceModel
from sinew_core.types import Affordance, JointState, Keypoint, Observation, Refusal, Task
from sinew_perception.rule_grounding import Config, RuleGrounding
from sinew_perception.waypoints import half_width


def keypoint(x: float, y: float, size: tuple[float, float, float], bottom: float = 0.0) -> Keypoint:
    return Keypoint(np.array([x, y, bottom + size[2] / 2]), extent=np.array(size), yaw=0.3)


SCENE = {
    "red_cube": keypoint(0.20, 0.05, (0.028, 0.028, 0.028)),
    "blue_bowl": keypoint(0.22, -0.06, (0.1, 0.1, 0.03)),
    "blue_pad": keypoint(0.15, -0.04, (0.09, 0.09, 0.001)),
    "yellow_cylinder": keypoint(0.25, 0.08, (0.026, 0.026, 0.040)),
    "green_cube": keypoint(0.18, 0.09, (0.028, 0.028, 0.028)),
    "green_cube_2": keypoint(0.26, 0.01, (0.028, 0.028, 0.028)),
}
MODEL = RuleGrounding(Config())


def observe(scene: dict[str, Keypoint] | None = None) -> Observation:
    keypoints = SCENE if scene is None else scene
    return Observation(7, JointState(7, np.zeros(6), np.zeros(6)), {}, keypoints, None, {}, Task("t", ""))


def affordance(sentence: str, scene: dict[str, Keypoint] | None = None) -> Affordance:
    answer = MODEL.propose(observe(scene), sentence)
    assert isinstance(answer, Affordance), answer
    return answer


def refusal(sentence: str, scene: dict[str, Keypoint] | None = None) -> Refusal:
    answer = MODEL.propose(observe(scene), sentence)
    assert isinstance(answer, Refusal), answer
    return answer


def test_it_is_built_by_its_short_name() -> None:
    spec = plugin_spec("rule_grounding", "sinew_perception", "affordance model")
    assert isinstance(build(spec, AffordanceModel, "test"), RuleGrounding)


@pytest.mark.parametrize(
    "sentence",
    [
        "put the red cube in the blue bowl",
        "place the red cube into the blue bowl",
        "pick up the red cube and put it in the blue bowl",
        "move the red cube into the blue bowl",
        "  Put, please, THE RED   block inside the blue dish!",
        "drop the red cube in the bowl",
    ],
)
def test_a_place_sentence_grasps_one_thing_and_ends_at_the_other(sentence: str) -> None:
    answer = affordance(sentence)
    assert (answer.grasp, answer.moves, answer.target) == ("red_cube", "red_cube", "blue_bowl")
    assert (answer.stamp, answer.source, answer.instruction) == (7, "rule_grounding", sentence)
    assert answer.closed.tolist() == [True] * 3


def test_placing_lifts_straight_up_travels_level_and_comes_down_over_the_target() -> None:
    lift, above, release = affordance("put the red cube in the blue bowl").waypoints
    np.testing.assert_allclose(lift[:2], SCENE["red_cube"].position[:2])
    np.testing.assert_allclose([above[:2], release[:2]], [SCENE["blue_bowl"].position[:2]] * 2)
    assert lift[2] == above[2] > release[2]


def test_a_carried_object_clears_everything_that_is_seen() -> None:
    lift, *_ = affordance("put the red cube in the blue bowl").waypoints
    assert lift[2] - 0.014 > 0.040 + 0.01


def test_an_object_is_let_go_just_above_the_rim_of_a_bowl() -> None:
    *_, release = affordance("put the red cube in the blue bowl").waypoints
    assert 0.005 <= release[2] - 0.014 - 0.03 <= 0.02


@pytest.mark.parametrize(
    "sentence",
    [
        "stack the red cube on the yellow cylinder",
        "stack the red cube on top of the yellow cylinder",
        "put the red cube on top of the yellow cylinder",
    ],
)
def test_stacking_lets_go_a_few_millimetres_above_the_top(sentence: str) -> None:
    answer = affordance(sentence)
    assert (answer.grasp, answer.target) == ("red_cube", "yellow_cylinder")
    assert 0.002 <= answer.waypoints[-1][2] - 0.014 - 0.040 <= 0.004


@pytest.mark.parametrize(
    "sentence",
    [
        "push the red cube to the blue pad",
        "push the red cube onto the blue pad",
        "slide the red cube to the pad",
    ],
)
def test_a_push_sentence_moves_without_a_grasp(sentence: str) -> None:
    answer = affordance(sentence)
    assert (answer.grasp, answer.moves, answer.target) == (None, "red_cube", "blue_pad")


def test_a_push_begins_behind_the_object_and_brings_its_centre_to_the_target() -> None:
    above, behind, end = affordance("push the red cube to the blue pad").waypoints
    start, goal = SCENE["red_cube"].position[:2], SCENE["blue_pad"].position[:2]
    way = (goal - start) / np.linalg.norm(goal - start)
    reach = half_width(SCENE["red_cube"], way)
    np.testing.assert_allclose(above[:2], behind[:2])
    assert above[2] > 0.05 > behind[2] == end[2]
    assert (start - behind[:2]) @ way > reach + 0.01
    np.testing.assert_allclose(np.cross([*way, 0], [*(behind[:2] - start), 0]), 0, atol=1e-9)
    travelled = end[:2] - goal
    np.testing.assert_allclose(travelled @ way, -(reach + Config().margins.finger))


def test_half_a_turned_square_is_wider_along_its_diagonal() -> None:
    square = Keypoint(np.zeros(3), yaw=0.0, extent=np.array([0.03, 0.03, 0.03]))
    diagonal = np.array([1.0, 1.0]) / np.sqrt(2)
    np.testing.assert_allclose(half_width(square, np.array([1.0, 0.0])), 0.015)
    np.testing.assert_allclose(half_width(square, diagonal), 0.015 * np.sqrt(2))


@pytest.mark.parametrize(
    "sentence",
    [
        "move the gripper above the yellow cylinder",
        "reach over the yellow cylinder",
        "reach for the yellow cylinder",
        "go to the yellow cylinder",
    ],
)
def test_a_reach_sentence_ends_six_centimetres_above_the_top(sentence: str) -> None:
    answer = affordance(sentence)
    assert (answer.grasp, answer.moves, answer.target) == (None, None, "yellow_cylinder")
    np.testing.assert_allclose(answer.waypoints, [[0.25, 0.08, 0.040 + 0.06]])


def test_a_touch_comes_down_from_above() -> None:
    above, contact = affordance("touch the red cube").waypoints
    np.testing.assert_allclose(above[:2], contact[:2])
    assert above[2] > contact[2] > 0.028


def test_one_of_two_alike_can_be_named_by_its_number() -> None:
    assert affordance("reach for the green cube 2").target == "green_cube_2"
    assert affordance("reach for the green cube 1").target == "green_cube"


def test_a_noun_alone_is_enough_when_only_one_thing_fits() -> None:
    assert affordance("reach for the bowl").target == "blue_bowl"


def test_the_lifted_object_is_reached_where_it_is() -> None:
    scene = SCENE | {"red_cube": keypoint(0.2, 0.0, (0.03, 0.03, 0.03), bottom=0.1)}
    np.testing.assert_allclose(affordance("reach for the red cube", scene).waypoints[0][2], 0.19)


@pytest.mark.parametrize("sentence", ["", "  ", "?!", "please"])
def test_an_empty_sentence_is_refused_with_what_would_be_understood(sentence: str) -> None:
    assert "empty" in refusal(sentence).reason
    assert "put A in B" in refusal(sentence).reason


@pytest.mark.parametrize("sentence", ["dance", "put the red cube", "open the door", "cube red the push"])
def test_a_sentence_outside_the_grammar_is_refused(sentence: str) -> None:
    answer = refusal(sentence)
    assert "do not understand" in answer.reason
    assert answer.saw == tuple(sorted(SCENE))


def test_a_sentence_in_another_language_is_quoted_as_it_was_given() -> None:
    sentence = "Lege den roten Würfel in die blaue Schüssel!"
    assert f'"{sentence}"' in refusal(sentence).reason


def test_an_unknown_word_is_refused_and_named() -> None:
    assert '"the pink cube"' in refusal("put the pink cube in the blue bowl").reason
    assert "left of" in refusal("put the red cube to the left of the blue bowl").reason


def test_an_object_that_is_not_there_is_refused_with_what_was_seen() -> None:
    answer = refusal("put the purple cube in the blue bowl")
    assert 'do not see "the purple cube"' in answer.reason
    assert all(name in answer.reason for name in SCENE)
    assert answer.saw == tuple(sorted(SCENE))


def test_nothing_seen_is_said_so() -> None:
    assert "I see no object" in refusal("reach for the red cube", {}).reason


@pytest.mark.parametrize("sentence", ["reach for the green cube", "put the cube in the blue bowl"])
def test_an_ambiguous_noun_is_refused_with_the_candidates(sentence: str) -> None:
    answer = refusal(sentence)
    assert "say which" in answer.reason
    assert "green_cube, green_cube_2" in answer.reason


def test_an_object_cannot_go_to_itself() -> None:
    assert "itself" in refusal("stack the red cube on the red cube").reason


def test_nothing_is_put_into_what_is_no_bowl() -> None:
    assert "only a bowl" in refusal("put the red cube in the yellow cylinder").reason


def test_a_push_to_where_it_already_is_is_refused() -> None:
    there = SCENE["blue_pad"].position
    scene = SCENE | {"red_cube": Keypoint(there.copy(), extent=np.full(3, 0.028))}
    assert "already" in refusal("push the red cube to the blue pad", scene).reason


VERBS = ["put", "place", "push", "stack", "reach", "touch", "pick", "up"]
NOUNS = ["the", "a", "red", "green", "blue", "pink", "cube", "bowl", "pad", "it", "2", "9"]
WORDS = st.sampled_from([*VERBS, *NOUNS, "and", "in", "on", "to", "top", "of", "!", ","])


@given(st.one_of(st.text(max_size=60), st.lists(WORDS, max_size=12).map(" ".join)))
def test_no_sentence_makes_it_raise_and_every_answer_is_about_what_is_seen(sentence: str) -> None:
    answer = MODEL.propose(observe(), sentence)
    if isinstance(answer, Refusal):
        assert answer.reason
    else:
        assert answer.target in SCENE
        assert answer.grasp is None or answer.grasp in SCENE
        assert np.isfinite(answer.waypoints).all()
        assert answer.waypoints.shape == (len(answer.closed), 3)
