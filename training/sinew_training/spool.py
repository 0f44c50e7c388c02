"""The actor's queue on disk: transitions that the learner has not acknowledged yet.

spool.json                   whose it is, and up to where everything is acknowledged
000000000001-000000000004.safetensors   transitions 1 to 4, whole or not there

A file is there under its name only when all of it is on the disk. Sequence numbers count from 1 for as
long as the spool lives, restarts of the actor included; whoever deletes the folder gets a new identity.
"""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import re
import sys
import uuid
from bisect import bisect_left
from dataclasses import dataclass
from itertools import takewhile
from pathlib import Path
from typing import Any

from safetensors import SafetensorError
from safetensors.numpy import load
from sinew_core.errors import ConfigError
from sinew_core.files import replace_whole

FORMAT = "sinew-spool/1"
STATE = "spool.json"
NAME = re.compile(r"(\d{12})-(\d{12})\.safetensors")
LIMIT = 2 << 30  # bytes


class SpoolError(ConfigError):
    """The spool cannot keep what it was given, or cannot be opened; what is in it stays."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One file of transitions."""

    first: int  # sequence number of its first transition
    last: int
    size: int  # bytes

    @property
    def name(self) -> str:
        """The file's name."""
        return f"{self.first:012d}-{self.last:012d}.safetensors"


class Spool:
    """Keeps transitions until they are acknowledged. One thread uses it; a second process is refused.

    What was appended counts as `held` until `release`: it can be taken back by `discard` until then. After
    a restart nothing is held.
    """

    def __init__(self, folder: Path, run: str, limit: int = LIMIT) -> None:
        self._folder, self._limit = folder, limit
        try:
            folder.mkdir(parents=True, exist_ok=True)
            self._handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
        except OSError as error:
            raise SpoolError(f"spool {folder}: cannot be opened ({error.strerror}).") from error
        self._entries: list[Entry] = []
        self._held_from: int | None = None  # sequence number
        self._used = 0  # bytes
        try:
            self._claim()
            self._open(run)
        except BaseException:
            os.close(self._handle)
            raise

    @property
    def next(self) -> int:
        """The sequence number that the next transition will get."""
        return self._entries[-1].last + 1 if self._entries else self.acknowledged + 1

    @property
    def oldest(self) -> int:
        """The smallest sequence number that is still kept, or else the next one."""
        return self._entries[0].first if self._entries else self.next

    def pending(self, most: int = sys.maxsize) -> list[Entry]:
        """Return the oldest entries that may be sent, in order."""
        return self._entries[: min(self._held, most)]

    @property
    def waiting(self) -> int:
        """How many transitions are not acknowledged yet."""
        return self.next - self.oldest

    def append(self, data: bytes, count: int) -> Entry:
        """Keep the bytes of `count` transitions; they last when this returns.

        SpoolError where they do not, and then nothing of them is there.
        """
        if count < 1:
            raise SpoolError(f"spool {self._folder}: {count} transitions; expected at least 1.")
        if self._used + len(data) > self._limit:
            raise SpoolError(
                f"spool {self._folder}: full. {self.waiting} transitions ({self._used} bytes) wait for a "
                f"learner's acknowledgement; the limit is {self._limit} bytes. Start the learner, or raise "
                "the limit."
            )
        entry = Entry(self.next, self.next + count - 1, len(data))
        try:
            self._write(entry.name, data)
        except SpoolError:
            with contextlib.suppress(OSError):
                (self._folder / entry.name).unlink(missing_ok=True)
            raise
        self._entries.append(entry)
        self._used += entry.size
        return entry

    def release(self) -> None:
        """Let everything that was appended be sent."""
        self._held_from = None

    def hold(self) -> None:
        """Keep what is appended from now on until `release` or `discard`."""
        self._held_from = self.next

    def discard(self) -> int:
        """Delete what is held; return how many transitions that was. They were never sent."""
        held = self._entries[self._held :]
        for entry in reversed(held):
            self._delete(entry)
        self._entries = self._entries[: self._held]
        return sum(entry.last - entry.first + 1 for entry in held)

    def read(self, entry: Entry) -> bytes:
        """Return the bytes of an entry."""
        try:
            return (self._folder / entry.name).read_bytes()
        except OSError as error:
            raise SpoolError(f"{self._folder / entry.name}: cannot be read ({error.strerror}).") from error

    def acknowledge(self, sequence: int) -> None:
        """Forget everything up to a sequence number; one that is old, or was never sent, changes nothing."""
        if not self.acknowledged < sequence < self._end:
            return
        done = list(takewhile(lambda entry: entry.last <= sequence, self._entries))
        if not done:
            return
        self._save(done[-1].last)
        self._entries = self._entries[len(done) :]
        for entry in done:
            self._delete(entry)

    def close(self) -> None:
        """Let another process have it."""
        if self._handle >= 0:
            os.close(self._handle)
            self._handle = -1

    @property
    def _end(self) -> int:
        """The sequence number from which on nothing may be sent."""
        return self.next if self._held_from is None else self._held_from

    @property
    def _held(self) -> int:
        """The index of the first entry that is held."""
        return bisect_left(self._entries, self._end, key=lambda entry: entry.first)

    def _delete(self, entry: Entry) -> None:
        (self._folder / entry.name).unlink(missing_ok=True)
        self._used -= entry.size

    def _claim(self) -> None:
        try:
            fcntl.flock(self._handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            raise SpoolError(f"spool {self._folder}: another process uses it.") from error

    def _open(self, run: str) -> None:
        state = self._state()
        if state and state["run"] != run:
            raise SpoolError(
                f"spool {self._folder}: belongs to the run '{state['run']}', this is '{run}'. Give another "
                "spool, or the run that it belongs to."
            )
        self.run, self.acknowledged = run, int(state.get("acknowledged", 0))
        self.actor = str(state.get("actor") or uuid.uuid4().hex[:12])
        if not state:
            self._save(0)
        for left in self._folder.glob("*.part"):
            left.unlink()
        self._entries = self._find()
        self._used = sum(entry.size for entry in self._entries)

    def _state(self) -> dict[str, Any]:
        path = self._folder / STATE
        if not path.exists():
            return {}
        try:
            state = json.loads(path.read_text(encoding="utf-8"))
            given = state["format"], state["run"], state["actor"], int(state["acknowledged"])
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise SpoolError(f"{path}: cannot be read as a spool's state: {error!r}") from error
        if given[0] != FORMAT:
            raise SpoolError(f"{path}: format {given[0]}; this version reads {FORMAT}.")
        return dict(state)

    def _find(self) -> list[Entry]:
        """Return the files that are there, without those that were acknowledged; each must be whole."""
        entries = []
        for path in sorted(self._folder.glob("*.safetensors")):
            match = NAME.fullmatch(path.name)
            if match is None:
                raise SpoolError(f"{path}: no file of a spool. Move it elsewhere.")
            entry = Entry(int(match[1]), int(match[2]), path.stat().st_size)
            if entry.last <= self.acknowledged:
                path.unlink()
                continue
            try:
                load(path.read_bytes())
            except (SafetensorError, ValueError, KeyError) as error:
                raise SpoolError(
                    f"{path}: damaged ({error}). Move it elsewhere to go on without its "
                    f"{entry.last - entry.first + 1} transitions."
                ) from error
            entries.append(entry)
        return entries

    def _save(self, acknowledged: int) -> None:
        state = {"format": FORMAT, "run": self.run, "actor": self.actor, "acknowledged": acknowledged}
        self._write(STATE, (json.dumps(state) + "\n").encode())
        self.acknowledged = acknowledged

    def _write(self, name: str, data: bytes) -> None:
        """Write a file whole or not at all, for good."""
        path, aside = self._folder / name, self._folder / f"{name}.part"
        try:
            replace_whole(path, aside, data)
        except OSError as error:
            raise SpoolError(
                f"{path}: cannot be written ({error.strerror}). What was there before is kept; free some "
                "space, or give another spool."
            ) from error
