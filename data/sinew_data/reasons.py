"""Why commands were not sent as they were asked for: the reasons of executed commands, counted."""

from __future__ import annotations

from collections.abc import Sequence

NOTES = ("late:", "shared:")  # these say how a command came about, not that it was changed or refused


def names(reasons: Sequence[str]) -> list[str]:
    """Return each reason once, without its details: `velocity:elbow_flex`, `refused:policy`."""
    return list(dict.fromkeys(reason.split(": ")[0] for reason in reasons))


def changed(reasons: Sequence[str]) -> bool:
    """Whether a command was limited, refused or held back."""
    return any(not reason.startswith(NOTES) for reason in reasons)
