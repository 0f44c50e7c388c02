"""What a figure was measured on: processor, cores and the versions of the packages that matter."""

from __future__ import annotations

import os
import platform
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

PACKAGES = ("sinew", "numpy", "mujoco", "pybullet", "opencv-python-headless", "mink", "rclpy", "gymnasium")


def describe_machine() -> dict[str, Any]:
    """Return the processor's name, the cores this process may use, and the operating system."""
    return {
        "cpu": cpu_model(),
        "cores": len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count(),
        "system": f"{platform.system()} {platform.machine()}",
    }


def cpu_model() -> str:
    """Return the processor's name as the kernel gives it."""
    info = Path("/proc/cpuinfo")
    if info.is_file():
        for line in info.read_text(encoding="utf-8").splitlines():
            key, _, value = line.partition(":")
            if key.strip() == "model name":
                return value.strip()
    return platform.processor() or platform.machine() or "unknown"


def package_versions() -> dict[str, str]:
    """Return the versions of Python and of those main packages that are installed."""
    found = {name: installed_version(name) for name in PACKAGES}
    return {"python": platform.python_version(), **{k: v for k, v in found.items() if v is not None}}


def installed_version(distribution: str) -> str | None:
    """Return a distribution's version without importing it, or None."""
    try:
        return version(distribution)
    except PackageNotFoundError:
        return None
