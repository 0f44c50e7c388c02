"""An .npz holds every value as it was recorded, bit by bit, in bounded memory."""

from __future__ import annotations

import json
import tracemalloc
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from made_episodes import PERIOD, START, make_frame, make_hardware, make_step, record_steps
from sinew_core.hardware import Hardware
from sinew_core.runtime import Step
from sinew_core.types import Keypoint
from sinew_data.dataset import Dataset
from sinew_data.export.npz import write_npz
from sinew_data.export.plan import make_plan
from sinew_data.export.request import ExportRequest


@pytest.fixture
def hardware(tmp_path: Path) -> Hardware:
    return make_hardware(tmp_path)


def exported(dataset: Path, root: Path, **request: Any) -> tuple[dict[str, Any], list[Any]]:
    root.mkdir()
    plan = make_plan(Dataset(dataset), ExportRequest(depth=True, **request))
    write_npz(root, plan)
    index = json.loads((root / "index.json").read_text())
    return index, [np.load(root / episode["file"], allow_pickle=False) for episode in index["episodes"]]


def test_every_array_is_exact(tmp_path: Path, hardware: Hardware) -> None:
    record_steps(tmp_path / "set", hardware, 15)
    index, (arrays,) = exported(tmp_path / "set", tmp_path / "out")
    steps = [make_step(hardware, k, START + k * PERIOD) for k in range(15)]
    for name, values in {
        "state": [step.observation.joints.position for step in steps],
        "velocity": [step.observation.joints.velocity for step in steps],
        "action": [step.executed.position for step in steps],
        "reward": [step.reward.value for step in steps],
        "reward.progress": [0.5] * 15,
        "reward.term.near": [step.reward.terms["near"] for step in steps],
        "keypoints.cube": [step.observation.keypoints["cube"].position for step in steps],
        "keypoints.cube.yaw": [0.1] * 15,
        "images.top": [step.observation.frames["top"].rgb for step in steps],
        "images.side": [step.observation.frames["side"].rgb for step in steps],
        "stamp": [step.observation.stamp for step in steps],
        "stamp.top": [step.observation.stamp for step in steps],
        "moment": [START + k * PERIOD for k in range(15)],
        "owner": [1] * 15,
        "intervention": [False] * 15,
    }.items():
        expected = np.array(values)
        np.testing.assert_array_equal(arrays[name], expected, err_msg=name)
        assert arrays[name].dtype == expected.dtype, name
    depth = np.array([np.rint(step.observation.frames["top"].depth * 1000) for step in steps])
    np.testing.assert_array_equal(arrays["depth.top"], depth)
    assert arrays["depth.top"].dtype == np.uint16
    assert "depth.side" not in arrays
    shapes = {name: tuple(about["shape"]) for name, about in index["episodes"][0]["arrays"].items()}
    assert shapes == {name: arrays[name].shape for name in arrays.files}
    camera = index["episodes"][0]["cameras"]["top"]
    assert camera["fx"] == hardware.cameras["top"].fx
    assert index["episodes"][0]["joints"] == list(hardware.robot.joint_names)


def test_keypoints_that_come_and_go_are_left_out(tmp_path: Path, hardware: Hardware) -> None:
    def sometimes(step: Step) -> Step:
        extra = {"bowl": Keypoint(np.zeros(3))} if step.index == 3 else {}
        points = {**step.observation.keypoints, **extra}
        return replace(step, observation=replace(step.observation, keypoints=points))

    record_steps(tmp_path / "set", hardware, 6, change=sometimes)
    _, (arrays,) = exported(tmp_path / "set", tmp_path / "out")
    assert not any(name.startswith("keypoints") for name in arrays.files)


def test_a_frame_without_its_depth_does_not_count(tmp_path: Path, hardware: Hardware) -> None:
    def blind(step: Step) -> Step:
        frame = make_frame(hardware, "top", step.index, step.observation.stamp)
        frames = {**step.observation.frames, "top": replace(frame, depth=None)}
        return (
            replace(step, observation=replace(step.observation, frames=frames)) if step.index == 4 else step
        )

    record_steps(tmp_path / "set", hardware, 10, change=blind)
    index, (arrays,) = exported(tmp_path / "set", tmp_path / "out", allow_gaps=True)
    assert index["episodes"][0]["rows_left_out"]["gaps"] == 1
    assert len(arrays["images.top"]) == len(arrays["depth.top"]) == len(arrays["state"]) == 9


def test_a_fractional_rate_is_kept(tmp_path: Path) -> None:
    slow = make_hardware(tmp_path, period=0.03)
    record_steps(tmp_path / "set", slow, 10, stamps=lambda k: START + k * 30_000_000)
    index, (arrays,) = exported(tmp_path / "set", tmp_path / "out")
    assert index["fps"] == pytest.approx(1 / 0.03)
    np.testing.assert_array_equal(arrays["moment"], arrays["stamp"])


def test_memory_does_not_grow_with_the_episode(tmp_path: Path) -> None:
    wide = make_hardware(tmp_path, width=640)
    record_steps(tmp_path / "set", wide, 400)  # 61 MB of images and depth
    tracemalloc.start()
    _, (arrays,) = exported(tmp_path / "set", tmp_path / "out")
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert arrays["images.top"].nbytes > 36e6
    assert peak < 30e6
