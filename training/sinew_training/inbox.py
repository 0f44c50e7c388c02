"""The learner's journal: transitions as they came, on the disk before they are acknowledged.

000000000001_ACTOR_1_4.safetensors   the first letter: of this actor, transitions 1 to 4

The learner takes letters from here into the replay, in this order, and deletes them once a checkpoint
says that they are in it. So after a kill it goes back to its checkpoint and takes the same letters again.
"""

from __future__ import annotations

import contextlib
import re
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from sinew_core.errors import ConfigError
from sinew_core.files import replace_whole
from sinew_data.replay import Schema

from sinew_training.wire import Fragment, WireError, decode

ACTOR = r"[A-Za-z0-9-]{1,64}"
NAME = re.compile(rf"(\d{{12}})_({ACTOR})_(\d+)_(\d+)\.safetensors")


@dataclass(frozen=True, slots=True)
class Letter:
    """What one actor sent: `count` transitions from sequence number `first` on."""

    actor: str
    first: int
    count: int
    oldest: int  # the smallest sequence number that the actor still keeps
    data: bytes

    @property
    def last(self) -> int:
        """The sequence number of the last transition."""
        return self.first + self.count - 1


@dataclass(frozen=True, slots=True)
class Taken:
    """A letter of the journal."""

    number: int  # of the letter
    actor: str
    first: int
    fragment: Fragment


class Inbox:
    """Keeps each transition exactly once. One thread may receive while another takes."""

    def __init__(self, folder: Path, schema: Schema, number: int, sequences: Mapping[str, int]) -> None:
        """Open a folder, given the last letter that a checkpoint has and each actor's last transition."""
        self._folder, self._schema = folder, schema
        self._lock = threading.Lock()
        self._sequences = dict(sequences)
        folder.mkdir(parents=True, exist_ok=True)
        for left in folder.glob("*.part"):
            left.unlink()
        self._paths = self._find(number)
        self._next = max(number, *self._paths, 0) + 1
        self.missing = 0  # transitions that an actor no longer had and this inbox never got

    def sequence(self, actor: str) -> int:
        """Return up to where everything of an actor is here for good."""
        with self._lock:
            return self._sequences.get(actor, 0)

    @property
    def actors(self) -> dict[str, int]:
        """Everybody of whom there is something, and up to where."""
        with self._lock:
            return dict(self._sequences)

    def receive(self, letter: Letter) -> bool:
        """Keep a letter if it is the next one of its actor; False if it is known, or others must come first.

        WireError, and nothing kept, where it is none of this training's; OSError where the disk is full.
        """
        if re.fullmatch(ACTOR, letter.actor) is None:
            raise WireError(f"actor is {letter.actor[:80]!r}; expected letters, digits and - only.")
        with self._lock:
            known = self._sequences.get(letter.actor, 0)
        if letter.last <= known:
            return False
        if letter.first != known + 1 and letter.first != letter.oldest:
            return False
        fragment = decode(letter.data, self._schema)
        if len(fragment) != letter.count:
            raise WireError(f"holds {len(fragment)} transitions; its message says {letter.count}.")
        if letter.first <= known:
            raise WireError(
                f"transitions {letter.first} to {letter.last} overlap those up to {known} that are here."
            )
        path = self._folder / f"{self._next:012d}_{letter.actor}_{letter.first}_{letter.count}.safetensors"
        _write(path, letter.data)
        with self._lock:
            self.missing += letter.first - known - 1 if known else 0
            self._paths[self._next] = path
            self._sequences[letter.actor] = letter.last
            self._next += 1
        return True

    def after(self, number: int) -> Taken | None:
        """Return the letter after a number, if there is one."""
        with self._lock:
            path = self._paths.get(number + 1)
        if path is None:
            return None
        match = NAME.fullmatch(path.name)
        assert match is not None
        return Taken(number + 1, match[2], int(match[3]), decode(path.read_bytes(), self._schema))

    def forget(self, number: int) -> None:
        """Delete the letters up to a number; a checkpoint has what was in them."""
        with self._lock:
            done = [self._paths.pop(each) for each in sorted(self._paths) if each <= number]
        for path in done:
            path.unlink(missing_ok=True)

    def _find(self, number: int) -> dict[int, Path]:
        """Return the letters after a number; those before it are deleted."""
        paths = {}
        for path in sorted(self._folder.glob("*.safetensors")):
            match = NAME.fullmatch(path.name)
            if match is None:
                raise ConfigError(f"{path}: no letter of an inbox. Move it elsewhere.")
            if int(match[1]) <= number:
                path.unlink()
                continue
            paths[int(match[1])] = path
            last = int(match[3]) + int(match[4]) - 1
            self._sequences[match[2]] = max(last, self._sequences.get(match[2], 0))
        if list(paths) != list(range(number + 1, number + 1 + len(paths))):
            raise ConfigError(
                f"{self._folder}: the letters after {number} are {sorted(paths)[:20]}: some that were "
                "acknowledged are missing."
            )
        return paths


def _write(path: Path, data: bytes) -> None:
    """Write a file whole or not at all, for good."""
    try:
        replace_whole(path, path.with_suffix(".part"), data)
    except OSError:
        with contextlib.suppress(OSError):  # it may have had its name already
            path.unlink(missing_ok=True)
        raise
