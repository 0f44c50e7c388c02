"""A pseudo-terminal that carries an emulated bus: bytes arrive when a wire would have carried them."""

from __future__ import annotations

import heapq
import logging
import os
import pty
import select
import termios
import threading
import time
import tty
from pathlib import Path

from sinew_core.types import NANOSECONDS

from sinew_hardware.emulators.emulated_bus import EmulatedBus

log = logging.getLogger(__name__)


class Wire:
    """Serves a bus at a path, in a thread of its own, until closed; it can be unplugged and plugged in.

    The path is a link to the pseudo-terminal of the moment, as /dev/serial/by-id is to a device.
    """

    def __init__(self, bus: EmulatedBus, path: Path, baud: int) -> None:
        self._bus, self._path = bus, path
        self._speed = getattr(termios, f"B{baud}")
        self._plugged, self._closed = True, False
        self._thread = threading.Thread(target=self._run, name=f"wire {path.name}", daemon=True)

    def start(self) -> None:
        """Begin to serve; the path is there when this returns."""
        self._ready = threading.Event()
        self._thread.start()
        self._ready.wait()

    def unplug(self) -> None:
        """Take the cable out."""
        self._plugged = False

    def plug(self) -> None:
        """Put the cable in again."""
        self._plugged = True

    def close(self) -> None:
        """End the thread and remove the path."""
        self._closed = True
        self._thread.join(timeout=2.0)

    def _run(self) -> None:
        while not self._closed:
            if not self._plugged:
                time.sleep(0.01)
                continue
            master, slave = pty.openpty()
            tty.setraw(slave)
            link = self._path.with_suffix(".new")
            link.symlink_to(os.ttyname(slave))
            link.replace(self._path)
            self._ready.set()
            try:
                self._serve(master)
            finally:
                self._path.unlink(missing_ok=True)
                os.close(slave)
                os.close(master)

    def _serve(self, master: int) -> None:
        waiting: list[tuple[int, int, bytes]] = []  # due in ns, order, data
        order = 0
        while self._plugged and not self._closed:
            pause = 0.02 if not waiting else max(0.0, (waiting[0][0] - time.monotonic_ns()) / NANOSECONDS)
            ready, _, _ = select.select([master], [], [], min(pause, 0.02))
            if ready:
                data = os.read(master, 4096)
                if termios.tcgetattr(master)[5] != self._speed:
                    continue  # at a wrong rate servos hear nothing that they understand
                for reply in self._bus.hear(data, time.monotonic_ns()):
                    heapq.heappush(waiting, (reply.due, order, reply.data))
                    order += 1
            while waiting and waiting[0][0] <= time.monotonic_ns():
                os.write(master, heapq.heappop(waiting)[2])
