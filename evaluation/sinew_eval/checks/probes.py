"""What only trying can tell: drawing, physics, DDS and video, each in a process that may crash."""

from __future__ import annotations

import os
import subprocess
import sys

from sinew_eval.checks.finding import Finding, apt_install, found
from sinew_eval.checks.packages import pip_install, setup_command
from sinew_eval.video import ffmpeg_executable

TIMEOUT = 40.0  # s; a first import from a cold disk takes a while


def check_rendering() -> list[Finding]:
    """Draw 16x16 pixels with EGL and, where that fails, with OSMesa."""
    ok, detail = run_probe("render", MUJOCO_GL="egl")
    if ok:
        return [Finding("Simulation", "MuJoCo rendering", "ok", f"EGL: {detail}", needed=True)]
    also, software = run_probe("render", MUJOCO_GL="osmesa")
    if also:
        return [Finding("Simulation", "MuJoCo rendering", "ok", f"OSMesa: {software}", needed=True)]
    mend = f"{apt_install('libegl1', 'libgl1')} && {pip_install('sim')}"
    return [found("Simulation", "MuJoCo rendering", False, f"EGL: {detail}", mend=mend, needed=True)]


def check_bullet() -> list[Finding]:
    """Step PyBullet once."""
    ok, detail = run_probe("bullet")
    return [found("Simulation", "PyBullet", ok, detail, mend=pip_install("bullet"))]


def check_dds() -> list[Finding]:
    """Send a message from one process to another through DDS."""
    ok, detail = run_probe("dds", ROS_AUTOMATIC_DISCOVERY_RANGE="LOCALHOST", ROS_DOMAIN_ID=_domain())
    mend = setup_command()
    if not ok and "rclpy" not in detail:
        mend = "ip link set lo up multicast on; unset ROS_DISCOVERY_SERVER FASTDDS_DEFAULT_PROFILES_FILE"
    return [found("ROS 2", "DDS loopback", ok, detail, mend=mend, needed=True)]


def _domain() -> str:
    return str(1 + os.getpid() % 100)  # one of its own, so that a running robot hears nothing


def check_video() -> list[Finding]:
    """Look for the encoder of the report's videos."""
    ffmpeg = ffmpeg_executable()
    detail = ffmpeg or "no ffmpeg: reports get small GIFs"
    return [found("Simulation", "video encoder", ffmpeg is not None, detail, mend=pip_install("eval"))]


def run_probe(name: str, **environment: str) -> tuple[bool, str]:
    """Run a probe module in a process of its own; return whether it worked and its last line."""
    command = [sys.executable, "-m", f"sinew_eval.checks.probe_{name}"]
    try:
        done = subprocess.run(
            command,
            env={**os.environ, **environment},
            capture_output=True,
            text=True,
            timeout=TIMEOUT,
            stdin=subprocess.DEVNULL,
            check=False,
        )
    except subprocess.TimeoutExpired:
        return False, f"no answer within {TIMEOUT:.0f} s"
    lines = (done.stdout if done.returncode == 0 else done.stderr or done.stdout).strip().splitlines()
    if done.returncode < 0:
        return False, f"the process died of signal {-done.returncode}"
    return done.returncode == 0, lines[-1].strip() if lines else f"exit code {done.returncode}"
