"""Set up everything that the demonstration and the tests need; do nothing where it is done already.

    python3.11 scripts/set_up

Uses the standard library only. Each finished step leaves a stamp, so that a second run takes a
fraction of a second and an interrupted one goes on where it stopped.
"""

import contextlib
import fcntl
import os
import signal
import sys
from collections.abc import Iterator
from pathlib import Path

from environment import make_environment, mend_interrupted_installs
from stamps import Stamps
from steps import StepError, pip_install
from system_packages import require_system_packages
from wanted import Part, wanted_parts

ROOT = Path(__file__).resolve().parents[2]
VENV = ROOT / ".venv"


def main() -> int:
    """Bring every part up to date; return the exit status."""
    if sys.version_info[:2] != (3, 11):
        print(f"Sinew needs Python 3.11, this is {sys.version.split()[0]} ({sys.executable})")
        return 1
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # ends pip too
    try:
        with _alone():
            _bring_up_to_date()
    except StepError as failure:
        print(failure, file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("\nInterrupted. The same command goes on from here.", file=sys.stderr)
        return 130
    return 0


def _bring_up_to_date() -> None:
    stamps = Stamps(VENV / "sinew-set-up.json")
    parts = [part for part in wanted_parts(ROOT) if not stamps.holds(part.name, part.key)]
    require_system_packages(compiler=any(part.compiles for part in parts))
    if not parts:
        return
    make_environment(VENV)
    if stamps.interrupted():
        mend_interrupted_installs(VENV)
    for part in parts:
        _install(part, stamps)
    print("Set-up is complete.", flush=True)


def _install(part: Part, stamps: Stamps) -> None:
    stamps.begin(part.name)
    pip_install(part.title, VENV, part.pip_arguments)
    stamps.finish(part.name, part.key)


@contextlib.contextmanager
def _alone() -> Iterator[None]:
    """Hold a lock, so that two set-ups of one checkout wait for each other."""
    handle = os.open(ROOT, os.O_RDONLY)
    try:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            print("Another set-up of this checkout is running; waiting for it.", flush=True)
            fcntl.flock(handle, fcntl.LOCK_EX)
        yield
    finally:
        os.close(handle)


if __name__ == "__main__":
    sys.exit(main())
