"""Find the system packages that are missing and install them, or say in one line how to."""

import ctypes
import importlib.util
import os
import shutil
import subprocess
import sysconfig
from pathlib import Path

from steps import StepError

# Shared library -> the Debian package that brings it.
LIBRARIES = {
    "libEGL.so.1": "libegl1",  # headless rendering
    "libGL.so.1": "libgl1",
    "libusb-1.0.so.0": "libusb-1.0-0",  # RealSense cameras
}


def require_system_packages(*, compiler: bool) -> None:
    """Return once everything is there; StepError with the command to run if it cannot be."""
    missing = _missing(compiler=compiler)
    if not missing:
        return
    command = ["apt-get", "install", "-y", "--no-install-recommends", *missing]
    advice = f"Missing system packages. Run this and try again: sudo {' '.join(command)}"
    prefix = _root_prefix()
    if prefix is None or shutil.which("apt-get") is None:
        raise StepError(advice)
    print(f"Installing system packages: {' '.join(missing)}", flush=True)
    quiet = ["env", "DEBIAN_FRONTEND=noninteractive"]  # sudo would not pass it on by itself
    for step in (["apt-get", "update"], command):
        if subprocess.run([*prefix, *quiet, *step], check=False).returncode != 0:
            raise StepError(f"{' '.join(step)} failed, see above. {advice}")
    still = _missing(compiler=compiler)
    if still:
        raise StepError(f"apt-get installed {' '.join(still)}, yet they are not found. {advice}")


def _missing(*, compiler: bool) -> list[str]:
    missing = [package for library, package in LIBRARIES.items() if not _loads(library)]
    if importlib.util.find_spec("ensurepip") is None:
        missing.append("python3.11-venv")
    if compiler and shutil.which(os.environ.get("CXX", "g++")) is None:
        missing.append("g++")
    if compiler and not (Path(sysconfig.get_path("include")) / "Python.h").is_file():
        missing.append("python3.11-dev")
    return missing


def _loads(library: str) -> bool:
    try:
        ctypes.CDLL(library)
    except OSError:
        return False
    return True


def _root_prefix() -> list[str] | None:
    """What to put before a command to run it as root without a password; None if impossible."""
    if os.geteuid() == 0:
        return []
    sudo = shutil.which("sudo")
    if sudo is None:
        return None
    allowed = subprocess.run([sudo, "-n", "true"], capture_output=True, check=False).returncode == 0
    return [sudo, "-n"] if allowed else None
