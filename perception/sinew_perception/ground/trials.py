"""Questions with known answers: for calibrating on pictures like those of training, and for the bench."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Literal

import numpy as np
import numpy.typing as npt
from sinew_core.hardware import Hardware, load_hardware
from sinew_core.types import CameraFrame, FloatArray, JointState

from sinew_perception.ground.lexicon import FAMILIES, SHAPES, load_frames, load_lexicon
from sinew_perception.ground.questions import MISSING
from sinew_perception.ground.sentences import FORMS, TWO, Meaning, Sentence, Speaker, Split

if TYPE_CHECKING:
    from sinew_perception.ground.rendering import PictureRenderer

Kind = Literal["unique", "absent", "alike", "nonsense", "no_request"]
KINDS: tuple[Kind, ...] = (
    "unique",
    "unique",
    "unique",
    "absent",
    "alike",
    "unique",
    "absent",
    "nonsense",
    "no_request",
    "absent",
)
PLAINLY = 0.6  # share of a thing that must be seen for a question to count on it
ATTEMPTS = 100  # pictures that are drawn for a question


@dataclass(frozen=True, slots=True)
class Trial:
    """A picture, a sentence, and what a right answer is."""

    hardware: Hardware  # its top camera is where it was for this picture
    frame: CameraFrame
    joints: JointState
    sentence: Sentence
    kind: Kind
    truth: tuple[FloatArray, ...]  # (3,) m centres of what is to be grasped and of the target; none: refuse


def trials(split: Split, tag: int, seed: int, count: int, hardware: Sequence[str]) -> Iterator[Trial]:
    """Yield trials in the words, frames and colours of a split; kinds and robots take turns.

    `tag` keeps the pictures apart from those of other uses, training's included.
    """
    from sinew_perception.ground.rendering import PictureRenderer

    machines = [load_hardware(name) for name in hardware]
    renderers = [PictureRenderer(machine) for machine in machines]
    try:
        for number in range(count):
            robot, kind = number % len(machines), KINDS[number // len(machines) % len(KINDS)]
            rngs = (np.random.default_rng([tag, seed, number, attempt]) for attempt in range(ATTEMPTS))
            drawn = (_trial(rng, machines[robot], renderers[robot], kind, split) for rng in rngs)
            trial = next((trial for trial in drawn if trial is not None), None)
            assert trial is not None, f"no question of kind {kind} in {ATTEMPTS} pictures"
            yield trial
    finally:
        for renderer in renderers:
            renderer.close()


def _trial(
    rng: np.random.Generator, hardware: Hardware, renderer: PictureRenderer, kind: Kind, split: Split
) -> Trial | None:
    """Return a trial in a random picture, or None where the picture has no question of the kind."""
    from sinew_perception.ground.rendering import worsen
    from sinew_perception.ground.scenes import draw_picture

    lexicon = load_lexicon()
    colours = lexicon.colours(held_out=split == "held_out")
    picture = draw_picture(rng, hardware, colours, own_colours=split == "train")
    rgb, depth, sample = renderer.draw(picture)
    things = [(thing.family, thing.shape) for thing in picture.things]
    asked = _question(rng, Speaker(rng, lexicon, load_frames(), split), kind, things, sample.seen)
    if asked is None:
        return None
    sentence, meant = asked
    there = replace(hardware, cameras={**hardware.cameras, "top": picture.look.camera})
    joints = JointState(1, picture.look.joints, np.zeros(len(picture.look.joints)))
    truth = tuple(np.array(picture.things[i].placed.position) for i in meant)
    return Trial(there, CameraFrame(1, worsen(rng, rgb), depth), joints, sentence, kind, truth)


Things = Sequence[tuple[str, str]]
Shares = npt.NDArray[np.float32]


def _question(
    rng: np.random.Generator, speaker: Speaker, kind: Kind, things: Things, seen: Shares
) -> tuple[Sentence, tuple[int, ...]] | None:
    """Return a sentence of a kind and the things that it means, or None where the picture has no such."""
    form = FORMS[int(rng.integers(len(FORMS) - 1))]
    if kind == "no_request":
        return speaker.say_nothing([Meaning(*things[0]), Meaning(*things[-1])]), ()
    plain = [i for i in range(len(things)) if seen[i] >= PLAINLY]
    unsure = [things[i] for i in range(len(things)) if 0.0 < seen[i] < PLAINLY]
    chosen = _unique(rng, form, things, plain)
    if chosen is None:
        return None
    meant, phrases = chosen
    if kind in ("absent", "nonsense", "alike"):
        role = int(rng.integers(len(phrases)))
        other = _broken(rng, kind, phrases[role], [things[i] for i in plain] if kind == "alike" else things)
        if other is None:
            return None
        phrases[role], meant = other, []
    if any(phrase.fits(*thing) for phrase in phrases for thing in unsure):
        return None
    return speaker.say(form, phrases), tuple(meant)


def _unique(
    rng: np.random.Generator, form: str, things: Things, plain: Sequence[int]
) -> tuple[list[int], list[Meaning]] | None:
    """Draw the things of a sentence and phrases that fit nothing else."""
    graspable = [i for i in plain if things[i][1] in SHAPES[:3] or form in ("reach", "touch")]
    targets = {"place_in": ("bowl",), "place_on": ("cube", "cylinder", "pad"), "push": SHAPES}
    meant: list[int] = []
    for role in range(2 if form in TWO else 1):
        free = graspable if role == 0 else [i for i in plain if things[i][1] in targets[form]]
        free = [i for i in free if i not in meant and _phrases(i, things)]
        if not free:
            return None
        meant.append(free[int(rng.integers(len(free)))])
    choices = [_phrases(i, things) for i in meant]
    return meant, [options[int(rng.integers(len(options)))] for options in choices]


def _phrases(i: int, things: Things) -> list[Meaning]:
    """Return the phrases that fit thing i alone, the full one more often."""
    family, shape = things[i]
    options = [Meaning(family, shape)] * 4 + [Meaning(family, None), Meaning(None, shape)]
    return [phrase for phrase in options if sum(phrase.fits(*thing) for thing in things) == 1]


def _broken(rng: np.random.Generator, kind: Kind, phrase: Meaning, things: Things) -> Meaning | None:
    """Return a phrase that fits nothing, or several things alike."""
    family, shape = phrase.family, phrase.shape
    if kind == "nonsense":
        return Meaning(family, shape, "noun" if rng.uniform() < 0.7 else "colour")
    if kind == "alike":
        options = (
            [Meaning(f, s) for f, s in things]
            + [Meaning(f, None) for f, _ in things]
            + [Meaning(None, s) for _, s in things]
        )
        options = [option for option in options if sum(option.fits(*thing) for thing in things) > 1]
    else:
        families = [*FAMILIES, *MISSING]
        shapes = [shape or str(rng.choice(SHAPES))] * 6 + [None, *SHAPES]
        options = [Meaning(f, s) for f in families for s in shapes]
        options = [option for option in options if not any(option.fits(*thing) for thing in things)]
        near = [
            option
            for option in options
            if any(option.shape == s for _, s in things) or any(option.family == f for f, _ in things)
        ]
        options = near or options
    return options[int(rng.integers(len(options)))] if options else None
