"""The machine: system libraries, processor, disk, devices, and the hardware files."""

from __future__ import annotations

import ctypes
import os
import shutil
from pathlib import Path

from sinew_core.errors import ConfigError
from sinew_core.hardware import load_hardware, share_roots

from sinew_eval.checks.finding import Finding, apt_install, found
from sinew_eval.machine import describe_machine

# Shared library and Debian package. Whether drawing works is told by drawing: OSMesa may do instead.
LIBRARIES = (
    ("libEGL.so.1", "libegl1"),
    ("libGL.so.1", "libgl1"),
    ("libusb-1.0.so.0", "libusb-1.0-0"),
)
DISK_NEEDED = 1e9  # bytes, for runs and their videos


def check_libraries() -> list[Finding]:
    """Check the system libraries that wheels do not bring."""
    return [
        found(
            "System",
            package,
            _loads(library),
            library if _loads(library) else f"{library} is not found",
            mend=apt_install(package),
        )
        for library, package in LIBRARIES
    ]


def _loads(library: str) -> bool:
    try:
        ctypes.CDLL(library)
    except OSError:
        return False
    return True


def check_machine() -> list[Finding]:
    """Check processor, disk and GPU; only the disk can be wrong."""
    machine = describe_machine()
    free = shutil.disk_usage(Path.cwd()).free
    gpus = sorted(str(path) for path in Path("/dev").glob("nvidia[0-9]*"))
    return [
        Finding("System", "processor", "ok", f"{machine['cpu']}, {machine['cores']} cores"),
        found(
            "System",
            "disk",
            free > DISK_NEEDED,
            f"{free / 1e9:.1f} GB free in {Path.cwd()}",
            mend=f"free some space: du -sh {Path.cwd()}/runs/*",
            needed=True,
        ),
        Finding("System", "GPU", "ok" if gpus else "note", ", ".join(gpus) or "none, and none is needed"),
    ]


def check_devices() -> list[Finding]:
    """List serial devices and cameras; none is needed for simulation."""
    return [_serial(), _cameras()]


def _serial() -> Finding:
    ports = sorted(str(path) for pattern in ("ttyUSB*", "ttyACM*") for path in Path("/dev").glob(pattern))
    if not ports:
        return Finding("Devices", "serial ports", "note", "none; connect an arm's USB cable to use one")
    shut = [port for port in ports if not os.access(port, os.R_OK | os.W_OK)]
    return found(
        "Devices",
        "serial ports",
        not shut,
        f"no permission for {', '.join(shut)}" if shut else ", ".join(ports),
        mend='sudo usermod -aG dialout "$USER", then log in again',
    )


def _cameras() -> Finding:
    cameras = sorted(str(path) for path in Path("/dev").glob("video[0-9]*"))
    return Finding("Devices", "cameras", "ok" if cameras else "note", ", ".join(cameras) or "none connected")


def check_hardware() -> list[Finding]:
    """Load every hardware file that `--hardware` can name."""
    paths = {path.stem: path for root in share_roots("hardware_configs") for path in root.glob("*.yaml")}
    if not paths:
        mend = "run in a checkout of Sinew, or set SINEW_SHARE to the folder that holds hardware_configs"
        return [found("Hardware files", "any", False, "no hardware file found", mend=mend, needed=True)]
    return [_load(name) for name in sorted(paths)]


def _load(name: str) -> Finding:
    try:
        hardware = load_hardware(name)
    except ConfigError as error:
        return found(
            "Hardware files", name, False, str(error), mend="mend the file and key named there", needed=True
        )
    cameras = ", ".join(hardware.cameras) or "no cameras"
    return Finding(
        "Hardware files", name, "ok", f"{hardware.robot.name}; {cameras}; {hardware.config.pace}", needed=True
    )
