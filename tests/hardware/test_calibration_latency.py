from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pytest
from sinew_core.errors import ConfigError
from sinew_core.types import FloatArray
from sinew_hardware.calibration.board import NO_CORNERS, Corners
from sinew_hardware.calibration.latency import LatencyResult, estimate_latency
from sinew_hardware.calibration.picture_motion import marker_motion, picture_motion
from sinew_hardware.calibration.sweep import chirp, lost_motion, smoothed
from sinew_hardware.emulators.calibration_scene import Sweep, wrist_scene

LATENCY = 0.083
Stamps = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Recorded:
    joint_stamps: Stamps
    joint: FloatArray
    frame_stamps: Stamps
    motion: FloatArray

    def estimate(self) -> LatencyResult:
        return estimate_latency(self.joint_stamps, self.joint, self.frame_stamps, self.motion)


def ns(seconds: FloatArray) -> Stamps:
    stamps: Stamps = np.round(1e9 * seconds).astype(np.int64) + 1_700_000_000_000_000_000
    return stamps


def recorded(
    seed: int = 0,
    latency: float = LATENCY,
    jitter: float = 0.003,
    play: float = 0.0,
    noise: float = 0.3,
    rate: float = 50.0,
    pace: float = 0.0,
    seconds: float = 10.0,
) -> Recorded:
    """A marker on a circle: frames at 30 Hz, stamped late and unevenly; with a pace, an even sweep in Hz."""
    rng = np.random.default_rng(seed)
    fine = np.arange(0.0, seconds, 0.001)
    q = 0.3 * np.sin(2 * np.pi * pace * fine) if pace else chirp(fine, 0.3)
    shown = np.arange(0.2, seconds, 1 / 30)
    read = np.arange(0.0, seconds, 1 / rate) + rng.uniform(0, 0.2 / rate, round(seconds * rate))
    angle = np.interp(shown, fine, q + lost_motion(q, play))
    pixels = np.column_stack([320 + 300 * np.sin(angle + 0.4), 240 + 100 * np.cos(angle + 0.4)])
    return Recorded(
        ns(read),
        np.interp(read, fine, q) + rng.normal(0, 0.0015, len(read)),
        ns(shown + latency + rng.gamma(2, jitter / 2, len(shown)) - jitter),
        pixels + rng.normal(0, noise, pixels.shape),
    )


@pytest.mark.parametrize("latency", [-0.02, 0.0, 0.083, 0.3])
def test_latency_is_found_to_3_ms_in_jittering_frames(latency: float) -> None:
    for seed in range(3):
        assert recorded(seed, latency).estimate().latency == pytest.approx(latency, abs=0.003)


def test_slow_joint_readings_suffice() -> None:
    assert recorded(rate=20.0).estimate().latency == pytest.approx(LATENCY, abs=0.003)


def test_play_in_the_joint_is_not_taken_for_latency() -> None:
    assert recorded(play=0.01).estimate().latency == pytest.approx(LATENCY, abs=0.003)


def test_the_uncertainty_is_what_the_estimates_scatter_by() -> None:
    found = [recorded(seed, noise=2.0).estimate() for seed in range(12)]
    scatter = np.std([f.latency for f in found])
    assert 0.5 < scatter / np.mean([f.std for f in found]) < 2


def test_a_clock_that_is_ahead_is_part_of_the_latency() -> None:
    data = recorded()
    ahead = estimate_latency(data.joint_stamps, data.joint, data.frame_stamps + 40_000_000, data.motion)
    assert ahead.latency == pytest.approx(data.estimate().latency + 0.04, abs=5e-4)


def test_neither_scale_nor_direction_of_the_motion_matters() -> None:
    data = recorded()
    other = estimate_latency(data.joint_stamps, data.joint, data.frame_stamps, -0.01 * data.motion[:, ::-1])
    assert other.latency == pytest.approx(data.estimate().latency, abs=1e-6)


def test_an_even_sweep_is_refused() -> None:
    with pytest.raises(ConfigError, match="changing pace"):
        recorded(pace=2.0).estimate()


def test_a_joint_at_rest_is_refused() -> None:
    data = recorded()
    with pytest.raises(ConfigError, match="hardly moved"):
        estimate_latency(data.joint_stamps, 0.01 * data.joint, data.frame_stamps, data.motion)


def test_a_still_picture_is_refused() -> None:
    data = recorded()
    with pytest.raises(ConfigError, match="Nothing moved in the picture"):
        estimate_latency(data.joint_stamps, data.joint, data.frame_stamps, np.zeros_like(data.motion))


def test_a_motion_that_is_not_the_joints_is_refused() -> None:
    data = recorded()
    other = np.cumsum(np.random.default_rng(0).normal(size=data.motion.shape), axis=0)
    with pytest.raises(ConfigError, match=r"follows the joint badly|explain the motion about as well"):
        estimate_latency(data.joint_stamps, data.joint, data.frame_stamps, other)


def test_a_latency_beyond_all_reason_is_refused() -> None:
    with pytest.raises(ConfigError, match=r"by one clock|follows the joint badly|lie within"):
        recorded(latency=0.8).estimate()


def test_other_clocks_altogether_are_refused() -> None:
    data = recorded()
    with pytest.raises(ConfigError, match="0 frames .* lie within the joint's sweep"):
        estimate_latency(data.joint_stamps, data.joint, data.frame_stamps - 10**18, data.motion)


def test_a_short_recording_is_refused() -> None:
    with pytest.raises(ConfigError, match="record longer"):
        recorded(seconds=2.0).estimate()


def test_a_marker_too_noisy_to_tell_is_refused() -> None:
    with pytest.raises(ConfigError, match="uncertain by"):
        recorded(noise=12.0).estimate()


@pytest.fixture(scope="module")
def sweep() -> Sweep:
    return wrist_scene(0, (320, 240)).sweep(seconds=6.0, samples=1)


def test_a_marker_in_rendered_frames_tells_the_latency(sweep: Sweep) -> None:
    scene = wrist_scene(0, (320, 240))
    frames, motion = marker_motion([scene.find(picture) for picture in sweep.pictures])
    found = estimate_latency(sweep.joint_stamps, sweep.joint, sweep.frame_stamps[frames], motion)
    assert found.latency == pytest.approx(sweep.latency, abs=0.003)
    assert found.std < 0.003


def test_the_flow_of_rendered_frames_tells_the_latency_without_a_marker(sweep: Sweep) -> None:
    motion = picture_motion(sweep.pictures)
    found = estimate_latency(sweep.joint_stamps, sweep.joint, sweep.frame_stamps, motion)
    assert found.latency == pytest.approx(sweep.latency, abs=0.003)


def seen(ids: list[int], shift: float) -> Corners:
    n = len(ids)
    return Corners(np.array(ids, np.int32), np.array(ids)[:, None] * 10.0 + shift, np.zeros((n, 3)))


def test_a_marker_is_followed_by_the_corners_that_are_nearly_always_seen() -> None:
    series = [seen([0, 1, 2], k) if k % 5 else seen([0, 1], k) for k in range(20)]
    series[7] = NO_CORNERS
    frames, motion = marker_motion(series)
    assert frames.tolist() == [k for k in range(20) if k != 7]
    np.testing.assert_allclose(np.diff(motion[:7], axis=0), 1.0)


def test_a_marker_seen_in_few_frames_is_refused() -> None:
    with pytest.raises(ConfigError, match="seen in 25 %"):
        marker_motion([seen([0, 1], 0.0) if k % 4 == 0 else NO_CORNERS for k in range(20)])


def test_a_sweep_starts_and_ends_at_rest() -> None:
    times = np.arange(0.0, 8.0, 0.01)
    offsets = chirp(times, 0.3)
    speed = np.gradient(offsets, times)
    assert abs(offsets[0]) < 1e-9
    assert abs(offsets[-1]) < 1e-4
    assert abs(speed[[0, -1]]).max() < 0.02
    assert 0.2 < abs(offsets).max() <= 0.3


def test_smoothing_delays_nothing() -> None:
    times = np.arange(0, 4, 0.016) + np.random.default_rng(0).uniform(0, 0.008, 250)
    grid, smooth = smoothed(times, np.sin(2 * np.pi * times))
    inside = (grid > 0.2) & (grid < 3.8)
    np.testing.assert_allclose(smooth[inside], np.sin(2 * np.pi * grid[inside]), atol=2e-3)


def test_play_loses_its_width_after_a_reversal() -> None:
    q = np.array([0.0, 1.0, 2.0, 1.9, 1.0, 0.0])
    np.testing.assert_allclose(q + lost_motion(q, 0.1), [0.0, 0.9, 1.9, 1.9, 1.1, 0.1])
