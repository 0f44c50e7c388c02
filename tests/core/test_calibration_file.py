"""Calibrations lie over the hardware file of the same name."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest
from sinew_core.calibration_file import write_calibration
from sinew_core.errors import ConfigError
from sinew_core.hardware import find_hardware, load_hardware


@pytest.fixture
def hardware(tmp_path: Path) -> Path:
    source = find_hardware("sim_mujoco").parent
    shutil.copytree(source / "robots", tmp_path / "robots")
    return Path(shutil.copy(source / "sim_mujoco.yaml", tmp_path / "desk.yaml"))


def test_a_calibrated_lens_replaces_the_nominal_one_and_nothing_else(hardware: Path) -> None:
    before = load_hardware(str(hardware))
    lens = {"fx": 371.5, "fy": 370.25, "cx": 158.0, "cy": 121.5, "distortion": [0.1, -0.2, 0.0, 0.0, 0.0]}
    write_calibration(
        hardware, {"cameras": {"top": {"intrinsics": lens}}, "calibrated": {"top": "2026-11-29"}}
    )
    after = load_hardware(str(hardware))
    top = after.cameras["top"]
    assert (top.fx, top.fy, top.cx, top.cy) == (371.5, 370.25, 158.0, 121.5)
    np.testing.assert_array_equal(top.X_LC, before.cameras["top"].X_LC)
    assert after.cameras["side"].fx == before.cameras["side"].fx
    assert after.config.calibrated == {"top": "2026-11-29"}


def test_a_second_calibration_keeps_what_the_first_one_wrote(hardware: Path) -> None:
    write_calibration(hardware, {"calibrated": {"top": "2026-11-01"}})
    write_calibration(hardware, {"calibrated": {"side": "2026-11-29"}})
    assert load_hardware(str(hardware)).config.calibrated == {"top": "2026-11-01", "side": "2026-11-29"}


def test_a_calibration_is_no_hardware_of_its_own(hardware: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = write_calibration(hardware, {"calibrated": {"top": "2026-11-29"}})
    assert path.parent.name == "calibration"
    assert path not in list(hardware.parent.glob("*.yaml"))


def test_a_misspelt_key_in_a_calibration_is_told(hardware: Path) -> None:
    write_calibration(hardware, {"cameras": {"top": {"intrinsic": {}}}})
    with pytest.raises(ConfigError, match="Did you mean 'intrinsics'"):
        load_hardware(str(hardware))


def test_a_place_that_cannot_be_written_is_told(hardware: Path) -> None:
    (hardware.parent / "calibration").write_text("a file is in the way")
    with pytest.raises(ConfigError, match="cannot be written"):
        write_calibration(hardware, {"calibrated": {"top": "2026-11-29"}})
