"""The bench, on a few short sequences."""

from __future__ import annotations

import json

import pytest
from sinew_eval.benches.tracking.bench import main


def test_names_stay_and_places_are_right_in_the_simulator(capsys: pytest.CaptureFixture[str]) -> None:
    events = ["moved", "passing", "covered", "carried"]
    argv = ["--hardware", "sim_mujoco", "--sequences", "1", "--seed", "3", "--json", "--events", *events]
    main(argv)  # its exit code judges the time, too
    result = json.loads(capsys.readouterr().out.splitlines()[-1])
    assert list(result["events"]) == events
    assert result["median_mm"] < 10
    assert result["identity_kept"] == 1.0
    assert result["identities"] >= 4
    assert result["ms_per_frame"] > 0
