"""The bench measures what it says, on a buffer small enough for a test."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from sinew_data.replay import bench


def test_two_cameras_are_stored_once_a_step(tmp_path: Path) -> None:
    figures = bench.measure(tmp_path / "replay", 100, 2)
    assert 2 * 128 * 128 * 3 < figures["bytes_per_transition"] < 110_000
    assert min(figures["sample_ms"], figures["add_us"]) > 0


def test_the_last_line_is_one_object(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert bench.main(["--transitions", "50", "--samples", "1", "--folder", str(tmp_path), "--json"]) == 0
    result = json.loads(capsys.readouterr().out.splitlines()[-1])
    assert {"bytes_per_transition", "sample_ms", "add_us"} <= set(result)
    assert list(tmp_path.iterdir()) == []
