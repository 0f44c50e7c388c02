"""A server on the loopback interface that speaks the chat-completions API and misbehaves on request."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from looking import look

Answer = Callable[[dict[str, Any]], str]


@dataclass(frozen=True)
class Raw:
    """A response as it goes over the wire; the body may come in pieces."""

    body: bytes | Iterator[bytes]
    status: int = 200
    content_type: str = "application/json"
    headers: tuple[tuple[str, str], ...] = ()


def completion(text: Any, tokens: int = 900, **changes: Any) -> Raw:
    """Return the response that carries a text."""
    choice = {
        "index": 0,
        "message": {"role": "assistant", "content": text},
        "finish_reason": "stop",
    } | changes
    body = {"id": "1", "object": "chat.completion", "choices": [choice], "usage": {"total_tokens": tokens}}
    return Raw(json.dumps(body).encode())


def seeing(request: dict[str, Any]) -> Raw:
    """Answer as a model that looks."""
    return completion(json.dumps(look(request)))


class _Quiet(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Say nothing of clients that hang up, which is what many of these tests are about."""


class ChatServer:
    """`respond` are the responses in turn, the last one for good; `requests` what was asked."""

    def __init__(self) -> None:
        self.respond: list[Callable[[dict[str, Any]], Raw]] = [seeing]
        self.requests: list[dict[str, Any]] = []
        self.keys: list[str] = []
        self.released = threading.Event()  # what `stall` waits for

        outer = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self) -> None:
                request = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                number = len(outer.requests)
                outer.requests.append({**request, "path": self.path})
                outer.keys.append(self.headers.get("Authorization", ""))
                respond = outer.respond[min(number, len(outer.respond) - 1)]
                try:
                    outer.send(self, respond(request))
                except (BrokenPipeError, ConnectionResetError):
                    self.close_connection = True

            def log_message(self, *arguments: object) -> None:
                pass

        self._server = _Quiet(("127.0.0.1", 0), Handler)
        self.base_url = f"http://127.0.0.1:{self._server.server_address[1]}/v1"
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True)

    def __enter__(self) -> ChatServer:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.released.set()
        self._server.shutdown()
        self._server.server_close()

    def stall(self, request: dict[str, Any]) -> Raw:
        """Answer only when released."""
        self.released.wait(30)
        return seeing(request)

    def drip(self, request: dict[str, Any]) -> Raw:
        """Send a space every 0.05 s, for ever."""

        def pieces() -> Iterator[bytes]:
            while not self.released.wait(0.05):
                yield b" "

        return Raw(pieces())

    @staticmethod
    def send(handler: BaseHTTPRequestHandler, raw: Raw) -> None:
        handler.send_response(raw.status)
        handler.send_header("Content-Type", raw.content_type)
        for name, value in raw.headers:
            handler.send_header(name, value)
        if isinstance(raw.body, bytes):
            handler.send_header("Content-Length", str(len(raw.body)))
            handler.end_headers()
            handler.wfile.write(raw.body)
            return
        handler.send_header("Connection", "close")
        handler.end_headers()
        handler.close_connection = True
        for piece in raw.body:
            handler.wfile.write(piece)
            handler.wfile.flush()
