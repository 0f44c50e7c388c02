"""The cameras' intrinsics as they were recorded."""

from __future__ import annotations

from dataclasses import dataclass

from sinew_data import topics
from sinew_data.reader import Episode, damage_of


@dataclass(frozen=True, slots=True)
class Intrinsics:
    """A pinhole camera without distortion."""

    width: int  # px
    height: int  # px
    fx: float  # px
    fy: float  # px
    cx: float  # px
    cy: float  # px


def read_intrinsics(episode: Episode) -> dict[str, Intrinsics]:
    """Return the first intrinsics of each camera by name; one without any is absent."""
    cameras = {topics.info_topic(name): name for name in episode.summary.cameras}
    wanted = {topic for topic in cameras if episode.summary.counts.get(topic)}
    found: dict[str, Intrinsics] = {}
    if not wanted:
        return found
    for raw in episode.raw_messages(sorted(wanted)):
        name = cameras[raw.topic]
        if name not in found:
            with damage_of(episode.path):
                message = raw.decode()
                k = [float(value) for value in message.k]
                found[name] = Intrinsics(int(message.width), int(message.height), k[0], k[4], k[2], k[5])
        if len(found) == len(wanted):
            break
    return found
