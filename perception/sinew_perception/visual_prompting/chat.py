"""A provider for any server that speaks the chat-completions API with images."""

from __future__ import annotations

import importlib.util
import os
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Literal
from urllib.parse import urlsplit

from sinew_core.errors import ConfigError

from sinew_perception.visual_prompting.budget import Budget, Limits
from sinew_perception.visual_prompting.completion import (
    Form,
    estimate_tokens,
    read_completion,
    request_messages,
    response_format,
)
from sinew_perception.visual_prompting.faults import Fault
from sinew_perception.visual_prompting.provider import Reply
from sinew_perception.visual_prompting.question import Question
from sinew_perception.visual_prompting.recording import FOLDER, MODEL, Recording


@dataclass(frozen=True, slots=True)
class Config:
    """Which server and model, with what patience, for how much, and where answers are kept."""

    base_url: str = "https://api.openai.com/v1"
    model: str = MODEL
    key_env: str = (
        "OPENAI_API_KEY"  # the environment variable that holds the key; empty: the server wants none
    )
    timeout: float = 30.0  # s that one request may take
    max_retries: int = 2  # after timeouts, broken connections, 408, 409, 429 and 5xx, with back-off
    max_tokens: int = 2000  # of one answer
    tokens_field: Literal["max_tokens", "max_completion_tokens"] = "max_tokens"
    temperature: float | None = None  # None: the server's own
    form: Form = "json_schema"  # weaker ones are for servers that do not know schemas
    max_bytes: int = 1_000_000  # of a response; more is not read
    limits: Limits = field(default_factory=Limits)
    record: Path | None = FOLDER  # folder for every answer; null: none is kept

    def __post_init__(self) -> None:
        """Check the address and the ranges."""
        address = urlsplit(self.base_url)
        if address.scheme not in ("http", "https") or not address.hostname:
            raise ValueError(f"base_url: expected http(s)://host/..., got {self.base_url!r}.")
        if address.username or address.password or address.query:
            raise ValueError("base_url: keys do not belong into an address; name a variable in key_env.")
        if self.timeout <= 0 or self.max_retries < 0 or self.max_tokens < 1 or self.max_bytes < 1:
            raise ValueError("expected timeout > 0, max_retries >= 0, max_tokens >= 1 and max_bytes >= 1.")


class Chat:
    """Asks a server. What was answered once in this process is not asked again."""

    def __init__(self, config: Config) -> None:
        if importlib.util.find_spec("openai") is None:
            raise ConfigError(
                "the provider `chat` needs the Python package openai: pip install 'sinew[vlm]'."
            )
        self._config = config
        self.budget = Budget(config.limits)
        self._recording = None if config.record is None else Recording(config.record)
        self._known: dict[str, Reply] = {}
        self._client: Any = None

    def begin(self) -> None:
        """Begin an episode's share of the budget."""
        self.budget.begin()

    def ask(self, question: Question) -> Reply:
        """Return the model's reply; raises Fault for whatever goes wrong on the way."""
        key = question.key(self._config.model)
        if key in self._known:
            return replace(self._known[key], live=False)
        reply = self._send(question)
        if self._recording is not None:
            self._recording.store(question, self._config.model, reply)
        self._known[key] = reply
        return reply

    def _send(self, question: Question) -> Reply:
        from sinew_perception.visual_prompting.chat_client import fetch, open_client

        config, key = self._config, self._key()
        retries = min(config.max_retries, self.budget.left() - 1)
        if self._client is None:
            self._client = open_client(
                config.base_url, key, config.timeout, config.max_bytes, self.budget.spend_call
            )
        try:
            data, content_type = fetch(self._client, retries, config.max_bytes, **self._body(question))
        except Fault as fault:
            raise _redacted(fault, key) from None
        text, tokens = read_completion(data, content_type)
        tokens = tokens or estimate_tokens(question, text)
        self.budget.add_tokens(tokens)
        return Reply(text, config.model, tokens)

    def _body(self, question: Question) -> dict[str, Any]:
        config = self._config
        body: dict[str, Any] = {
            "model": config.model,
            "messages": request_messages(question),
            **response_format(question, config.form),
            config.tokens_field: config.max_tokens,
        }
        if config.temperature is not None:
            body["temperature"] = config.temperature
        return body

    def _key(self) -> str:
        name = self._config.key_env
        if not name:
            return ""
        key = os.environ.get(name, "").strip()
        if not key:
            host = urlsplit(self._config.base_url).hostname
            raise Fault("no key", f"the environment variable {name}, with the key for {host}, is not set.")
        return key


def _redacted(fault: Fault, key: str) -> Fault:
    """Return a fault without the key, which servers like to quote."""
    return fault.without(key) if key else fault
