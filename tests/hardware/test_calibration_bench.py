from __future__ import annotations

import json

import pytest
from sinew_core.errors import ConfigError
from sinew_hardware import bench_calibration


@pytest.fixture
def measures(monkeypatch: pytest.MonkeyPatch) -> None:
    quick = {"one": lambda seed: {"hand_eye_mm": float(seed)}, "two": lambda seed: {"other_deg": 2.0}}
    monkeypatch.setattr(bench_calibration, "MEASURES", quick)


@pytest.mark.usefixtures("measures")
def test_the_last_line_has_medians_and_the_worst(capsys: pytest.CaptureFixture[str]) -> None:
    assert bench_calibration.main(["--seeds", "3", "--seed", "4"]) == 0
    found = json.loads(capsys.readouterr().out.splitlines()[-1])
    assert found["hand_eye_mm"] == 5.0
    assert found["worst"] == {"hand_eye_mm": 6.0, "other_deg": 2.0}
    assert found["targets"] == {"hand_eye_mm": 2.0}
    assert found["seeds"] == [4, 5, 6]


@pytest.mark.usefixtures("measures")
def test_json_is_all_that_is_printed(capsys: pytest.CaptureFixture[str]) -> None:
    bench_calibration.main(["--json", "--only", "two"])
    out = capsys.readouterr().out
    assert len(out.splitlines()) == 1
    assert json.loads(out)["other_deg"] == 2.0
    assert "hand_eye_mm" not in json.loads(out)


@pytest.mark.usefixtures("measures")
def test_no_seeds_are_refused() -> None:
    with pytest.raises(ConfigError, match="at least 1"):
        bench_calibration.main(["--seeds", "0"])


def test_every_target_has_a_measure() -> None:
    assert set(bench_calibration.MEASURES) == {"homing", "lens", "hand_eye", "fixed", "latency"}
