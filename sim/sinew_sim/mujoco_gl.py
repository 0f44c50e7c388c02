"""How MuJoCo draws without a window; import this before `mujoco`, which reads the choice when imported."""

from __future__ import annotations

import ctypes
import importlib
import os
from contextlib import AbstractContextManager
from typing import Protocol, cast

from sinew_core.errors import DeviceError

LIBRARIES = {"egl": "libEGL.so.1", "osmesa": "libOSMesa.so.8"}


class Context(Protocol):
    """An OpenGL context."""

    def as_current(self) -> AbstractContextManager[None]:
        """Bind it to this thread for a while, then what was bound before."""

    def free(self) -> None:
        """Release it."""


def make_context(width: int, height: int) -> Context:
    """Return an off-screen context of $MUJOCO_GL.

    Raises DeviceError, with what to install, where there is none.
    """
    backend = os.environ.get("MUJOCO_GL", "egl").lower()
    try:
        return cast(Context, importlib.import_module(f"mujoco.{backend}").GLContext(width, height))
    except (ImportError, AttributeError, RuntimeError, OSError) as error:
        raise DeviceError(
            f"no off-screen OpenGL to draw camera frames with (MUJOCO_GL={backend}: {error}). Install "
            "Debian's libegl1 and libgl1 for MUJOCO_GL=egl, or libosmesa6 for MUJOCO_GL=osmesa."
        ) from error


def _present(library: str) -> bool:
    try:
        ctypes.CDLL(library)
    except OSError:
        return False
    return True


if "MUJOCO_GL" not in os.environ:
    os.environ["MUJOCO_GL"] = next((name for name, file in LIBRARIES.items() if _present(file)), "egl")
