"""The maintained client of the chat-completions API, bounded in what is read and counted in what is sent.

Imported only where a question is really asked: the package is an extra, and heavy.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from typing import Any

import httpx2
import openai

from sinew_perception.visual_prompting.faults import Fault, quoted

CONNECT = 10.0  # s, at most


def open_client(
    base_url: str, key: str, timeout: float, max_bytes: int, spend: Callable[[], None]
) -> openai.OpenAI:
    """Return a client; `spend` is called before every request, repetitions included."""

    def count(request: httpx2.Request) -> None:
        spend()

    def bound(response: httpx2.Response) -> None:
        if _seconds(response.headers.get("retry-after", "")) > timeout:
            response.headers["x-should-retry"] = "false"  # the client would wait for minutes
        assert isinstance(response.stream, httpx2.SyncByteStream)
        response.stream = _BoundedStream(response.stream, max_bytes, time.monotonic() + timeout)

    http_client = openai.DefaultHttpxClient(event_hooks={"request": [count], "response": [bound]})
    return openai.OpenAI(
        base_url=base_url,
        api_key=key or "none",
        timeout=httpx2.Timeout(timeout, connect=min(CONNECT, timeout)),
        default_headers={"Accept-Encoding": "identity"},
        http_client=http_client,
    )


def fetch(client: openai.OpenAI, max_retries: int, max_bytes: int, **body: Any) -> tuple[bytes, str]:
    """Send a request; return the response's body and its content type.

    Raises Fault `timeout`, `unreachable`, `http <status>`, `too large` or `budget`.
    """
    create = client.with_options(max_retries=max(max_retries, 0)).chat.completions.with_streaming_response
    try:
        with create.create(**body) as response:
            return _read(response.iter_bytes(), max_bytes), response.headers.get("content-type", "")
    except openai.APIStatusError as error:
        raise Fault("http", _reason(error), str(error.status_code)) from error
    except (openai.APITimeoutError, httpx2.TimeoutException) as error:
        raise Fault("timeout", f"{client.base_url.host} did not answer in time.") from error
    except (openai.APIConnectionError, httpx2.TransportError) as error:
        why = quoted(str(error.__cause__ or error), 120)
        raise Fault("unreachable", f"{client.base_url.host}: {why}.") from error


def _seconds(text: str) -> float:
    """Return a header's seconds, 0 for a date or nothing."""
    try:
        return float(text)
    except ValueError:
        return 0.0


def _read(chunks: Iterator[bytes], max_bytes: int) -> bytes:
    data = bytearray()
    for chunk in chunks:
        data += chunk
        if len(data) > max_bytes:
            raise _too_large(max_bytes)
    return bytes(data)


def _reason(error: openai.APIStatusError) -> str:
    hint = {
        401: "the key was not accepted",
        403: "the key may not do this",
        404: "no such model or address",
        429: "too many requests, or nothing left to spend",
    }.get(error.status_code, "the server failed" if error.status_code >= 500 else "not accepted")
    return f'{hint}; the server says "{quoted(str(error.message), 160)}".'


def _too_large(max_bytes: int) -> Fault:
    return Fault("too large", f"the response is longer than {max_bytes} bytes; the rest was not read.")


class _BoundedStream(httpx2.SyncByteStream):
    """A response body that ends with a Fault when it grows too long or takes too long."""

    def __init__(self, stream: httpx2.SyncByteStream, max_bytes: int, deadline: float) -> None:
        self._stream, self._max_bytes, self._deadline = stream, max_bytes, deadline

    def __iter__(self) -> Iterator[bytes]:
        """Yield what comes, as long as it may."""
        count = 0
        for chunk in self._stream:
            count += len(chunk)
            if count > self._max_bytes:
                raise _too_large(self._max_bytes)
            if time.monotonic() > self._deadline:
                raise Fault("timeout", "the response came too slowly.")
            yield chunk

    def close(self) -> None:
        """Close the connection."""
        self._stream.close()
