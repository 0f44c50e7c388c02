"""The simulator bench ends with one line of JSON that has the documented keys."""

from __future__ import annotations

import json

import pytest
from sinew_sim import bench


def test_the_last_line_is_json_with_the_documented_keys(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert bench.main(["--hardware", "sim_mujoco", "--json", "--rounds", "1"]) == 0
    figures = json.loads(capsys.readouterr().out.splitlines()[-1])
    assert set(figures) == {"state_steps_per_s", "raw_steps_per_s", "ratio", "camera_steps_per_s"}
    assert all(value > 0 for value in figures.values())
    assert figures["ratio"] == pytest.approx(
        figures["state_steps_per_s"] / figures["raw_steps_per_s"], rel=0.01
    )
