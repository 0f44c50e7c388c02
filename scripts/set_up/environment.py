"""Make the virtual environment, and mend one in which an installation was cut off."""

import csv
import shutil
import subprocess
import sys
from pathlib import Path

from steps import StepError, child_environment


def make_environment(venv: Path) -> None:
    """Create `venv` unless a working one with this Python version is there."""
    python = venv / "bin/python"
    if python.exists() and _works(python):
        return
    print(f"Making the environment {venv}", flush=True)
    command = [sys.executable, "-m", "venv", "--clear", str(venv)]
    result = subprocess.run(
        command,
        env=child_environment(),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    if result.returncode != 0:
        raise StepError(f"{result.stdout}\n{' '.join(command)}\nfailed with {result.returncode}")


def mend_interrupted_installs(venv: Path) -> None:
    """Forget packages of which files are missing or cut short, so that pip installs them again."""
    for site_packages in venv.glob("lib/python*/site-packages"):
        for dist_info in site_packages.glob("*.dist-info"):
            if not _is_whole(dist_info):
                print(f"Was cut off, installing again: {dist_info.stem}", flush=True)
                shutil.rmtree(dist_info)


def _works(python: Path) -> bool:
    """Whether pip runs in it; an interrupted creation leaves a Python without pip."""
    probe = "import pip, sys; sys.exit(sys.version_info[:2] != (3, 11))"
    result = subprocess.run(
        [str(python), "-c", probe], env=child_environment(), capture_output=True, check=False
    )
    return result.returncode == 0


def _is_whole(dist_info: Path) -> bool:
    record = dist_info / "RECORD"
    if not (record.is_file() and (dist_info / "INSTALLER").is_file()):
        return False
    with record.open(newline="") as rows:
        for name, _, size in csv.reader(rows):
            path = dist_info.parent / name
            # Bytecode is rewritten by Python; a size of nothing is the record's own.
            if name.endswith(".pyc") or not size:
                continue
            if not path.is_file() or path.stat().st_size != int(size):
                return False
    return True
