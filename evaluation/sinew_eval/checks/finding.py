"""One line of `sinew doctor`."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import Literal

Status = Literal["ok", "missing", "note"]


@dataclass(frozen=True, slots=True)
class Finding:
    """What was looked at, how it is, and the command that mends it."""

    group: str
    name: str
    status: Status
    detail: str
    mend: str = ""
    needed: bool = False  # by `make demo`


def found(group: str, name: str, ok: bool, detail: str, *, mend: str = "", needed: bool = False) -> Finding:
    """Return a finding that carries its mending command only where something is missing."""
    return Finding(group, name, "ok" if ok else "missing", detail, "" if ok else mend, needed)


def apt_install(*packages: str) -> str:
    """Return the command that installs Debian packages, for the user who is asking."""
    return f"{'' if os.geteuid() == 0 else 'sudo '}apt-get install -y {' '.join(packages)}"
