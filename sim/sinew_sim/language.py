"""The sentences of the tasks: wording templates, and reading the objects back out of a sentence."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import NamedTuple, get_args

import numpy as np

from sinew_sim.scene import COLOURS, Shape

# Other names, which paraphrases are made of; the last word of each is read back, too.
COLOUR_NAMES: Mapping[str, Sequence[str]] = {
    "red": ("crimson", "scarlet", "firebrick", "carmine"),
    "orange": ("tangerine", "carrot", "mandarin"),
    "yellow": ("lemon", "dandelion", "canary yellow"),
    "green": ("emerald", "shamrock", "irish green"),
    "blue": ("azure", "cobalt", "cerulean"),
    "purple": ("violet", "amethyst", "dark violet"),
}
SHAPE_NAMES: Mapping[Shape, Sequence[str]] = {
    "cube": ("brick", "cuboid"),
    "cylinder": ("tin", "drum"),
    "sphere": ("orb", "bead"),
    "bowl": ("basin", "tub"),
    "pad": ("coaster", "plate"),
}
WORDS: Mapping[str, Shape] = {
    **{shape: shape for shape in get_args(Shape)},
    **{name: shape for shape, names in SHAPE_NAMES.items() for name in names},
    "block": "cube",
    "box": "cube",
    "ball": "sphere",
    "dish": "bowl",
}
HUES: Mapping[str, str] = {
    **{colour: colour for colour in COLOURS},
    **{name.split()[-1]: colour for colour, names in COLOUR_NAMES.items() for name in names},
}


class Thing(NamedTuple):
    """A colour and a shape: what a sentence calls an object by."""

    colour: str
    shape: Shape

    def __str__(self) -> str:
        """Return the object's name."""
        return f"{self.colour} {self.shape}"


def mentioned(sentence: str) -> list[Thing]:
    """Return the things that a sentence names in words known here, in the order of their naming."""
    words = re.findall(r"[a-z]+", sentence.lower())
    return [
        Thing(HUES[colour], WORDS[noun])
        for colour, noun in pairwise(words)
        if colour in HUES and noun in WORDS
    ]


def read(sentence: str, kinds: Sequence[Sequence[Shape]]) -> list[Thing] | None:
    """Return the things a sentence is about, or None unless they are distinct and of these kinds.

    `kinds[i]` are the shapes that may stand in place i. Every noun and every colour of the sentence
    must belong to a thing, so that "the pink cube" and "the red banana" are not half understood.
    """
    things = mentioned(sentence)
    words = re.findall(r"[a-z]+", sentence.lower())
    loose = sum(word in HUES for word in words), sum(word in WORDS for word in words)
    fits = len(things) == len(kinds) == len(set(things)) and loose == (len(things), len(things))
    if not fits or any(thing.shape not in kind for thing, kind in zip(things, kinds, strict=True)):
        return None
    return things


def say(rng: np.random.Generator, templates: Sequence[str], things: Sequence[Thing]) -> str:
    """Return one of the templates with `{0}`, `{1}` replaced by the things."""
    return templates[int(rng.integers(len(templates)))].format(*things)


def draw(rng: np.random.Generator, shapes: Sequence[Shape], avoid: Sequence[Thing] = ()) -> Thing:
    """Return a thing of one of these shapes that is none of `avoid`, nor has the colour of one if it can."""
    free = [Thing(colour, shape) for colour in COLOURS for shape in shapes]
    free = [thing for thing in free if thing not in avoid] or free
    taken = {thing.colour for thing in avoid}
    free = [thing for thing in free if thing.colour not in taken] or free
    return free[int(rng.integers(len(free)))]
