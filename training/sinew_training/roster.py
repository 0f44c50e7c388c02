"""Who acts for a learner: as many actors as were announced, and who takes whose place."""

from __future__ import annotations


class RosterError(ValueError):
    """An actor too many; the text says whose place it would have to take."""


class Roster:
    """Knows who was heard of when, in s of any steady clock."""

    def __init__(self, places: int, silence: float) -> None:
        if places < 1 or silence <= 0:
            raise ValueError(f"actors: expected at least 1, got {places}; silence: more than 0 s, {silence}.")
        self._places, self._silence = places, silence
        self._heard: dict[str, float] = {}

    def admit(self, actor: str, now: float) -> str:
        """Note that an actor was heard of; return a sentence if that is news, else ''.

        RosterError for one too many.
        """
        if actor in self._heard:
            self._heard[actor] = now
            return ""
        silent = [name for name, heard in self._heard.items() if now - heard > self._silence]
        if len(self._heard) - len(silent) >= self._places:
            living = ", ".join(sorted(self._heard.keys() - set(silent)))
            raise RosterError(
                f"actor {actor}: one too many. {self._places} may act and {living} does; it is taken in once "
                f"that one has been silent for {self._silence:g} s, or with a larger `actors`."
            )
        said = f"actor {actor} acts"
        if len(self._heard) >= self._places:
            old = min(silent, key=lambda name: self._heard[name])
            said = f"actor {actor} replaces {old}, silent for {now - self._heard.pop(old):.1f} s"
        self._heard[actor] = now
        return said
