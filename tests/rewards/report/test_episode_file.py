"""Trajectories in a file: read back as they were, and what is wrong with one hides no other."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import numpy as np
import pytest
from made_up import trajectories
from sinew_core.errors import ConfigError
from sinew_rewards.files import read_arrays, write_arrays
from sinew_rewards.learned.trajectory import Trajectory
from sinew_rewards.report.episode_file import load_episodes, save_episodes
from sinew_rewards.report.episodes import Wanted, open_episodes


@pytest.fixture
def path(tmp_path: Path) -> Path:
    path = tmp_path / "episodes.safetensors"
    items = trajectories(3, known=False)
    pictures = np.zeros((len(items[1].stamps), 8, 8, 3), np.uint8)
    whole = dataclasses.replace(items[0], truth=items[0].features[:, 0].astype(float), tree="a")
    seen = dataclasses.replace(items[1], pictures=pictures, success=None)
    save_episodes(path, [whole, seen, items[2]], task="push", robot="so101")
    return path


def test_episodes_are_read_back_as_they_were(path: Path) -> None:
    found = load_episodes(path)
    first, second, third = found.episodes.trajectories
    np.testing.assert_array_equal(first.features, trajectories(3)[0].features)
    np.testing.assert_array_equal(first.stamps, trajectories(3)[0].stamps)
    assert first.truth is not None
    assert (first.tree, first.success, first.progress) == ("a", True, None)
    assert second.success is None
    assert second.pictures is not None
    assert third.pictures is None
    assert (found.task, found.robot, found.recorded) == ("push", "so101", False)


def changed(path: Path, **changes: object) -> None:
    arrays, facts = read_arrays(path, "nobody")
    write_arrays(path, {**arrays, **{k: v for k, v in changes.items() if isinstance(v, np.ndarray)}}, facts)


def test_features_that_are_no_numbers_leave_their_episode_out_and_say_so(path: Path) -> None:
    arrays, _ = read_arrays(path, "nobody")
    features = arrays["1.features"].copy()
    features[4, 2] = np.nan
    changed(path, **{"1.features": features})
    found = load_episodes(path)
    assert [item.name for item in found.episodes.trajectories] == ["episode-00", "episode-02"]
    assert "feature 2 of row 4 is not finite" in found.problems[0]


def test_features_of_another_size_leave_their_episode_out(path: Path) -> None:
    changed(path, **{"2.features": np.zeros((30, 4), np.float32)})
    assert "expected features (rows, 19), got (30, 4)" in load_episodes(path).problems[0]


def test_a_file_of_another_kind_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "other.safetensors"
    write_arrays(path, {"a": np.zeros(3, np.float32)}, {})
    with pytest.raises(ConfigError, match=r"expected 'sinew-trajectories/1'"):
        load_episodes(path)
    path.write_bytes(b"nothing")
    with pytest.raises(ConfigError, match="is no safetensors file"):
        load_episodes(path)


def test_episodes_of_another_task_are_refused(path: Path, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="of the task 'push', not 'stack'"):
        open_episodes(path, Wanted(task="stack"), tmp_path)


def test_two_episodes_of_one_name_are_refused(tmp_path: Path) -> None:
    item: Trajectory = trajectories(1)[0]
    save_episodes(tmp_path / "twice.safetensors", [item, item], task="push", robot="so101")
    with pytest.raises(ConfigError, match="same name"):
        load_episodes(tmp_path / "twice.safetensors")
