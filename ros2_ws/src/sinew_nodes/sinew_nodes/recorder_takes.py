"""The episodes under way in a recorder, and what belongs to none of them so far."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from concurrent.futures import Future
from pathlib import Path

from sinew_data.messages import EpisodeEvent
from sinew_data.writer import EpisodeWriter

from sinew_nodes.recorder_arrival import Arrival
from sinew_nodes.recorder_take import Ring, Take

UNHEARD = "the end of the episode was not heard of"


class Takes:
    """Hands each message to the episode it belongs to, whichever of the two comes first.

    An episode may begin while the last one still waits for late messages. Times are s of the monotonic
    clock. Not thread-safe.
    """

    def __init__(self, committing: Callable[[Take, Future[Path]], None]) -> None:
        self._committing = committing
        self._takes: list[Take] = []
        self._ring = Ring()

    @property
    def running(self) -> bool:
        """Whether the end of an episode is still to come."""
        return any(take.end is None for take in self._takes)

    @property
    def ending(self) -> bool:
        """Whether late messages of an episode are waited for."""
        return any(take.end is not None for take in self._takes)

    def add(self, arrival: Arrival, now: float, owner: str = "") -> None:
        """Take a message; `owner` is who moves the arm from it on, if it says so."""
        takers = [take for take in self._takes if take.claims(arrival)]
        for take in takers:
            take.add(arrival, now)
            if owner:
                take.owned(owner)
        if not takers and arrival.stamp is not None:
            self._ring.add(arrival)

    def begin(
        self, event: EpisodeEvent, writer: EpisodeWriter, prelude: Iterable[Arrival], now: float
    ) -> Take:
        """Begin an episode with what holds at its start, and with what came before and belongs to it."""
        take = Take(event, writer)
        early = list(self._ring.take_since(event.stamp))
        for arrival in (*prelude, *early):
            take.add(arrival, now)
        self._takes.append(take)
        return take

    def end(self, event: EpisodeEvent, now: float) -> None:
        """End an episode; it is whole a little later."""
        for take in self._takes:
            if take.event.episode == event.episode and take.end is None:
                take.ended(event, now)

    def finish_whole(self, now: float) -> None:
        """Commit the episodes of which nothing more is to be expected."""
        self._finish(lambda take: take.whole(now), "")

    def finish_running(self, message: str = UNHEARD) -> None:
        """Commit the episodes whose ends have not come, as interrupted for the reason of `message`."""
        self._finish(lambda take: take.end is None, message)

    def finish_all(self, message: str) -> None:
        """Commit every episode as it is."""
        self._finish(lambda take: True, message)

    def _finish(self, chosen: Callable[[Take], bool], message: str) -> None:
        for take in [take for take in self._takes if chosen(take)]:
            self._takes.remove(take)
            self._committing(take, take.finish(message))
