"""What an actor sends when: in order, a window ahead of the acknowledgements, and again where none came."""

from __future__ import annotations

from dataclasses import dataclass

from sinew_training.spool import Entry, Spool


@dataclass(frozen=True, slots=True)
class SendingConfig:
    """How an actor sends."""

    window: int = 64  # fragments that are on their way at most
    resend: float = 1.0  # s without an acknowledgement, after which it begins anew from there
    greeting: float = 1.0  # s of having nothing to send, after which it says that it is there

    def __post_init__(self) -> None:
        """Check the ranges."""
        if self.window < 1 or min(self.resend, self.greeting) <= 0:
            raise ValueError("window: expected at least 1; resend and greeting: more than 0 s.")


class Sending:
    """Chooses from a spool what to send; time is given in s of any steady clock."""

    def __init__(self, spool: Spool, config: SendingConfig) -> None:
        self._spool, self._config = spool, config
        self._sent = spool.acknowledged  # the last sequence number that is on its way
        self._moved = float("-inf")  # s, when it was last acknowledged, or begun anew
        self._said = float("-inf")  # s, when something was last sent
        self.heard = float("-inf")  # s, when the learner was last heard of
        self.refusal = ""  # why the learner takes nothing

    def due(self, now: float) -> list[Entry]:
        """Return what to send now; it counts as sent."""
        spool, c = self._spool, self._config
        if self._sent > spool.acknowledged and now - self._moved > c.resend:
            self._sent = spool.acknowledged
        if self._sent <= spool.acknowledged:
            self._sent, self._moved = spool.acknowledged, now
        due = [entry for entry in spool.pending(most=c.window) if entry.first > self._sent]
        if due:
            self._sent, self._said = due[-1].last, now
        return due

    def greets(self, now: float) -> bool:
        """Whether to say that the actor is there; that counts as said."""
        if now - self._said < self._config.greeting:
            return False
        self._said = now
        return True

    def acknowledged(self, sequence: int, refusal: str, now: float) -> None:
        """Take an acknowledgement; what it covers is forgotten."""
        before = self._spool.acknowledged
        self._spool.acknowledge(sequence)
        self.heard, self.refusal = now, refusal
        if self._spool.acknowledged > before:
            self._moved = now
