"""The chat-completions wire format: a question as a request body, and the text out of a response body."""

from __future__ import annotations

import base64
import json
from typing import Any, Literal

from sinew_perception.visual_prompting.faults import Fault, quoted
from sinew_perception.visual_prompting.question import Question

Form = Literal["json_schema", "json_object", "text"]

QUOTED_BACK = 4000  # letters of an unusable answer that the model is shown again
TOKENS_PER_IMAGE, LETTERS_PER_TOKEN = 1000, 4  # where a server does not count


def request_messages(question: Question) -> list[dict[str, Any]]:
    """Return the messages: the rules, the images with the task, and an unusable answer with its error."""
    content: list[dict[str, Any]] = []
    for image in question.images:
        url = "data:image/png;base64," + base64.b64encode(image.png()).decode("ascii")
        content.append({"type": "text", "text": f"The {image.name} image:"})
        content.append({"type": "image_url", "image_url": {"url": url, "detail": "high"}})
    content.append({"type": "text", "text": question.user})
    messages: list[dict[str, Any]] = [
        {"role": "system", "content": question.system},
        {"role": "user", "content": content},
    ]
    if question.correction is not None:
        said = question.correction.reply[:QUOTED_BACK] or "(nothing)"
        error = f"That answer was not accepted. {question.correction.error} Answer again, in full."
        messages += [{"role": "assistant", "content": said}, {"role": "user", "content": error}]
    return messages


def response_format(question: Question, form: Form) -> dict[str, Any]:
    """Return the field that asks for an answer's form; none where only the prompt does."""
    if form == "text":
        return {}
    if form == "json_object":
        return {"response_format": {"type": form}}
    schema = {"name": "affordance", "strict": True, "schema": question.schema}
    return {"response_format": {"type": form, "json_schema": schema}}


def read_completion(data: bytes, content_type: str) -> tuple[str, int]:
    """Return the text of a response body and the tokens that it says it cost, 0 if it does not say.

    A message without text is an empty one. Raises Fault `malformed` for what is no completion and
    `declined` where the server says that the model declines.
    """
    try:
        body = json.loads(data)
        choice = body["choices"][0]
        message = choice["message"]
        text, declined = message.get("content"), message.get("refusal")
    except (ValueError, KeyError, IndexError, TypeError, AttributeError, RecursionError) as error:
        start = quoted(data[:400].decode("utf-8", "replace"), 80)
        raise Fault(
            "malformed",
            f"the server's response ({content_type or 'no content type'}) is no chat completion; "
            f'it begins "{start}".',
        ) from error
    if isinstance(declined, str) and declined:
        raise Fault("declined", quoted(declined, 300))
    if choice.get("finish_reason") == "length":
        raise Fault("malformed", "the answer was cut off; allow more tokens (max_tokens).")
    return text if isinstance(text, str) else "", _count(body)


def estimate_tokens(question: Question, text: str) -> int:
    """Return about what a question and its answer cost, for servers that do not count."""
    letters = len(question.system) + len(question.user) + len(text)
    return letters // LETTERS_PER_TOKEN + TOKENS_PER_IMAGE * len(question.images)


def _count(body: dict[str, Any]) -> int:
    usage = body.get("usage")
    total = usage.get("total_tokens") if isinstance(usage, dict) else None
    return total if isinstance(total, int) and total > 0 else 0
