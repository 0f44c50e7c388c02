"""A classifier from nothing but pictures: what it learns, what its card says, and what it may then do."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from sinew_core.errors import ConfigError
from sinew_core.hardware import Hardware, load_hardware
from sinew_core.models import make_reward
from sinew_core.plugins import build
from sinew_core.protocols import RewardModel
from sinew_core.types import Affordance
from sinew_rewards.classifier.card import card_path, load_card
from sinew_rewards.classifier.command import main
from sinew_rewards.classifier.labels import LabelRule, label_all
from sinew_rewards.classifier.making import page_path
from sinew_rewards.classifier.model import SuccessClassifier
from sinew_rewards.classifier.scorer import facts_path, load_facts, save_facts
from sinew_rewards.classifier.splits import Shares, split_episodes
from sinew_rewards.classifier.training import TrainConfig, Trainer, train
from squares import EDGE, TASK, edit_json, episode, hardware_file, make_folder, observe, picture
from squares import train as train_command

PLUGIN = "sinew_rewards.classifier.model:SuccessClassifier"


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_folder(tmp_path_factory.mktemp("frames"))


@pytest.fixture(scope="module")
def made(data: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("made") / "squares.safetensors"
    assert train_command(data, out) == 0
    return out


@pytest.fixture
def good(made: Path, tmp_path: Path) -> Path:
    """A copy of the trained classifier that a test may spoil."""
    for path in made.parent.glob("squares.*"):
        shutil.copy(path, tmp_path / path.name)
    return tmp_path / made.name


@pytest.fixture(scope="module")
def poor(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A classifier of labels that say nothing."""
    folder = tmp_path_factory.mktemp("poor")
    out = folder / "poor.safetensors"
    assert train_command(make_folder(folder / "frames", 15, shuffled=True), out, steps=50) == 0
    return out


def model(weights: Path, hardware: Hardware, **fields: object) -> RewardModel:
    spec = {"plugin": PLUGIN, "weights": str(weights), **fields}
    return build(spec, RewardModel, "test", hardware=hardware)


def test_a_square_in_its_place_is_learnt_and_the_card_passes(good: Path, hardware: Hardware) -> None:
    card = load_card(card_path(good))
    assert card.passed, card.failures()
    classifier = model(good, hardware)
    classifier.reset(TASK)
    rng = np.random.default_rng(1)
    for done in [True, False] * 10:
        estimate = classifier.estimate(observe(hardware, [("top", picture(rng, done=done))]))
        assert estimate.success is not None
        assert (estimate.success >= 0.5) == done == (estimate.value == 1.0)
        assert estimate.uncertainty is None


def test_labels_that_say_nothing_fail_the_card_and_the_plugin_refuses(poor: Path, hardware: Hardware) -> None:
    failures = load_card(card_path(poor)).failures()
    assert any(sentence.startswith(("precision", "recall")) for sentence in failures)
    with pytest.raises(ConfigError, match="may not end episodes") as refused:
        model(poor, hardware)
    assert all(sentence in str(refused.value) for sentence in failures)


@pytest.mark.parametrize(("done", "threshold"), [(True, 1.0), (False, 1e-9)])
def test_success_is_on_the_verdicts_side_of_one_half(
    good: Path, hardware: Hardware, *, done: bool, threshold: float
) -> None:
    classifier = model(good, hardware, threshold=threshold, force=True)
    classifier.reset(TASK)
    frame = picture(np.random.default_rng(1), done=done)
    estimate = classifier.estimate(observe(hardware, [("top", frame)]))
    assert estimate.success is not None
    assert (estimate.terms["probability"] >= 0.5) is done
    assert (np.float32(estimate.success) >= 0.5) == bool(estimate.value) == (not done)


def test_force_overrides_a_failed_card_and_says_so(
    poor: Path, hardware: Hardware, caplog: pytest.LogCaptureFixture
) -> None:
    classifier = model(poor, hardware, force=True)
    assert "forced" in caplog.text
    frame = picture(np.random.default_rng(0), done=True)
    assert classifier.estimate(observe(hardware, [("top", frame)])).success is not None


def test_a_classifier_that_ends_no_episodes_never_says_success(poor: Path, hardware: Hardware) -> None:
    classifier = model(poor, hardware, ends_episode=False)
    rng = np.random.default_rng(0)
    estimates = [classifier.estimate(observe(hardware, [("top", picture(rng, done=True))])) for _ in range(5)]
    assert all(estimate.success is None and "probability" in estimate.terms for estimate in estimates)


def test_a_missing_camera_frame_is_no_success_and_uncertain(good: Path, hardware: Hardware) -> None:
    estimate = model(good, hardware).estimate(observe(hardware, []))
    assert (estimate.value, estimate.success, estimate.uncertainty) == (0.0, None, 0.5)
    assert estimate.terms["seen"] == 0.0


@pytest.mark.parametrize("light", [0, 255])
def test_a_black_or_white_frame_is_no_success_and_uncertain(
    good: Path, hardware: Hardware, light: int
) -> None:
    frame = np.full((EDGE, EDGE, 3), light, np.uint8)
    estimate = model(good, hardware).estimate(observe(hardware, [("top", frame)]))
    assert (estimate.value, estimate.success, estimate.uncertainty) == (0.0, None, 0.5)


def test_a_frame_of_another_size_is_refused_by_its_camera(good: Path, hardware: Hardware) -> None:
    frame = np.zeros((EDGE, EDGE + 8, 3), np.uint8)
    with pytest.raises(ValueError, match=r"camera 'top': got an image of uint8 \(24, 32, 3\)"):
        model(good, hardware).estimate(observe(hardware, [("top", frame)]))


def test_another_camera_size_name_or_robot_is_refused_by_name(good: Path, tmp_path: Path) -> None:
    for changed, words in (
        ({"width": 48}, "camera 'top' at 24x24, and .* has it at 48x24"),
        ({"camera": "side"}, "looks at camera 'top', which .* does not have. Available: side"),
        ({"robot": "fr3"}, "robot 'so101', and .* has 'fr3'"),
    ):
        with pytest.raises(ConfigError, match=words):
            model(good, load_hardware(str(hardware_file(tmp_path, **changed))))


def test_weights_of_another_version_are_refused_by_version(good: Path, hardware: Hardware) -> None:
    edit_json(facts_path(good), format="sinew-success-classifier/0")
    with pytest.raises(ConfigError, match=r"version 'sinew-success-classifier/0', this Sinew reads .*/1"):
        model(good, hardware)


def test_weights_and_facts_that_do_not_belong_together_are_refused(
    good: Path, poor: Path, hardware: Hardware
) -> None:
    shutil.copy(poor, good)
    with pytest.raises(ConfigError, match="do not belong together"):
        model(good, hardware)


def test_a_card_of_other_weights_or_another_threshold_does_not_count(
    good: Path, poor: Path, hardware: Hardware
) -> None:
    with pytest.raises(ConfigError, match="about threshold .*, not 0.9"):
        model(good, hardware, threshold=0.9)
    edit_json(card_path(good), weights_sha256="0" * 64)
    with pytest.raises(ConfigError, match="about other weights"):
        model(good, hardware)
    card_path(good).unlink()
    with pytest.raises(ConfigError, match="there is no report card"):
        model(good, hardware)


def test_a_verdict_written_into_a_failed_card_by_hand_changes_nothing(
    poor: Path, hardware: Hardware, tmp_path: Path
) -> None:
    for path in poor.parent.glob("poor.*"):
        shutil.copy(path, tmp_path / path.name)
    edit_json(card_path(tmp_path / poor.name), passed=True, failures=[])
    with pytest.raises(ConfigError, match="may not end episodes"):
        model(tmp_path / poor.name, hardware)


def test_it_serves_as_a_reward_file_and_as_the_judge_of_another_reward(
    good: Path, hardware: Hardware, tmp_path: Path
) -> None:
    alone = tmp_path / "alone.yaml"
    alone.write_text(f"plugin: {PLUGIN}\nweights: {good}\n")
    assert isinstance(make_reward(str(alone), hardware, "put"), SuccessClassifier)
    judging = tmp_path / "judging.yaml"
    judging.write_text(
        "plugin: sinew_rewards.affordance_path:AffordancePath\n"
        f"success: {{plugin: {PLUGIN}, weights: {good}}}\n"
    )
    path = make_reward(str(judging), hardware, "put")
    path.reset(TASK)
    rng, way = np.random.default_rng(3), np.array([[0.2, 0.0, 0.1]])
    reach = Affordance(1, "reach", None, way, way[0], "test", np.array([False]))
    for done in (True, False):
        seen = observe(hardware, [("top", picture(rng, done=done))])
        estimate = path.estimate(replace(seen, affordance=reach))
        assert (estimate.value == 0.0) == done  # what the form pays for success, and for nothing else


def test_an_episode_after_reset_equals_the_first(good: Path, hardware: Hardware) -> None:
    classifier, rng = model(good, hardware), np.random.default_rng(4)
    frames = [picture(rng, done=bool(i % 2)) for i in range(6)]
    runs = []
    for _ in range(2):
        classifier.reset(TASK)
        runs.append([classifier.estimate(observe(hardware, [("top", frame)])) for frame in frames])
    assert runs[0] == runs[1]
    assert runs[0][-1].terms["flips"] == 5.0


def test_resumed_training_equals_uninterrupted(tmp_path: Path) -> None:
    made = [episode(tmp_path, i, success=i % 2 == 0) for i in range(8)]
    split = split_episodes(label_all(made, LabelRule())[0], Shares(), 0)
    config = TrainConfig(seed=3, steps=30, batch=16, every=10)
    whole = Trainer(config, split)
    expected = train(whole, lambda _, __: None)

    first, checkpoint = Trainer(config, split), tmp_path / "w.checkpoint"
    for _ in range(17):
        first.step()
    first.save(checkpoint)
    second = Trainer(config, split)
    second.load(checkpoint)
    resumed = train(second, lambda _, __: None)

    assert second.progress.history == whole.progress.history
    for (name, a), b in zip(expected.state_dict().items(), resumed.state_dict().values(), strict=True):
        assert a.equal(b), name


def test_a_checkpoint_of_other_data_is_refused(tmp_path: Path) -> None:
    config, rule = TrainConfig(steps=10, batch=8), LabelRule()
    made = [episode(tmp_path, i, success=i % 2 == 0) for i in range(8)]
    trainer = Trainer(config, split_episodes(label_all(made, rule)[0], Shares(), 0))
    trainer.save(tmp_path / "w.checkpoint")
    changed = [replace(item, pictures=255 - item.pictures) for item in made]
    other = Trainer(config, split_episodes(label_all(changed, rule)[0], Shares(), 0))
    with pytest.raises(ConfigError, match="training with another data"):
        other.load(tmp_path / "w.checkpoint")


def test_the_same_command_makes_the_same_weights_and_another_seed_others(data: Path, tmp_path: Path) -> None:
    digests = []
    for i, seed in enumerate(("1", "1", "2")):
        out = tmp_path / f"{i}.safetensors"
        train_command(data, out, "--seed", seed, steps=4)
        digests.append(load_facts(out).weights_sha256)
    assert digests[0] == digests[1] != digests[2]


def test_a_fine_classifier_says_so_and_serves(data: Path, hardware: Hardware, tmp_path: Path) -> None:
    out = tmp_path / "fine.safetensors"
    train_command(data, out, "--fine", steps=4)
    assert load_facts(out).sizes.halvings == 3
    classifier = model(out, hardware, force=True)
    classifier.reset(TASK)
    frame = picture(np.random.default_rng(1), done=True)
    said = classifier.estimate(observe(hardware, [("top", frame)])).terms["probability"]
    beside = load_facts(out)
    save_facts(out, replace(beside, sizes=replace(beside.sizes, halvings=4)))
    coarse = model(out, hardware, force=True)
    coarse.reset(TASK)
    assert coarse.estimate(observe(hardware, [("top", frame)])).terms["probability"] != said


def test_provenance_names_no_machine_paths(made: Path) -> None:
    for path in (facts_path(made), card_path(made), page_path(made)):
        assert str(made.parent.parent) not in path.read_text()


def test_the_card_leaves_out_what_the_classifier_was_made_of(
    good: Path, data: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["card", str(good), str(data), "--json"]) == 0
    card = json.loads(capsys.readouterr().out)
    split = load_facts(good).split
    assert card["held_out"] == list(split["held_out"])
    assert main(["card", str(good), str(data), "--threshold", "0.9", "--recall", "1", "--json"]) in (0, 1)
    assert json.loads(capsys.readouterr().out)["threshold"] == 0.9


def test_the_page_holds_everything_itself_and_shows_its_mistakes(poor: Path) -> None:
    page = page_path(poor).read_text()
    assert not any(mark in page for mark in ("http:", "https:", "<script", "url("))
    card = load_card(card_path(poor))
    assert all(sentence in page for sentence in card.failures())
    shown = card.false_positives or card.near_positives
    assert page.count("data:image/png;base64,") == len(shown) + len(card.false_negatives) > 0
