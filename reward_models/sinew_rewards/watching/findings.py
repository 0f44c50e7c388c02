"""What was noticed while watching: one finding each, an alarm or a note."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

Kind = Literal["correlation", "unrelated", "hollow_rise", "drift", "moved", "repetition", "loitering"]


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was noticed; a note says that something is otherwise, an alarm that it is wrong."""

    kind: Kind
    sentence: str
    alarm: bool = True
    figures: Mapping[str, float] = field(default_factory=dict)
    names: tuple[str, ...] = ()  # of the inputs or terms that it is about

    def as_json(self) -> dict[str, Any]:
        """Return JSON values."""
        return {
            "kind": self.kind,
            "alarm": self.alarm,
            "sentence": self.sentence,
            "figures": {name: round(value, 6) for name, value in self.figures.items()},
            "names": list(self.names),
        }
