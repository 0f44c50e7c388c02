"""Thresholds from pictures that training did not see, in the words that it knows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from itertools import product

import numpy as np

from sinew_perception.geometry import posed_camera
from sinew_perception.ground.answering import Meant, UnclearError, understand
from sinew_perception.ground.blobs import Blob, Map, find_blobs
from sinew_perception.ground.grounder import Grounder, Look, Said, Thresholds
from sinew_perception.ground.trials import Trial, trials
from sinew_perception.ground.views import height_image

HARDWARE = ("sim_mujoco", "sim_mujoco_fr3")
TAG = 2  # of the pictures
WITHIN = 0.020  # m
STEPS = (0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9)


@dataclass(frozen=True, slots=True)
class Seen:
    """A trial with everything that does not depend on thresholds."""

    trial: Trial
    look: Look
    said: Said
    blobs: list[Blob]
    scores: Map


def look_at(grounder: Grounder, trial: Trial) -> Seen:
    """Return what the network makes of a trial."""
    camera = posed_camera(trial.hardware, "top", trial.joints)
    depth = trial.frame.depth
    look = grounder.look(
        trial.frame.rgb, None if depth is None else height_image(depth, camera.model, camera.X_BC)
    )
    said = grounder.hear(trial.sentence.text)
    blobs = find_blobs(look.maps, camera, depth)
    return Seen(trial, look, said, blobs, grounder.scores(look, said, blobs))


def outcome(seen: Seen, limits: Thresholds) -> str:
    """Return "right", "refused", or what is wrong: "form", "place" (not within 20 mm) or "accepted"."""
    try:
        return verdict(understand(seen.said, seen.blobs, seen.scores, limits), seen.trial)
    except UnclearError:
        return "refused"


def verdict(meant: Meant, trial: Trial) -> str:
    """Return "right", or what is wrong with an answer: see `outcome`."""
    truth = trial.truth
    if not truth:
        return "accepted"
    if meant.form != trial.sentence.form:
        return "form"
    found = [meant.subject, *([] if meant.target is None else [meant.target])]
    near = [np.linalg.norm(a.position - b) < WITHIN for a, b in zip(found, truth, strict=True)]
    return "right" if all(near) else "place"


def calibrate(grounder: Grounder, seed: int, count: int) -> tuple[Thresholds, dict[str, float]]:
    """Return the thresholds with the fewest mistakes over `count` questions, and their figures.

    Mistakes of the kinds are weighted by how far each is from what is wanted of it.
    """
    seen = [look_at(grounder, trial) for trial in trials("train", TAG, seed, count, HARDWARE)]
    best, least = Thresholds(), np.inf
    for present, rival, form in product(STEPS, STEPS, (0.3, 0.5, 0.7)):
        limits = Thresholds(present, rival, form)
        figures = shares(seen, limits)
        cost = (
            (1 - figures["within_20mm"])
            + 1.5 * (1 - figures["refused_absent"])
            + 1.5 * figures["false_refusals"]
            + 0.5 * (1 - figures["refused_alike"])
        )
        if cost < least - 1e-9:
            best, least = limits, cost
    return best, {**shares(seen, best), **{f"threshold_{k}": v for k, v in asdict(best).items()}}


def shares(seen: Sequence[Seen], limits: Thresholds) -> dict[str, float]:
    """Return the figures of the bench over trials that have been looked at."""
    results = [(item.trial.kind, outcome(item, limits)) for item in seen]

    def share(kinds: Sequence[str], result: str) -> float:
        own = [what for kind, what in results if kind in kinds]
        return round(sum(what == result for what in own) / max(1, len(own)), 4)

    return {
        "within_20mm": share(["unique"], "right"),
        "refused_absent": share(["absent"], "refused"),
        "false_refusals": share(["unique"], "refused"),
        "refused_alike": share(["alike"], "refused"),
        "refused_nonsense": share(["nonsense"], "refused"),
        "refused_no_request": share(["no_request"], "refused"),
    }
