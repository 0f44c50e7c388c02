"""The fault bench ends with its keys, and sees what it is there to see: put in on purpose, each is found."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from sinew_core.errors import ConfigError
from sinew_core.hardware import load_hardware
from sinew_core.safety import FilterChain
from sinew_nodes import bench_faults
from sinew_nodes.control_watch import ControlWatch
from sinew_nodes.devices import DeviceReader
from sinew_nodes.fault_devices import DEVICE_FAULTS
from sinew_nodes.fault_kills import TARGETS, draw_kills
from sinew_nodes.fault_kinds import BY_NAME, IN_GRAPH, KINDS
from sinew_nodes.fault_limits import LimitCheck
from sinew_nodes.fault_rig import ROOM, Rig, write_hardware
from sinew_nodes.fault_trials import run_trial

FAKE = {"plugin": "sinew_core.fakes:FakeStation", "world": False}


def test_a_tiny_run_ends_with_the_keys_and_finds_nothing(
    own_domain: None, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    out = tmp_path / "faults.json"
    words = ["--faults", "10", "--kills", "1", "--in-graph", "0", "--json", "--out", str(out)]
    code = bench_faults.main(words)
    result = json.loads(capsys.readouterr().out.splitlines()[-1])
    assert result == json.loads(out.read_text())
    assert (result["injected"], result["beyond_limits"]) == (10, 0)
    late = [sentence for sentence in result["problems"] if ": took " in sentence]
    assert result["problems"] == late, "how soon depends on what else the machine does"
    assert (code, result["unexplained"]) == (int(bool(late)), len(late))
    assert result["commands"] > 50
    kill = result["kinds"]["kill_perception_node"]
    assert kill["said"].endswith("perception_node: the node has died")
    assert {"injected", "reaction_median", "reaction_max", "felt", "where"} <= set(kill)


def test_a_tiny_run_in_emulated_devices_ends_with_the_keys(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    out = tmp_path / "faults.json"
    words = ["--hardware", "so101_emulated", "--faults", "2", "--seed", "3", "--json", "--out", str(out)]
    code = bench_faults.main(words)
    result = json.loads(capsys.readouterr().out.splitlines()[-1])
    assert result == json.loads(out.read_text())
    assert (result["injected"], result["beyond_limits"]) == (2, 0)
    assert code == int(result["unexplained"] > 0)
    assert set(result["kinds"]) < {fault.kind for fault in DEVICE_FAULTS}
    for kind in result["kinds"].values():
        assert kind["where"] == {"realtime, so101_emulated": 1}
        assert kind["felt"] == "the emulator is asked for it"
        assert kind["rule"] in {"goes on", "hold", "stop"}


def test_hardware_without_an_emulator_is_refused() -> None:
    with pytest.raises(
        ConfigError, match=r"sim_mujoco.yaml: expected a station with an emulator, as so101_e"
    ):
        bench_faults.main(["--hardware", "sim_mujoco", "--faults", "1", "--json"])


@pytest.fixture
def rig(tmp_path: Path) -> Iterator[Rig]:
    path = write_hardware(tmp_path, "synthetic", station=FAKE, safety=ROOM)
    rig = Rig(path, "realtime", "pick_place", 1)
    yield rig
    rig.close()


def trial(rig: Rig, kind: str) -> str:
    return run_trial(rig, BY_NAME[kind], np.random.default_rng(0)).problem


def test_a_fault_that_nobody_notices_is_seen(rig: Rig, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(DeviceReader, "_judge", lambda *_: None)
    assert trial(rig, "camera_frozen") == "no named hold, stop or end"


def test_a_hold_that_comes_too_late_is_seen(rig: Rig, monkeypatch: pytest.MonkeyPatch) -> None:
    act = ControlWatch._act

    def tardy(self: ControlWatch, overdue: str) -> None:
        time.sleep(0.15)  # of 0.5 s at least that the camera does not answer
        act(self, overdue)

    monkeypatch.setattr(ControlWatch, "_act", tardy)
    assert trial(rig, "camera_block").startswith("took ")


def test_a_hold_without_the_right_name_is_seen(rig: Rig, monkeypatch: pytest.MonkeyPatch) -> None:
    judge = DeviceReader._judge

    def mumbling(self: DeviceReader, name: str, action: object, sentence: str) -> None:
        judge(self, name, action, "something" if sentence else "")  # type: ignore[arg-type]

    monkeypatch.setattr(DeviceReader, "_judge", mumbling)
    assert trial(rig, "camera_frozen") == "no named hold, stop or end"


def test_an_arm_without_safety_filters_is_seen_beyond_its_limits(rig: Rig) -> None:
    rig.loop.path.safety = FilterChain([])
    assert rig.start_episode(1)
    assert rig.until(lambda: len(rig.trace.commands) > 6)
    assert any("acceleration of" in sentence for sentence in rig.limits.beyond)


def test_each_limit_is_judged_by_the_robots_file() -> None:
    robot, dt = load_hardware("synthetic").robot, 0.05

    def beyond(*steps: float, reasons: tuple[str, ...] = ()) -> str:
        """Move the first joint by so many control periods' worth of its velocity limit."""
        check, position = LimitCheck(robot, dt), robot.home.copy()
        check.restart(position)
        for step in steps:
            position = position.copy()
            position[0] += step * robot.velocity[0] * dt
            check.command(position, reasons)
        return " ".join(check.beyond)

    slow = robot.acceleration[0] * dt / robot.velocity[0]
    assert beyond(slow, 0.0, -slow) == ""
    assert "velocity of shoulder_pan" in beyond(1.01)
    assert "acceleration of shoulder_pan" in beyond(slow * 1.01)
    assert beyond(slow, 1.9 * slow, 0.0, reasons=("workspace",)) == ""
    check = LimitCheck(robot, dt)
    check.command(robot.upper + 0.01)
    check.command(np.full(6, np.nan))
    assert "position of shoulder_pan" in check.beyond[0]
    assert "not a finite position" in check.beyond[-1]


def test_every_kind_is_put_in_somewhere_and_every_process_killed() -> None:
    assert {kind.name for kind in KINDS if not kind.paces} <= set(IN_GRAPH)
    kills = draw_kills(32)
    assert {kill.target for kill in kills} == set(TARGETS)
    assert {kill.pace for kill in kills} == {"realtime", "lockstep"}
    assert {kill.rows for kill in kills if kill.target == "policy_node"} == {1, 30}
