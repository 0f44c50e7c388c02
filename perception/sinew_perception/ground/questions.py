"""Questions about a picture: random sentences, and which of its things they mean."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from sinew_perception.ground.lexicon import FAMILIES, SHAPES
from sinew_perception.ground.sentences import TWO, Meaning, Sentence, Speaker

Seen = Sequence[tuple[str, str]]  # family and shape of each thing that is there
MISSING = ("brown", "grey", "turquoise")  # families that no thing has
WEIGHTS = {"place_in": 0.24, "place_on": 0.22, "push": 0.2, "reach": 0.12, "touch": 0.08, "none": 0.14}


def ask(rng: np.random.Generator, speaker: Speaker, things: Seen) -> Sentence:
    """Return a sentence to learn from: about things that are there, nearly there, or not at all."""
    form = str(rng.choice(list(WEIGHTS), p=list(WEIGHTS.values())))
    phrases = [meaning(rng, things), meaning(rng, things)]
    if form == "none":
        return speaker.say_nothing(phrases)
    return speaker.say(form, phrases[: 2 if form in TWO else 1])


def meaning(rng: np.random.Generator, things: Seen) -> Meaning:
    """Return what a phrase may mean; often a thing of the picture, less often something like one."""
    family, shape = things[int(rng.integers(len(things)))]
    draw = rng.uniform()
    if draw < 0.08:
        return Meaning(family, shape, "noun" if rng.uniform() < 0.7 else "colour")
    if draw < 0.22:
        family = str(rng.choice(FAMILIES)) if rng.uniform() < 0.8 else str(rng.choice(MISSING))
    elif draw < 0.34:
        shape = str(rng.choice(SHAPES))
    elif draw < 0.42:
        family, shape = str(rng.choice(FAMILIES)), str(rng.choice(SHAPES))
    loose = rng.uniform()
    return Meaning(None if loose < 0.10 else family, None if loose > 0.86 else shape)
