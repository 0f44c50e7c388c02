"""A learned reward in the graph: refused without a passing card, and honest about being forced."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import yaml
from safetensors.numpy import load_file, save_file
from sinew_core.errors import ConfigError
from sinew_core.hardware import Hardware, load_hardware
from sinew_core.models import make_reward
from sinew_core.protocols import RewardModel
from sinew_core.types import CameraFrame, Keypoint, Observation
from sinew_perception.encoders.goal_encoder import SHIPPED, shipped_config
from sinew_rewards.learned.features import FeatureConfig, make_features
from sinew_rewards.learned.reward import LearnedReward
from sinew_rewards.learned.saved import facts_path, load_facts
from sinew_rewards.report.card import Gate, card_path

from tests.contract.observations import TASK, affordances, observe, scene
from tests.rewards.tiny_learned import GOOD, SIZE, TinyScorer, write_card, write_reward


@pytest.fixture(scope="module")
def hardware() -> Hardware:
    return load_hardware("sim_mujoco")


@pytest.fixture
def weights(tmp_path: Path) -> Path:
    """A reward with a card that passes."""
    path = tmp_path / "tiny.safetensors"
    write_card(path, write_reward(path).weights_sha256)
    return path


def encoder_of(path: Path) -> Path | None:
    frozen = load_facts(path).features.frozen
    assert frozen is not None
    return frozen.weights


def make(path: Path, hardware: Hardware, **options: object) -> RewardModel:
    """Make a reward as a graph does: by the file's name, or by a YAML file where it has options."""
    if not options:
        return make_reward(str(path), hardware, "push")
    config = path.with_suffix(".yaml")
    spec = {"plugin": "sinew_rewards.learned.reward:LearnedReward", "weights": str(path), **options}
    config.write_text(yaml.safe_dump(spec))
    return make_reward(str(config), hardware, "push")


def seen(hardware: Hardware) -> Observation:
    return observe(hardware, scene(hardware), next(affordances(hardware)))


def test_weights_with_a_passing_card_are_a_reward(weights: Path, hardware: Hardware) -> None:
    model = make(weights, hardware)
    assert isinstance(model, LearnedReward)
    model.reset(TASK)
    observation = seen(hardware)
    estimate = model.estimate(observation)
    assert estimate.stamp == observation.stamp
    assert estimate.terms["doubled"] == pytest.approx(2 * estimate.value)
    assert (estimate.success, estimate.progress, estimate.uncertainty) == (0.7, 0.5, 0.1)
    assert estimate.terms["forced"] == 0.0
    assert estimate.terms["known"] == 1.0


def test_weights_without_a_card_are_refused_with_what_makes_one(weights: Path, hardware: Hardware) -> None:
    card_path(weights).unlink()
    with pytest.raises(
        ConfigError, match=r"may neither train nor end episodes: there is no report card.*report"
    ):
        make(weights, hardware)


def test_the_card_of_other_weights_does_not_count(weights: Path, hardware: Hardware) -> None:
    write_card(weights, "0" * 64)
    with pytest.raises(ConfigError, match="about other weights"):
        make(weights, hardware)


def test_weights_learnt_anew_need_a_new_card(weights: Path, hardware: Hardware) -> None:
    write_reward(weights, TinyScorer(2 * np.ones(SIZE)))
    with pytest.raises(ConfigError, match="about other weights"):
        make(weights, hardware)


def test_a_failing_card_is_refused_with_what_fails(weights: Path, hardware: Hardware) -> None:
    sha256 = json.loads(facts_path(weights).read_text())["weights_sha256"]
    write_card(weights, sha256, figures={**GOOD, "pair_accuracy": 0.5})
    with pytest.raises(ConfigError, match=r"pair accuracy 0\.5 \(at least 0\.75\)"):
        make(weights, hardware)


def test_a_figure_that_is_unknown_does_not_pass(weights: Path, hardware: Hardware) -> None:
    sha256 = json.loads(facts_path(weights).read_text())["weights_sha256"]
    write_card(weights, sha256, gates=(Gate("success_first", least=0.5),))
    with pytest.raises(ConfigError, match="success first is unknown"):
        make(weights, hardware)


def test_a_card_that_says_passed_is_not_believed(weights: Path, hardware: Hardware) -> None:
    data = json.loads(card_path(weights).read_text())
    data["figures"]["pair_accuracy"] = 0.1
    assert data["passed"] is True
    card_path(weights).write_text(json.dumps(data))
    with pytest.raises(ConfigError, match=r"pair accuracy 0\.1"):
        make(weights, hardware)


def test_a_card_of_another_version_is_refused(weights: Path, hardware: Hardware) -> None:
    data = json.loads(card_path(weights).read_text())
    card_path(weights).write_text(json.dumps({**data, "format": "sinew-reward-card/0"}))
    with pytest.raises(ConfigError, match="card of version 'sinew-reward-card/0'"):
        make(weights, hardware)


@pytest.mark.parametrize("text", ["", "{", "[]", '{"format": "sinew-reward-card/1"}', "\x00"])
def test_a_damaged_card_is_no_card(weights: Path, hardware: Hardware, text: str) -> None:
    card_path(weights).write_text(text)
    with pytest.raises(ConfigError, match=r"card\.json"):
        make(weights, hardware)


def test_a_forced_reward_says_so_in_every_estimate(weights: Path, hardware: Hardware) -> None:
    card_path(weights).unlink()
    model = make(weights, hardware, force=True)
    model.reset(TASK)
    affordance = next(affordances(hardware))
    observations = [observe(hardware, {}, None), seen(hardware), observe(hardware, {}, affordance, 2)]
    assert [model.estimate(each).terms["forced"] for each in observations] == [1.0, 1.0, 1.0]


def test_to_force_what_passes_is_not_to_force_it(weights: Path, hardware: Hardware) -> None:
    model = make(weights, hardware, force=True)
    model.reset(TASK)
    assert model.estimate(seen(hardware)).terms["forced"] == 0.0


def test_to_watch_needs_no_card_and_pays_nothing(weights: Path, hardware: Hardware) -> None:
    card_path(weights).unlink()
    model = make(weights, hardware, use="watch")
    model.reset(TASK)
    estimate = model.estimate(seen(hardware))
    assert estimate.value == 0.0
    assert (estimate.success, estimate.progress) == (None, None)
    assert estimate.terms["watched"] != 0.0
    assert estimate.terms["forced"] == 0.0


def test_before_anything_is_known_it_pays_nothing_and_knows_that(weights: Path, hardware: Hardware) -> None:
    model = make(weights, hardware)
    model.reset(TASK)
    estimate = model.estimate(observe(hardware, {}, None))
    assert (estimate.value, estimate.uncertainty, estimate.terms["known"]) == (0.0, 1.0, 0.0)


def test_features_that_are_no_numbers_are_an_error_that_names_them(weights: Path, hardware: Hardware) -> None:
    model = make(weights, hardware)
    model.reset(TASK)
    observation = seen(hardware)
    lost = {**observation.keypoints, "red_cube": Keypoint(np.array([np.nan, 0.0, 0.0]))}
    with pytest.raises(ValueError, match="not finite: .*tip_object_x"):
        model.estimate(replace(observation, keypoints=lost))


def test_a_value_that_is_no_number_never_leaves_it(tmp_path: Path, hardware: Hardware) -> None:
    path = tmp_path / "broken.safetensors"
    write_card(path, write_reward(path, TinyScorer(np.full(SIZE, np.nan))).weights_sha256)
    model = make(path, hardware)
    model.reset(TASK)
    with pytest.raises(ValueError, match="the value of a step is"):
        model.estimate(seen(hardware))


def test_another_robot_is_refused_by_name(weights: Path) -> None:
    with pytest.raises(ConfigError, match="learnt on the robot 'so101'.*'fr3'"):
        make(weights, load_hardware("sim_mujoco_fr3"))


@pytest.mark.parametrize(
    "changes", [{"feature_tag": "keypoints_0"}, {"feature_names": ("tip_object_x", "aperture")}]
)
def test_features_of_another_version_are_refused(
    tmp_path: Path, hardware: Hardware, changes: dict[str, object]
) -> None:
    path = tmp_path / "old.safetensors"
    write_card(path, write_reward(path, **changes).weights_sha256)
    with pytest.raises(ConfigError, match="learnt on other features"):
        make(path, hardware)


@pytest.mark.parametrize("scorer", ["tests.rewards.tiny_learned:Gone", "nowhere.at_all:Gone", "Gone"])
def test_a_scorer_whose_class_is_missing_is_named(weights: Path, hardware: Hardware, scorer: str) -> None:
    data = json.loads(facts_path(weights).read_text())
    facts_path(weights).write_text(json.dumps({**data, "scorer": scorer}))
    with pytest.raises(ConfigError, match=f"no scorer '{scorer}'"):
        make(weights, hardware)


def test_weights_that_were_changed_do_not_belong_to_their_facts(weights: Path, hardware: Hardware) -> None:
    other = weights.with_name("other.safetensors")
    write_reward(other, TinyScorer(np.zeros(SIZE)))
    weights.write_bytes(other.read_bytes())
    with pytest.raises(ConfigError, match="do not belong together"):
        make(weights, hardware)


@pytest.mark.parametrize("which", ["weights", "facts"])
def test_a_missing_file_is_named_with_what_makes_it(weights: Path, hardware: Hardware, which: str) -> None:
    (weights if which == "weights" else facts_path(weights)).unlink()
    with pytest.raises(ConfigError, match="tiny.*sinew reward fit"):
        make(weights, hardware)


def test_an_operator_wants_a_learner_that_tells_them_apart(weights: Path, hardware: Hardware) -> None:
    with pytest.raises(ConfigError, match="does not tell operators apart"):
        make(weights, hardware, operator="anna")


def test_a_reward_that_came_from_elsewhere_finds_its_encoder_beside_it_or_among_the_shipped_ones(
    tmp_path: Path, hardware: Hardware
) -> None:
    gone = shipped_config(Path("/somewhere/else") / SHIPPED.name)
    path, look = tmp_path / "seeing.safetensors", FeatureConfig("pictures", ("top",), gone)
    names = make_features(FeatureConfig("pictures", ("top",), shipped_config()), hardware)
    write_reward(
        path,
        TinyScorer(np.ones(len(names.names))),
        features=look,
        feature_names=names.names,
        feature_tag=names.tag,
        spreads=(),
    )
    assert encoder_of(path) == SHIPPED
    observation = observe(hardware)
    shown = replace(observation, frames={"top": CameraFrame(1, np.full((240, 320, 3), 90, np.uint8))})
    reward = make(path, hardware, force=True)
    reward.reset(TASK)
    assert np.isfinite(reward.estimate(shown).value)
    beside = tmp_path / SHIPPED.name
    weights = load_file(SHIPPED)
    save_file({name: array + 1 for name, array in weights.items()}, beside)
    assert encoder_of(path) == beside
    with pytest.raises(ConfigError, match="other features"):  # it is another encoder of the same name
        make(path, hardware, force=True)
