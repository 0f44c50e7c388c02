"""How MuJoCo draws without a window; import this before `mujoco`, which reads the choice when imported."""

from __future__ import annotations

import importlib
import os
from contextlib import AbstractContextManager
from typing import Protocol, cast

from sinew_core.errors import DeviceError

BACKENDS = ("egl", "osmesa")

os.environ.setdefault("MUJOCO_GL", "egl")


class Context(Protocol):
    """An OpenGL context."""

    def as_current(self) -> AbstractContextManager[None]:
        """Bind it to this thread for a while, then what was bound before."""

    def free(self) -> None:
        """Release it."""


def make_context(width: int, height: int) -> Context:
    """Return an off-screen context of $MUJOCO_GL, or of whichever back-end works.

    Raises DeviceError, with what to install, where none does.
    """
    wanted = os.environ["MUJOCO_GL"].lower()
    faults = []
    for backend in dict.fromkeys((wanted, *BACKENDS)):
        try:
            return cast(Context, importlib.import_module(f"mujoco.{backend}").GLContext(width, height))
        except (ImportError, AttributeError, RuntimeError, OSError) as error:
            faults.append(f"{backend}: {error}")
    raise DeviceError(
        "no off-screen OpenGL to draw camera frames with. Install Debian's libegl1 and libgl1 "
        f"(MUJOCO_GL=egl) or libosmesa6 (MUJOCO_GL=osmesa). Tried {'; '.join(faults)}"
    )
