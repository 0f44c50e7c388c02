"""Functions of tensors, compiled by torch where that is wanted and possible."""

from __future__ import annotations

import logging
import os
import shutil
from collections.abc import Callable
from typing import Any, ParamSpec, TypeVar

import torch

OPTIONS: dict[str, Any] = {"cpp_wrapper": True}
log = logging.getLogger(__name__)
Given = ParamSpec("Given")
Answer = TypeVar("Answer")


def compiled(function: Callable[Given, Answer], *, wanted: bool) -> Callable[Given, Answer]:
    """Return the function compiled for the shapes that it meets; itself where no C++ compiler is there.

    The first calls then take a minute, once on a machine: what was compiled is kept in torch's cache.
    """
    if not wanted:
        return function
    if not any(shutil.which(name) for name in (os.environ.get("CXX", ""), "g++", "clang++")):
        log.warning("no C++ compiler (g++ or clang++) is installed: updates run uncompiled, which is slower")
        return function
    return torch.compile(function, dynamic=False, fullgraph=True, options=OPTIONS)
