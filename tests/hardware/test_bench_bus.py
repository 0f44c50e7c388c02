"""The bus bench ends with its keys, and its limit is what a real exchange of bytes takes."""

from __future__ import annotations

import json

import pytest
from memory_bus import BAUD, ROBOT, MemoryBus
from sinew_core.errors import ConfigError
from sinew_core.types import JointCommand
from sinew_hardware import bench_bus
from sinew_hardware.emulators.emulated_bus import RETURN_DELAY


def test_a_tiny_run_ends_with_the_keys(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(bench_bus, "FLAT_OUT", 0.2)
    assert bench_bus.main(["--seconds", "0.3", "--rate", "50"]) == 0
    *lines, last = capsys.readouterr().out.splitlines()
    figures = json.loads(last)
    assert {line.split()[0] for line in lines} == set(figures)
    assert (figures["servos"], figures["baud"]) == (6, 1_000_000)
    assert 14 <= figures["cycles"] <= 16
    assert figures["hz"] > 0
    assert 0 <= figures["late_percent"] <= 100
    assert figures["share_of_bus_limit"] == pytest.approx(
        figures["flat_out_hz"] / figures["bus_limit_hz"], abs=0.001
    )


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["--hardware", "so101"], "so101.yaml: expected a station with an emulator"),
        (["--hardware", "sim_mujoco"], "sim_mujoco.yaml: expected a station of real or emulated devices"),
        (["--rate", "0"], "got 0 Hz"),
        (["--seconds", "0.01"], "at least two cycles"),
    ],
)
def test_what_cannot_be_measured_is_said(words: list[str], sentence: str) -> None:
    with pytest.raises(ConfigError, match=sentence):
        bench_bus.main(words)


@pytest.mark.parametrize("make", ["feetech", "dynamixel"])
def test_the_limit_is_the_time_of_the_bytes_that_really_go_over_the_wire(
    make: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    servos = MemoryBus(make)
    arm = servos.arm(monkeypatch)
    command = JointCommand(1, ROBOT.home)
    arm.write(command)  # the first one brings torque with it
    servos.port.sent = servos.port.came = b""
    arm.read()
    arm.write(command)
    counted = 10 * len(servos.port.sent + servos.port.came) / BAUD + 6 * RETURN_DELAY
    assert bench_bus.wire_time(arm) == pytest.approx(counted, rel=1e-12)
