"""Which entries of a feedback log can be used with some episodes, and what is wrong with the others."""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from pathlib import Path

from sinew_core.errors import ConfigError
from sinew_data.feedback.checks import problems, with_episodes
from sinew_data.feedback.log import read
from sinew_data.feedback.types import Feedback
from sinew_data.feedback.wire import to_line


@dataclass(frozen=True, slots=True)
class Usable:
    """Entries about episodes that are there, and sentences about what is left out or odd."""

    entries: tuple[Feedback, ...]
    notes: tuple[str, ...] = ()

    def about(self, names: Collection[str]) -> list[Feedback]:
        """Return the entries all of whose clips are of these episodes; what is about none is about all."""
        return with_episodes(self.entries, names)


def usable(path: Path, names: Collection[str]) -> Usable:
    """Return what a log says about these episodes; ConfigError where it cannot be read, or says nothing."""
    contents = read(path)
    notes = [f"{path}: line {flaw.line} is left out: {flaw.reason}" for flaw in contents.damaged]
    notes += [f"{path}: line {flaw.line} is not understood: {flaw.reason}" for flaw in contents.unknown]
    notes += [problem.sentence for problem in problems(contents.entries, names)]
    entries = with_episodes(contents.entries, names)
    if not entries:
        why = f": {notes[0]}" if notes else f": it has {len(contents.entries)} entries."
        raise ConfigError(f"{path}: nothing in it is about these episodes{why}")
    return Usable(tuple(entries), tuple(notes))


def check_learnable(entries: Sequence[Feedback]) -> None:
    """Raise ConfigError where there is nothing to learn from entries, with the reason."""
    errors = [problem.sentence for problem in problems(entries) if problem.level == "error"]
    if errors:
        raise ConfigError(f"the feedback cannot be learnt from: {errors[0]}")


def digest_of(entries: Sequence[Feedback]) -> str:
    """Return a name of what entries say, whatever their order."""
    lines = sorted(to_line(entry) for entry in entries)
    return hashlib.sha256(b"\n".join(lines)).hexdigest()
