"""What artefacts take away: hidden things, frozen pictures, inputs unlike any known, and doubt."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sinew_core.config import to_mapping
from sinew_core.errors import ConfigError, InferenceError
from sinew_core.hardware import Hardware
from sinew_core.types import CameraFrame, JointState, Observation, RewardEstimate, Task
from sinew_rewards.learned.features import FeatureConfig, KeypointFeatures
from sinew_rewards.learned.saved import FORMAT, LearnedFacts, facts_path, spreads_of
from sinew_rewards.wrappers.artefacts import far, frozen, hidden

from tests.contract.observations import PERIOD, TASK, affordances, observe, scene
from tests.rewards.wrappers.stand_ins import HERE, HOME, make, run, told, wrapper

SAID = RewardEstimate(0, 0.0)


def reported(**fields: Any) -> dict[str, Any]:
    return {"plugin": f"{HOME}.artefacts.reported:Reported", **fields}


def penalised(source: dict[str, Any], **fields: Any) -> dict[str, Any]:
    artefacts = fields.pop("artefacts", {"odd": reported(read="odd", zero=0.0, one=1.0)})
    return wrapper("artefact_penalty", source=source, artefacts=artefacts, **fields)


def test_the_reward_is_taken_away_by_the_score(hardware: Hardware) -> None:
    source = told(0.5, terms={"odd": [0.0, 0.4, 1.0]})
    withheld = run(penalised(source), hardware, 3)
    subtracted = run(penalised(source, form="subtract", weight=2.0), hardware, 3)
    assert [each.value for each in withheld] == pytest.approx([0.5, -0.1, -1.0])
    assert [each.value for each in subtracted] == pytest.approx([0.5, -0.3, -1.5])
    assert [each.terms["artefact.odd"] for each in withheld] == [0.0, 0.4, 1.0]


def test_withholding_never_raises_a_value(hardware: Hardware) -> None:
    source = told(-3.0, terms={"odd": [1.0]})
    assert run(penalised(source, lowest=-1.0), hardware, 1)[0].value == -3.0


def test_success_and_progress_of_an_artefact_are_unknown(hardware: Hardware) -> None:
    source = told(0.5, success=[1.0], progress=[1.0], terms={"odd": [0.4, 0.6]})
    trusted, doubted = run(penalised(source), hardware, 2)
    assert (trusted.success, trusted.progress) == (1.0, 1.0)
    assert (doubted.success, doubted.progress) == (None, None)
    assert doubted.uncertainty is not None


def test_the_highest_score_counts_and_an_unknown_one_is_said(hardware: Hardware) -> None:
    artefacts = {
        "odd": reported(read="odd", zero=0.0, one=1.0),
        "shaky": reported(read="uncertainty", zero=0.1, one=0.5),
    }
    both = told(0.5, uncertainty=[0.3], terms={"odd": [0.2]})
    neither = told(0.5)
    assert run(penalised(both, artefacts=artefacts), hardware, 1)[0].value == pytest.approx(0.5 - 0.5 * 1.5)
    said = run(penalised(neither, artefacts=artefacts), hardware, 1)[0]
    assert said.value == 0.5
    assert said.terms["unscored"] == 2.0
    assert said.uncertainty == pytest.approx(1.5)


def test_the_disagreement_of_an_ensemble_is_such_a_score(hardware: Hardware) -> None:
    ensemble = wrapper("ensemble", members=[told(0.5, 0.5), told(0.5, 9.0)], rule="mean")
    artefacts = {"disagreement": reported(read="spread", zero=0.5, one=2.0)}
    agreed, fooled = run(penalised(ensemble, artefacts=artefacts), hardware, 2)
    assert (agreed.value, fooled.value) == (0.5, -1.0)


def test_a_thing_hidden_longer_than_a_passing_hand_takes_the_reward_away(hardware: Hardware) -> None:
    artefacts = {"hidden": {"plugin": f"{HOME}.artefacts.hidden:Hidden", "patience": 0.2}}
    model = make(penalised(told(0.5), artefacts=artefacts), hardware)
    put = next(affordances(hardware))
    seen = scene(hardware)
    said = [model.estimate(observe(hardware, seen if step < 2 else {}, put, step)) for step in range(14)]
    assert [each.value for each in said[:7]] == [0.5] * 7  # 0.2 s are 4 periods after the first hidden one
    assert said[-1].value == -1.0
    again = model.estimate(observe(hardware, seen, put, 14))
    assert again.value == 0.5


def test_a_thing_hidden_in_the_gripper_is_excused(hardware: Hardware) -> None:
    put = next(affordances(hardware))
    cube = replace(scene(hardware)["red_cube"], visible=False, held=True)
    for excused, expected in ((True, 0.0), (False, 1.0)):
        model = hidden.Hidden(hidden.Config(held_is_fine=excused))
        model.reset(TASK)
        scores = [model.score(observe(hardware, {"red_cube": cube}, put, step), SAID) for step in range(40)]
        assert scores[-1] == expected


def test_no_thing_to_look_for_is_no_score(hardware: Hardware) -> None:
    model = hidden.Hidden(hidden.Config())
    assert model.score(observe(hardware), SAID) is None
    assert hidden.Hidden(hidden.Config(objects=("cube",))).score(observe(hardware), SAID) == 0.0


def look(hardware: Hardware, shade: int, turn: float, step: int, captured: int | None = None) -> Observation:
    """Return an observation of a plain picture with the first joint turned."""
    position = hardware.robot.home.copy()
    position[0] += turn
    seen = observe(hardware, step=step)
    name = next(iter(hardware.cameras))
    stamp = seen.stamp if captured is None else seen.stamp + (captured - step) * PERIOD
    frame = CameraFrame(stamp, np.full((480, 640, 3), shade, np.uint8))
    joints = JointState(seen.stamp, position, np.zeros_like(position))
    return replace(seen, frames={name: frame}, joints=joints)


def test_one_picture_while_the_arm_moves_is_frozen(hardware: Hardware) -> None:
    score = frozen.Frozen(frozen.Config(), hardware)
    score.reset(TASK)
    assert score.score(look(hardware, 90, 0.0, 0), SAID) == 0.0
    assert score.score(look(hardware, 90, 0.2, 1), SAID) == 0.0
    assert score.score(look(hardware, 90, 0.4, 2), SAID) == 1.0
    assert score.score(look(hardware, 91, 0.5, 3), SAID) == 0.0


def test_a_slower_camera_is_not_frozen_and_a_missing_one_is_unknown(hardware: Hardware) -> None:
    score = frozen.Frozen(frozen.Config(), hardware)
    for step in range(6):
        assert score.score(look(hardware, 90, 0.2 * step, step, captured=0), SAID) == 0.0
    assert score.score(observe(hardware), SAID) is None


def test_an_episode_begins_without_the_pictures_of_the_last(hardware: Hardware) -> None:
    score = frozen.Frozen(frozen.Config(), hardware)
    for step in range(3):
        score.score(look(hardware, 90, 0.4 * step, step), SAID)
    score.reset(TASK)
    assert score.score(look(hardware, 90, 1.2, 3), SAID) == 0.0


@pytest.fixture
def weights(hardware: Hardware, tmp_path: Path) -> Path:
    """The facts of a reward that learned with the object near where `scene` puts it."""
    features, rows = KeypointFeatures(hardware.robot), []
    put = next(affordances(hardware))
    for step in range(20):
        things = scene(hardware)
        moved = replace(things["red_cube"], position=things["red_cube"].position + 0.002 * step)
        rows.append(features.of(observe(hardware, {**things, "red_cube": moved}, put, step)))
    facts = LearnedFacts(FeatureConfig(), features.names, features.tag, spreads_of(np.array(rows)), "so101")
    path = tmp_path / "reward.safetensors"
    values = {"format": FORMAT, **to_mapping(facts)}
    facts_path(path).write_text(json.dumps(values))
    return path


def test_what_lies_outside_of_all_that_was_learned_is_far(hardware: Hardware, weights: Path) -> None:
    score = far.Far(far.Config(weights), hardware)
    score.reset(TASK)
    put, things = next(affordances(hardware)), scene(hardware)
    assert score.score(observe(hardware, things, put), SAID) == 0.0
    away = replace(things["red_cube"], position=things["red_cube"].position + 0.3)
    assert score.score(observe(hardware, {**things, "red_cube": away}, put), SAID) == 1.0
    score.reset(TASK)
    assert score.score(observe(hardware, {}, put), SAID) is None


def test_facts_of_other_features_are_refused(hardware: Hardware, weights: Path) -> None:
    facts = facts_path(weights)
    facts.write_text(facts.read_text().replace("keypoints_1", "keypoints_9"))
    with pytest.raises(ConfigError, match="learnt on other features"):
        far.Far(far.Config(weights), hardware)
    with pytest.raises(ConfigError, match=r"gone\.json"):
        far.Far(far.Config(weights.with_name("gone.safetensors")), hardware)


class Loud:
    """Scores more than everything."""

    def reset(self, task: Task) -> None:
        pass

    def score(self, observation: Observation, said: RewardEstimate) -> float | None:
        return 7.0


def test_a_score_that_is_no_share_is_named(hardware: Hardware) -> None:
    artefacts = {"loud": {"plugin": "tests.rewards.wrappers.test_artefact_penalty:Loud"}}
    with pytest.raises(InferenceError, match=r"Loud scored 7\.0, expected 0 to 1"):
        run(penalised(told(0.5), artefacts=artefacts), hardware, 1)


@pytest.mark.parametrize(
    ("fields", "sentence"),
    [
        ({"artefacts": {}}, "at least one"),
        ({"artefacts": {"a.b": reported(zero=0.0, one=1.0)}}, "without a dot"),
        ({"artefacts": {"odd": reported(zero=1.0, one=1.0)}}, "got 1.0 twice"),
        ({"artefacts": {"odd": reported(zero=0.0, one=1.0, unknown=2.0)}}, "unknown: expected 0 to 1"),
        ({"artefacts": {"odd": {"plugin": f"{HERE}:Told"}}}, "is no ArtefactScore: it lacks score"),
        ({"distrust": 0.0}, "distrust"),
        ({"weight": -1.0}, "weight"),
    ],
)
def test_a_wrong_configuration_is_refused(fields: dict[str, Any], sentence: str, hardware: Hardware) -> None:
    with pytest.raises(ConfigError, match=sentence):
        make(penalised(told(), **fields), hardware)
