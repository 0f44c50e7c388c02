"""Which frames teach what, and which episodes end up where."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from sinew_core.errors import ConfigError
from sinew_rewards.classifier.frames import load_frames, one_kind, save_frames
from sinew_rewards.classifier.labels import LabelRule, label_all, labels_of
from sinew_rewards.classifier.splits import Shares, split_episodes
from squares import LENGTH, episode

RULE = LabelRule(positives=3, gap=4)
HERE = Path("nowhere")


def _ended(outcome: str, mark: str = "", success: bool = True) -> np.ndarray | None:
    made = episode(HERE, 0, success=success)
    facts = replace(made.facts, outcome=outcome, mark=mark)
    each = np.arange(LENGTH, dtype=np.int32)
    return labels_of(replace(made, facts=facts, truth=None, step=each), RULE)


def test_the_last_frames_of_a_success_are_positives_and_those_before_are_left_out() -> None:
    labels = _ended("success")
    assert labels is not None
    assert labels.tolist() == [0] * (LENGTH - 7) + [-1] * 4 + [1] * 3


@pytest.mark.parametrize("outcome", ["failure", "timeout"])
def test_every_frame_of_a_failed_episode_is_a_negative(outcome: str) -> None:
    labels = _ended(outcome)
    assert labels is not None
    assert not labels.any()


@pytest.mark.parametrize("outcome", ["interrupted", "stopped", "error", "refused"])
def test_an_episode_that_nobody_judged_teaches_nothing(outcome: str) -> None:
    assert _ended(outcome) is None


def test_a_persons_mark_wins_over_the_outcome() -> None:
    unmarked, failed, discarded = (
        _ended("success"),
        _ended("success", "failure"),
        _ended("success", "discarded"),
    )
    assert unmarked is not None
    assert failed is not None
    assert unmarked.any() and not failed.any()
    assert discarded is None


def test_a_simulators_truth_labels_frame_by_frame_unless_a_person_marked() -> None:
    made = episode(HERE, 0, success=True)
    labels = labels_of(made, LabelRule(blur=0))
    assert made.truth is not None
    assert labels is not None
    assert np.array_equal(labels, made.truth)
    marked = labels_of(replace(made, facts=replace(made.facts, mark="failure")), RULE)
    assert marked is not None
    assert not marked.any()


def test_a_simulators_truth_is_left_out_where_it_changes() -> None:
    made = replace(episode(HERE, 0, success=True), step=np.arange(LENGTH, dtype=np.int32))
    labels = labels_of(made, LabelRule(blur=2))
    assert made.truth is not None
    assert labels is not None
    change = int(made.truth.argmax())
    assert np.flatnonzero(labels == -1).tolist() == [change - 2, change - 1, change, change + 1]


def test_labels_count_control_periods_not_frames() -> None:
    made = episode(HERE, 0, success=True)
    sparse = replace(made, truth=None, step=np.arange(LENGTH, dtype=np.int32) * 2)
    labels = labels_of(sparse, LabelRule(positives=3, gap=2))
    assert labels is not None
    assert labels[-4:].tolist() == [0, -1, 1, 1]


def test_one_class_alone_is_refused() -> None:
    failed = [episode(HERE, i, success=False) for i in range(4)]
    with pytest.raises(ConfigError, match="64 frames of 4 episodes show no success"):
        label_all(failed, RULE)


def test_no_episodes_is_refused_with_what_was_left_out() -> None:
    with pytest.raises(ConfigError, match="no episodes to learn from"):
        label_all([], RULE)
    made = episode(HERE, 0, success=True)
    stopped = replace(made, truth=None, facts=replace(made.facts, outcome="stopped"))
    with pytest.raises(ConfigError, match=r"1 are left out \(1 stopped\)"):
        label_all([stopped], RULE)


@pytest.mark.parametrize("seed", range(6))
def test_splits_never_share_an_episode_and_all_have_both_classes(seed: int) -> None:
    made = [episode(HERE, i, success=i % 3 != 0) for i in range(17)]
    split = split_episodes(label_all(made, RULE)[0], Shares(), seed)
    parts = [split.train, split.validation, split.held_out]
    names = [item.name for part in parts for item in part]
    assert sorted(names) == sorted(item.facts.name for item in made)
    assert all(sum(e.positives for e in part) and sum(e.negatives for e in part) for part in parts)


def test_the_seed_alone_decides_the_split() -> None:
    made = [episode(HERE, i, success=i % 2 == 0) for i in range(20)]
    splits = [split_episodes(label_all(order, RULE)[0], Shares(), 4).names() for order in (made, made[::-1])]
    assert splits[0] == splits[1]
    assert splits[0] != split_episodes(label_all(made, RULE)[0], Shares(), 5).names()


def test_too_few_successes_to_split_are_refused() -> None:
    made = [episode(HERE, i, success=i < 2) for i in range(10)]
    with pytest.raises(ConfigError, match="10 episodes, 2 with success, cannot be split"):
        split_episodes(label_all(made, RULE)[0], Shares(), 0)


def test_frames_come_back_as_they_were_written(tmp_path: Path) -> None:
    made = episode(tmp_path, 3, success=True)
    save_frames(made)
    read = load_frames(made.path)
    assert read.facts == made.facts
    assert read.spec == made.spec
    assert np.array_equal(read.pictures, made.pictures)
    assert np.array_equal(read.step, made.step)


@pytest.mark.parametrize("spoil", [lambda data: data[:20], lambda data: b"", lambda data: data[:-500]])
def test_a_damaged_frame_file_is_named(tmp_path: Path, spoil: object) -> None:
    made = episode(tmp_path, 3, success=True)
    save_frames(made)
    made.path.write_bytes(spoil(made.path.read_bytes()))  # type: ignore[operator]
    with pytest.raises(ConfigError, match=made.path.name):
        load_frames(made.path)


def test_episodes_of_two_robots_are_refused_by_name() -> None:
    mixed = [episode(HERE, 0, success=True), episode(HERE, 1, success=True, robot="fr3")]
    with pytest.raises(ConfigError, match=r"several robots: so101 \(1, as put-000\); fr3 \(1, as put-001\)"):
        one_kind(mixed)
