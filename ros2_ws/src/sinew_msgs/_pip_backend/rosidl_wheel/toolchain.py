"""Find the ROS prefix, the compilers and the headers, or say exactly which is missing."""

import importlib.util
import os
import shutil
import sys
import sysconfig
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Toolchain:
    """What compiles, and against what."""

    prefix: Path  # of the ROS wheels: include/, lib/, share/
    cc: str
    cxx: str
    python_include: Path
    numpy_include: Path


def find_toolchain() -> Toolchain:
    """Check everything at once, so that one error lists all that is missing."""
    cc = os.environ.get("CC") or shutil.which("gcc") or shutil.which("cc")
    cxx = os.environ.get("CXX") or shutil.which("g++") or shutil.which("c++")
    prefix = Path(sys.prefix)
    python_include = Path(sysconfig.get_path("include"))
    python = f"python{sys.version_info.major}.{sys.version_info.minor}"
    missing = []
    if cc is None or cxx is None:
        missing.append("a C++ compiler: apt-get install g++")
    if not (python_include / "Python.h").is_file():
        missing.append(f"Python's headers: apt-get install {python}-dev")
    if importlib.util.find_spec("rosidl_generator_py") is None:
        missing.append(
            "the ROS wheels: pip install 'ros-kilted-rclpy[fastrtps]' ros-kilted-common-interfaces"
            " (and use --no-build-isolation, so that the build sees them)"
        )
    for module, package in (("catkin_pkg", "catkin_pkg"), ("numpy", "numpy")):
        if importlib.util.find_spec(module) is None:
            missing.append(f"{module}: pip install {package}")
    if cc is None or cxx is None or missing:
        raise SystemExit(f"cannot build messages in {prefix}, missing:\n- " + "\n- ".join(missing))

    import numpy  # only now known to be there

    return Toolchain(prefix, cc, cxx, python_include, Path(numpy.get_include()))
