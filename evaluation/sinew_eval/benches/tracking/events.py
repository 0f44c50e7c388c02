"""The kinds of events, each with the task whose scenes it is played in."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import NamedTuple

import numpy as np

from sinew_eval.benches.tracking.arm_motions import carried_out, covered, partly, rival
from sinew_eval.benches.tracking.motions import Script, moved, passing, removed, shoved
from sinew_eval.benches.tracking.stage import BOTH, Stage


class Event(NamedTuple):
    """A script and its scenes."""

    task: str
    play: Callable[[Stage, np.random.Generator], Script]
    cameras: tuple[str, ...] = BOTH


EVENTS: Mapping[str, Event] = {
    "moved": Event("pick_place", moved),
    "shoved": Event("pick_place", shoved),
    "passing": Event("sinew_eval.benches.tracking.scenes:TwoAlike", passing),
    "removed": Event("pick_place", removed),
    # One camera: what it cannot see is hidden. Two are rarely without sight of a thing at once.
    "covered": Event("pick_place", covered, ("top",)),
    "covered_alike": Event("sinew_eval.benches.tracking.scenes:TwoAlike", covered, ("top",)),
    "rival": Event("sinew_eval.benches.tracking.scenes:TwoAlike", rival, ("top",)),
    "partly": Event("pick_place", partly),
    "carried": Event("pick_place", carried_out),
    "stacked": Event("stack", carried_out),
    "pushed": Event("push", carried_out),
}
