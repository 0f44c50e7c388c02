"""The figures of `sinew bench record`, from stamps and files whose figures are known."""

from __future__ import annotations

import os
import time
from pathlib import Path

import numpy as np
import pytest
from sinew_core.hardware import load_hardware
from sinew_core.types import JointCommand, Task
from sinew_data import topics
from sinew_data.episode import EpisodeEnd, start_of
from sinew_data.writer import EpisodeWriter
from sinew_nodes.bench_phase import Phase, processor_times, witness_hardware
from sinew_nodes.bench_record import control_figures, cost_figures, delays_around, latencies, lost_frames
from sinew_nodes.bench_station import (
    CAMERA,
    READS,
    STOPS,
    WRITES,
    WitnessStation,
    WitnessStationConfig,
    read_witness,
)

MS = 1_000_000
PERIOD = 30 * MS  # ns


def stamps(*milliseconds: float) -> np.ndarray:
    return np.array([round(ms * MS) for ms in milliseconds], np.int64)


def write_dataset(dataset: Path, kept: dict[str, list[int]], dropped: dict[str, int]) -> None:
    hardware = load_hardware("synthetic")
    writer = EpisodeWriter(dataset, start_of(hardware, Task("reach", ""), 0))
    for topic, times in kept.items():
        for at in times:
            writer.write(topic, topics.type_of(topic), at, at, b"\x00\x01\x00\x00" + bytes(1000))
    end = EpisodeEnd("timeout", dropped=dropped, extra={"queue_bytes_max": "2500000"})
    writer.finish(end).result(timeout=10)


def test_a_frame_counts_as_lost_unless_both_its_images_are_in_a_file(tmp_path: Path) -> None:
    published = stamps(0, 30, 60, 90, 120)
    phase = Phase({CAMERA + "top": published}, [(10 * MS, 100 * MS)])
    kept = {topics.color_topic("top"): [30 * MS, 60 * MS], topics.depth_topic("top"): [60 * MS, 90 * MS]}
    write_dataset(tmp_path, kept, {topics.JOINTS: 2})
    figures = lost_frames(phase, tmp_path)
    assert figures == {
        "dropped_frames": 2,
        "dropped_by_camera": {"top": 2},
        "published_frames": 3,
        "messages_lost": 2,
    }


def test_a_period_that_is_too_long_shows_only_around_the_episodes_end() -> None:
    reads = stamps(0, 30, 80, 110, 140, 172, 202)
    assert delays_around(reads, 141 * MS, 0.03) == pytest.approx(0.002)


def test_an_episodes_end_costs_what_its_delay_exceeds_that_without_a_recorder() -> None:
    def phase(delay: float) -> Phase:
        reads = stamps(0, 30, 60 + delay, 90 + delay)
        return Phase(
            {READS: reads, WRITES: reads + 12 * MS, CAMERA + "top": reads + 2 * MS}, [(0, 50 * MS)] * 2
        )

    figures = control_figures(phase(3.0), phase(7.0), 2, 0.03)
    assert figures["commit_block_ms_max"] == 4.0
    assert (figures["end_delay_ms_max_without"], figures["end_delay_ms_max_recording"]) == (3.0, 7.0)
    assert figures["latency_p50_ms_without"] == figures["latency_p99_ms_recording"] == 10.0
    assert control_figures(phase(7.0), phase(3.0), 2, 0.03)["commit_block_ms_max"] == 0.0


def test_latency_is_from_a_periods_first_frame_to_its_command() -> None:
    phase = Phase(
        {
            READS: stamps(0, 30),
            WRITES: stamps(14, 50),
            CAMERA + "a": stamps(3, 33),
            CAMERA + "b": stamps(1, 35),
        }
    )
    assert latencies(phase, 0, 100 * MS) == pytest.approx([0.013, 0.017])


def test_costs_are_those_of_the_first_episode(tmp_path: Path) -> None:
    write_dataset(tmp_path, {topics.color_topic("top"): [0]}, {})
    phase = Phase(episodes=[(0, 2_000 * MS), (0, MS)], cpu={"recorder_node": 0.5})
    figures = cost_figures(phase, tmp_path)
    (path,) = (tmp_path / "episodes").iterdir()
    assert figures["cpu_percent"] == 25.0
    assert figures["mb_per_min"] == round(path.stat().st_size / 1e6 * 30, 1)
    assert (figures["queue_mb_max"], figures["recorded_s"]) == (2.5, 2.0)


def test_a_station_leaves_behind_when_it_was_read_told_and_stopped(tmp_path: Path) -> None:
    hardware = load_hardware("synthetic")
    station = WitnessStation(WitnessStationConfig(tmp_path / "log.npz"), hardware, "reach")
    joints = station.arm.read()
    frames = [station.cameras["top"].read() for _ in range(2)]
    station.arm.write(JointCommand(joints.stamp, joints.position))
    station.close()
    seen = read_witness(tmp_path / "log.npz")
    assert list(seen[CAMERA + "top"]) == [frame.stamp for frame in frames]
    assert [len(seen[name]) for name in (READS, WRITES, STOPS)] == [1, 1, 1]
    assert seen[READS][0] <= frames[0].stamp <= seen[WRITES][0] <= seen[STOPS][0]


def test_its_images_have_the_noise_of_a_sensor(tmp_path: Path) -> None:
    hardware = load_hardware("synthetic")
    station = WitnessStation(WitnessStationConfig(tmp_path / "log.npz", noise=3.0), hardware, "reach")
    frame = station.cameras["top"].read()
    table = frame.rgb[:40, :40].astype(float)
    assert 2.0 < table.std(axis=(0, 1)).mean() < 4.0
    assert frame.depth is not None
    assert np.allclose(frame.depth * 1000, np.round(frame.depth * 1000), atol=1e-3)


def test_the_hardware_is_the_given_one_with_another_station(tmp_path: Path) -> None:
    hardware = load_hardware("synthetic")
    content = witness_hardware(hardware, tmp_path / "log.npz", 1.0)
    assert Path(content["robot"]).is_absolute()
    assert content["cameras"]["top"]["width"] == 640
    assert content["station"]["plugin"].endswith(":WitnessStation")


def test_processor_time_is_that_of_the_process() -> None:
    me = {"me": os.getpid()}
    before = processor_times(me)["me"]
    while processor_times(me)["me"] < before + 0.05:
        sum(range(10_000))
    assert processor_times(me)["me"] == pytest.approx(time.process_time(), abs=0.05)
