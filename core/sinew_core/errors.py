"""Errors that a user can mend, and the help that goes into their sentences."""

from __future__ import annotations

import difflib
from collections.abc import Iterable


class ConfigError(Exception):
    """A name, key, value or file that the user gave and can correct."""


class DeviceError(Exception):
    """An arm or camera that does not answer as it should."""


class InferenceError(Exception):
    """A model, policy or reward that failed or answered with something unusable."""


def did_you_mean(given: str, available: Iterable[str]) -> str:
    """Return the tail of an error sentence: the nearest name if one is near, and all that there is."""
    names = sorted(available)
    if not names:
        return ""
    near = difflib.get_close_matches(given, names, n=1, cutoff=0.6)
    hint = f" Did you mean '{near[0]}'?" if near else ""
    return f"{hint} Available: {', '.join(names)}."
