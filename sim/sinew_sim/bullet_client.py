"""A PyBullet physics client of one's own, opened without a word on standard output."""

from __future__ import annotations

import ctypes
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager

import pybullet
from pybullet_utils.bullet_client import BulletClient
from sinew_core.errors import DeviceError


def open_client() -> BulletClient:
    """Return a new client without a window; raises DeviceError where PyBullet has none left.

    It is released by `close_client`, or with its last reference.
    """
    with _stdout_to_stderr():
        client = BulletClient(pybullet.DIRECT)
    if not client.isConnected():
        raise DeviceError("PyBullet opens no further physics client; close stations that are done with.")
    return client


def close_client(client: BulletClient) -> None:
    """Release a client; safe to call more than once."""
    if client.isConnected():
        client.disconnect()


@contextmanager
def _stdout_to_stderr() -> Iterator[None]:
    """Send what C code prints to standard error: a program's output may be read by another program."""
    c = ctypes.CDLL(None)
    sys.stdout.flush()
    c.fflush(None)
    saved = os.dup(1)
    os.dup2(2, 1)
    try:
        yield
    finally:
        c.fflush(None)
        os.dup2(saved, 1)
        os.close(saved)
