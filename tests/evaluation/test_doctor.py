"""`sinew doctor` names what is missing and how to mend it."""

import json
from pathlib import Path

import pytest
from sinew_eval import doctor
from sinew_eval.checks import packages, probes, system
from sinew_eval.checks.finding import Finding
from sinew_eval.machine import installed_version

Capture = pytest.CaptureFixture[str]


def doctor_json(
    monkeypatch: pytest.MonkeyPatch, capsys: Capture, *checks: object
) -> tuple[int, list[Finding]]:
    monkeypatch.setattr(doctor, "CHECKS", checks)
    code = doctor.main(["--json"])
    report = json.loads(capsys.readouterr().out.splitlines()[-1])
    assert report["ready"] is (code == 0)
    return code, [Finding(**check) for check in report["checks"]]


def test_a_missing_package_is_named_with_the_command_that_installs_it(
    monkeypatch: pytest.MonkeyPatch, capsys: Capture
) -> None:
    monkeypatch.setattr(
        packages, "installed_version", lambda name: None if name == "mujoco" else installed_version(name)
    )
    code, findings = doctor_json(monkeypatch, capsys, packages.check_extras)
    assert code == 1
    finding = next(finding for finding in findings if finding.name == "extra 'sim'")
    assert finding.status == "missing"
    assert finding.detail == "not installed: mujoco"
    assert "-m pip install" in finding.mend
    assert "[sim]'" in finding.mend


def test_a_missing_extra_that_the_demo_does_not_need_is_no_failure(
    monkeypatch: pytest.MonkeyPatch, capsys: Capture
) -> None:
    monkeypatch.setattr(
        packages, "installed_version", lambda name: None if name == "openai" else installed_version(name)
    )
    code, findings = doctor_json(monkeypatch, capsys, packages.check_extras)
    assert code == 0
    assert [finding.name for finding in findings if finding.status == "missing"] == ["extra 'vlm'"]


def test_what_one_arm_alone_needs_is_missed_by_nobody_else(
    monkeypatch: pytest.MonkeyPatch, capsys: Capture
) -> None:
    monkeypatch.setattr(packages, "installed_version", lambda name: None)
    _, findings = doctor_json(monkeypatch, capsys, packages.check_extras)
    status = {finding.name: finding.status for finding in findings}
    assert status["extra 'franka'"] == "note"
    assert status["extra 'hardware'"] == "missing"


def test_a_missing_system_library_is_mended_by_apt(monkeypatch: pytest.MonkeyPatch, capsys: Capture) -> None:
    monkeypatch.setattr(system, "LIBRARIES", (("libnothing.so.9", "libnothing9"),))
    _, findings = doctor_json(monkeypatch, capsys, system.check_libraries)
    assert findings[0].status == "missing"
    assert findings[0].mend.endswith("apt-get install -y libnothing9")


def test_a_broken_hardware_file_is_a_finding(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Capture
) -> None:
    (tmp_path / "hardware_configs").mkdir()
    (tmp_path / "hardware_configs" / "mine.yaml").write_text("robott: x\n")
    monkeypatch.setenv("SINEW_SHARE", str(tmp_path))
    _, findings = doctor_json(monkeypatch, capsys, system.check_hardware)
    mine = next(finding for finding in findings if finding.name == "mine")
    assert mine.status == "missing"
    assert "robott" in mine.detail


def test_a_probe_that_crashes_is_a_finding_and_not_the_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(probes.sys, "executable", "/bin/false")
    ok, detail = probes.run_probe("render")
    assert not ok
    assert detail == "exit code 1"


def test_rendering_is_really_tried() -> None:
    (finding,) = probes.check_rendering()
    assert finding.status == "ok"
    assert "16x16" in finding.detail


def test_the_table_ends_with_how_to_mend(monkeypatch: pytest.MonkeyPatch, capsys: Capture) -> None:
    bad = Finding("System", "thing", "missing", "gone", "bring it back [now]", needed=True)
    monkeypatch.setattr(doctor, "CHECKS", (lambda: [bad],))
    assert doctor.main([]) == 1
    out = capsys.readouterr().out
    assert "bring it back [now]" in out
    assert "`make demo` will not run" in out
