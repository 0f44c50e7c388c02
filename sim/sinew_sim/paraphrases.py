"""The tasks' sentences in other words: what a rule does not know, and no training sentence contained.

The scenes stay the same, and so do the objects that success is judged by.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from sinew_sim.language import COLOUR_NAMES, SHAPE_NAMES, Thing, say

Wording = Literal["plain", "paraphrase"]

SENTENCES: Mapping[str, Sequence[str]] = {
    "pick_place": (
        "deposit the {0} in the {1}",
        "transfer the {0} into the {1}",
        "collect the {0} and stow it in the {1}",
        "fetch the {0} and drop it within the {1}",
        "inside the {1} place the {0}",
        "please make sure the {0} ends up in the {1}",
    ),
    "push": (
        "nudge the {0} onto the {1}",
        "scoot the {0} to the {1}",
        "slide the {0} toward the {1}",
        "shove the {0} onto the {1}",
    ),
    "stack": (
        "deposit the {0} on top of the {1}",
        "position the {0} on the {1}",
        "seize the {0} and place it upon the {1}",
        "fetch the {0} and put it onto the {1}",
    ),
    "reach": ("approach the {0}", "go over to the {0}", "bring the gripper over the {0}"),
}


@dataclass(frozen=True, slots=True)
class WordingConfig:
    """How a task words the sentences that it draws."""

    wording: Wording = "plain"


PLAIN = WordingConfig()


def word(
    rng: np.random.Generator, config: WordingConfig, task: str, plain: Sequence[str], things: Sequence[Thing]
) -> str:
    """Return a sentence about things: one of the templates `plain`, or a paraphrase for the task."""
    if config.wording == "plain":
        return say(rng, plain, things)
    names = [f"{_pick(rng, COLOUR_NAMES[t.colour])} {_pick(rng, SHAPE_NAMES[t.shape])}" for t in things]
    return _pick(rng, SENTENCES[task]).format(*names)


def _pick(rng: np.random.Generator, options: Sequence[str]) -> str:
    return options[int(rng.integers(len(options)))]
