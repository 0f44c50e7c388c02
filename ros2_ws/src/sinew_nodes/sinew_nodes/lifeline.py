"""A connection that tells at once when a process dies, however that comes about: the system closes it.

DDS notices a killed participant only when its lease is over, after seconds. The lifeline is for the
nodes of one machine; the lease remains for those on others.
"""

from __future__ import annotations

import contextlib
import selectors
import socket
import threading
from collections.abc import Callable

GOODBYE = b"\n"
OnName = Callable[[str], None]


def lifeline_address(namespace: str, domain: str) -> str:
    """Return the (abstract) address of the lifelines of one graph."""
    return f"\0sinew/{domain}{namespace.rstrip('/')}/station"


class LifelineServer:
    """Calls `on_death(name)` when a node goes without a goodbye, and `on_birth(name)` when one comes.

    Both in a thread of its own.
    """

    def __init__(self, address: str, on_death: OnName, on_birth: OnName = lambda name: None) -> None:
        self._on_death, self._on_birth = on_death, on_birth
        self._names: dict[socket.socket, bytes] = {}
        self._selector = selectors.DefaultSelector()
        self._server = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self._server.bind(address)
        self._server.listen(64)
        self._server.setblocking(False)
        self._waker, self._wake = socket.socketpair()
        for end in (self._server, self._waker):
            self._selector.register(end, selectors.EVENT_READ)
        self._thread = threading.Thread(target=self._serve, name="lifeline", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """End the thread and every connection."""
        self._wake.send(b"x")
        self._thread.join(timeout=1.0)
        for end in (self._server, self._waker, self._wake, *self._names):
            end.close()
        self._selector.close()

    def _serve(self) -> None:
        while True:
            for key, _ in self._selector.select():
                end = key.fileobj
                assert isinstance(end, socket.socket)
                if end is self._waker:
                    return
                if end is self._server:
                    self._accept()
                else:
                    self._hear(end)

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            end, _ = self._server.accept()
            end.setblocking(False)
            self._names[end] = b""
            self._selector.register(end, selectors.EVENT_READ)

    def _hear(self, end: socket.socket) -> None:
        try:
            received = end.recv(256)
        except OSError:
            received = b""
        if received:
            self._names[end] += received
            if not received.endswith(GOODBYE):
                self._on_birth(self._names[end].decode(errors="replace"))
            return
        self._selector.unregister(end)
        end.close()
        name = self._names.pop(end)
        if name and not name.endswith(GOODBYE):
            self._on_death(name.decode(errors="replace"))


class Lifeline:
    """A node's end; it may be there before the station is, and connects when it can."""

    def __init__(self, address: str, name: str) -> None:
        self._address, self._name = address, name
        self._socket: socket.socket | None = None
        self._closed = False

    def connect(self) -> None:
        """Connect, unless that is done; a station that is not there yet is no error."""
        if self._socket is not None or self._closed:
            return
        end = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        try:
            end.connect(self._address)
            end.sendall(self._name.encode())
        except OSError:
            end.close()
            return
        self._socket = end

    def close(self) -> None:
        """Say goodbye, for good: a node that goes down must not come back for a last moment."""
        self._closed = True
        end, self._socket = self._socket, None
        if end is not None:
            with contextlib.suppress(OSError):
                end.sendall(GOODBYE)
            end.close()
