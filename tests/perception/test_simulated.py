"""The detector on the simulators' own pictures."""

from __future__ import annotations

import json

import pytest
from sinew_perception.bench import main


@pytest.mark.parametrize("hardware", ["sim_mujoco", "sim_pybullet"])
def test_keypoints_agree_with_the_simulator(hardware: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--hardware", hardware, "--scenes", "20", "--seed", "7", "--json"]) == 0
    result = json.loads(capsys.readouterr().out.splitlines()[-1])
    assert result["visible"] > 40
    assert result["misses"] == result["false"] == 0
    assert result["median_mm"] < 8
    assert result["p95_mm"] < 20
