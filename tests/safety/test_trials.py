"""The random motions of the bench, on the real control path and a simulated station."""

import json
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from sinew_core.errors import ConfigError
from sinew_eval import bench
from sinew_safety.config import CONSTRAINTS
from sinew_safety.trials import SAFE, Trials


@pytest.fixture(scope="module")
def trials() -> Iterator[Trials]:
    trials = Trials("sim_mujoco")
    yield trials
    trials.close()


def test_motions_begin_safe_and_lead_into_something(trials: Trials) -> None:
    motions = list(trials.motions(8, seed=3))
    assert [motion.constraint for motion in motions] == 2 * list(CONSTRAINTS)
    for motion in motions:
        assert min(trials.judge.smallest(motion.start).values()) > SAFE
        assert trials.judge.smallest(motion.goals[0])[motion.constraint] < 0
        assert 0.1 <= motion.speed <= 1


def test_a_motion_depends_on_its_seed_alone(trials: Trials) -> None:
    (first, *_), (again, *_) = list(trials.motions(2, seed=3)), list(trials.motions(1, seed=3))
    np.testing.assert_array_equal(first.start, again.start)
    np.testing.assert_array_equal(first.goals, again.goals)


def test_motions_that_penetrate_do_not_with_the_filter(trials: Trials) -> None:
    motions = list(trials.motions(8, seed=10_000))
    off = [trials.run(motion, filtered=False) for motion in motions]
    on = [trials.run(motion, filtered=True) for motion in motions]
    assert sum(min(outcome.target.values()) < -1e-6 for outcome in off) >= 4
    assert all(min(*outcome.target.values(), *outcome.arm.values()) > 0 for outcome in on)
    assert all(len(outcome.seconds) == 55 for outcome in on)
    assert not any(outcome.seconds for outcome in off)


def test_another_simulator_is_refused() -> None:
    with pytest.raises(ConfigError, match="'sim_pybullet' is no MuJoCo station"):
        Trials("sim_pybullet")


def test_the_bench_ends_with_its_figures(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "barrier.json"
    arguments = ["barrier", "--hardware", "sim_mujoco", "--motions", "4", "--json", "--out", str(out)]
    bench.main(arguments)  # its exit code tells of speed, too, which is not for a test
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == 1
    result = json.loads(lines[0])
    assert result == json.loads(out.read_text())
    assert result["penetrations_on"] == 0
    assert result["penetrations_off"] > 0
    assert result["motions"] == 4
    assert result["smallest_distance_mm"] > 0
    assert 0 < result["solve_ms_median"] <= result["solve_ms"] <= result["solve_ms_max"]
    assert set(result["robots"]["sim_mujoco"]["on"]) == set(CONSTRAINTS)


@pytest.mark.parametrize("fastest", ["0", "1.5", "fast"])
def test_a_speed_that_is_no_share_is_a_mistake(fastest: str) -> None:
    with pytest.raises(SystemExit) as failure:
        bench.main(["barrier", "--fastest", fastest])
    assert failure.value.code == 2
