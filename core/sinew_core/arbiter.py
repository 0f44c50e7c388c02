"""Which command counts: a fresh human one beats the policy's, and a source must begin near the arm."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from sinew_core.authority import HOLD, HUMAN, POLICY, AuthorityConfig
from sinew_core.types import NANOSECONDS, ActionChunk, FloatArray

PRIORITY = (HUMAN, POLICY)  # first one wins
REFUSED = "refused:"  # how the reason begins where a command was not taken


@dataclass(frozen=True, slots=True)
class Choice:
    """What the arbiter chose for one control period."""

    source: str
    position: FloatArray | None  # (n,); None to hold
    reasons: tuple[str, ...]
    observation_stamp: int
    fault: str = ""  # what was wrong with the command of the source that was driving


def chunk_fault(chunk: ActionChunk, joints: int) -> str | None:
    """Return what makes a chunk unusable for a robot with `joints` joints, or None."""
    position = np.asarray(chunk.position)
    if position.ndim != 2 or position.shape[1] != joints or position.shape[0] < 1:
        return f"shape {position.shape}, expected (horizon, {joints})"
    if not np.isfinite(position).all():
        return "non-finite target"
    if not np.isfinite(chunk.dt) or chunk.dt * NANOSECONDS < 1:
        return f"dt {chunk.dt}, expected a number of seconds of at least a nanosecond"
    return None


class Arbiter:
    """Holds the newest chunk of each source and samples the one that counts.

    A chunk is valid from its stamp until a time-out after its last row; while it is, its last row is
    repeated. A faulty chunk revokes its source's earlier one: what follows is a hold, with the reason.
    A chunk without rows gives control back. A person who was driving and falls silent, or commands
    something impossible, is followed by a hold and not by the policy, until they come back or give back;
    on giving back the policy's chunks from before are void.
    """

    def __init__(
        self, names: Sequence[str], velocity: FloatArray, config: AuthorityConfig, timeout: int, max_age: int
    ) -> None:
        self._names, self._velocity, self._config = tuple(names), velocity, config
        self._timeout = {POLICY: timeout, HUMAN: round(config.human_timeout * NANOSECONDS)}
        self._max_age = max_age
        self._chunks: dict[str, ActionChunk] = {}
        self._faults: list[str] = []
        self._begin()

    def _begin(self) -> None:
        self._source = HOLD
        self._leading = ""  # a source that is far away and led in at a bounded speed
        self._lost = ""  # why a person who was driving no longer is
        self._fresh_from = 0  # ns; the policy's answers to earlier observations are void

    def reset(self) -> None:
        """Forget every chunk and who was commanding."""
        self._chunks.clear()
        self._faults.clear()
        self._begin()

    @property
    def lost(self) -> str:
        """Why a person who was driving no longer is, or ''."""
        return self._lost

    def give_back(self, now: int) -> None:
        """End a person's driving: the policy's chunks from before `now` are void."""
        self._chunks.clear()
        self._lost, self._fresh_from = "", now
        if self._source == HUMAN:
            self._source = HOLD

    def offer(self, source: str, chunk: ActionChunk, now: int) -> str | None:
        """Take a chunk of `human` or `policy`; return why it was refused, or None."""
        if source == HUMAN and chunk.position.shape[:1] == (0,):
            if HUMAN in self._chunks or self._lost or self._source == HUMAN:
                self.give_back(now)
            return None
        fault = chunk_fault(chunk, len(self._names)) or self._stamp_fault(source, chunk, now)
        if fault is None:
            self._chunks[source] = chunk
            return None
        if not fault.startswith("stamp"):
            self._revoke(source, fault)
        self._faults.append(f"{REFUSED}{source}: {fault}")
        return fault

    def refuse(self, source: str, why: str) -> None:
        """Take none of a source's commands, not the last one either; a person is waited for with a hold."""
        self._chunks.pop(source, None)
        self._faults.append(f"{REFUSED}{source}: {why}")
        if source == HUMAN:
            self._lost = why

    def covers(self, now: int) -> bool:
        """Whether some source has a row for this very moment, so that no fresh chunk need be awaited."""
        return any(now < _end(chunk) for chunk in self._chunks.values())

    def choose(self, now: int, target: FloatArray, dt: float) -> Choice:
        """Return the choice for the control period of `dt` s at `now`, with why it is not more.

        `target` (n,) is the position sent last: the arm is there, or on its way there.
        """
        reasons, self._faults, jump = list(self._faults), [], ""
        self._expire(now, reasons)
        for source in PRIORITY:
            chunk = self._chunks.get(source)
            if chunk is None or (source == POLICY and self._lost):
                continue
            row = _row(chunk, now)
            fault = self._distance_fault(source, row, target)
            if fault is not None:
                jump = f"{source}: {fault}" if source == self._source else jump
                self._revoke(source, fault)
                reasons.append(f"{REFUSED}{source}: {fault}")
                continue
            return self._chosen(source, chunk, row, target, dt, now, reasons)
        if self._lost:
            reasons.append(f"lost:{HUMAN}: {self._lost}")
        self._source = HOLD
        return Choice(HOLD, None, tuple(reasons), 0, jump)

    def _expire(self, now: int, reasons: list[str]) -> None:
        for source, chunk in list(self._chunks.items()):
            if now - _end(chunk) > self._timeout[source]:
                self._revoke(source, "silent")
                reasons.append(f"stale:{source}")
            elif chunk.stamp > now:  # the clock was set back since: no row of it is for this moment
                fault = _ahead(chunk, now)
                self._revoke(source, fault)
                reasons.append(f"{REFUSED}{source}: {fault}")

    def _revoke(self, source: str, why: str) -> None:
        self._chunks.pop(source, None)
        if source == HUMAN == self._source:
            self._lost = why

    def _distance_fault(self, source: str, row: FloatArray, target: FloatArray) -> str | None:
        """Return why a row lies too far from the present target; sets `_leading` for one to be led in."""
        starts = source != self._source
        limit = self._config.guard if starts else self._config.jump
        distance = np.abs(row - target)
        if not starts and self._leading == source:
            return None
        if (distance <= limit * self._velocity).all():
            return None
        if starts and self._config.blend_speed > 0:
            self._leading = source
            return None
        worst = int(np.argmax(distance / self._velocity))
        allowed = limit * self._velocity[worst]
        what = "begins" if starts else "jumps to"
        return (
            f"{self._names[worst]} {what} {distance[worst]:.3f} from where the arm is, {allowed:.3f} allowed"
        )

    def _chosen(
        self,
        source: str,
        chunk: ActionChunk,
        row: FloatArray,
        target: FloatArray,
        dt: float,
        now: int,
        reasons: list[str],
    ) -> Choice:
        self._leading = self._leading if self._leading == source else ""
        self._source = source
        if source == HUMAN:
            self._lost = ""
            row = self._shared(row, now, target, reasons)
        if self._leading == source:
            step = self._config.blend_speed * self._velocity * dt
            self._leading = source if (np.abs(row - target) > step).any() else ""
            row = target + np.clip(row - target, -step, step)
            reasons.append(f"blending:{source}")
        if now >= _end(chunk):
            reasons.append(f"late:{source}")
        return Choice(source, row.copy(), tuple(reasons), chunk.stamp)

    def _shared(self, human: FloatArray, now: int, target: FloatArray, reasons: list[str]) -> FloatArray:
        """Mix a person's row with the policy's, where that is wanted and the policy has a sound one."""
        share, chunk = self._config.human_share, self._chunks.get(POLICY)
        if share == 1 or chunk is None:
            return human
        policy = _row(chunk, now)
        if (np.abs(policy - target) > self._config.jump * self._velocity).any():
            return human
        reasons.append(f"shared:{share:g}")
        return share * human + (1 - share) * policy

    def _stamp_fault(self, source: str, chunk: ActionChunk, now: int) -> str | None:
        last = self._chunks.get(source)
        if chunk.stamp > now:
            return _ahead(chunk, now)
        if now - chunk.stamp > self._max_age:
            return f"stamp {chunk.stamp} is {(now - chunk.stamp) / NANOSECONDS:.3f} s old"
        if last is not None and chunk.stamp < last.stamp:
            return f"stamp {chunk.stamp} lies before the last one, {last.stamp}"
        if source == POLICY and chunk.stamp < self._fresh_from:
            return f"stamp {chunk.stamp} is of an observation from before the control was given back"
        return None


def _ahead(chunk: ActionChunk, now: int) -> str:
    return f"stamp {chunk.stamp} lies in the future of {now}"


def _end(chunk: ActionChunk) -> int:
    """Return the moment from which a chunk has no row of its own any more, in ns."""
    return chunk.stamp + len(chunk.position) * round(chunk.dt * NANOSECONDS)


def _row(chunk: ActionChunk, now: int) -> FloatArray:
    """Return the row (n,) for a moment, the last one for ever after."""
    row: FloatArray = chunk.position[
        min((now - chunk.stamp) // round(chunk.dt * NANOSECONDS), len(chunk.position) - 1)
    ]
    return row
