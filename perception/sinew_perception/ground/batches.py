"""Batches to learn from: pictures as a worse camera would see them, sentences, and what fits what."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from sinew_perception.ground.dataset import MAX_THINGS, RECORD, Pictures
from sinew_perception.ground.encoding import encode
from sinew_perception.ground.lexicon import FAMILIES, SHAPES, Lexicon
from sinew_perception.ground.questions import ask
from sinew_perception.ground.sentences import FORMS, Sentence, Speaker, pointers
from sinew_perception.ground.views import COLUMNS, ROWS, STRIDE

CROPS = ((20, 24), (20, 24), (20, 24), (32, 44))  # cells high and wide that steps look at, in turn
CELLS = 64  # of a picture's things, that colours and shapes are learned from
NOTICED = 0.3  # share of a thing that must be seen for a sentence to be about it


@dataclass(frozen=True, slots=True)
class Batch:
    """b pictures, s sentences about each, and CELLS cells of each picture."""

    images: Tensor  # (b, CHANNELS, h, w)
    cover: Tensor  # (b, 1, rows, columns) share of the cell that is some thing's
    cells: Tensor  # (b, CELLS) flat index
    families: Tensor  # (b, CELLS) of the things at the cells
    kinds: Tensor  # (b, CELLS)
    buckets: Tensor  # (b * s, t, grams)
    vectors: Tensor  # (b * s, t, size)
    there: Tensor  # (b * s, t)
    forms: Tensor  # (b * s,)
    pointers: Tensor  # (b * s, slots, t + 1)
    roles: Tensor  # (b, s, 2) whether there is a grasp, a target
    colour_fits: Tensor  # (b, s, 2, CELLS)
    shape_fits: Tensor  # (b, s, 2, CELLS)


def _record(rows: int, columns: int) -> np.dtype[np.void]:
    pixels = (rows * STRIDE, columns * STRIDE)
    maps = [("rgb", np.uint8, (*pixels, 3)), ("heights", np.uint8, pixels)]
    cells = [(name, np.uint8, (rows, columns)) for name in ("cover", "thing")]
    return np.dtype(
        [*maps, *cells, *((name, RECORD[name]) for name in ("families", "shapes", "seen", "centres"))]
    )


def cropped(pictures: Pictures, size: tuple[int, int], rng: np.random.Generator) -> Pictures:
    """Return a part of each picture, of `size` cells, in which a thing is: most of a picture is table."""
    out = np.empty(len(pictures), _record(*size))
    for row, record in zip(out, pictures, strict=True):
        middle = _some_thing(record["thing"], rng)
        i, j = (
            2 * int(np.clip((at - rng.integers(2, part - 2)) // 2, 0, (whole - part) // 2))
            for at, part, whole in zip(divmod(middle, COLUMNS), size, (ROWS, COLUMNS), strict=True)
        )
        for name in ("cover", "thing"):
            row[name] = record[name][i : i + size[0], j : j + size[1]]
        i, j, (high, wide) = i * STRIDE, j * STRIDE, row["heights"].shape
        for name in ("rgb", "heights"):
            row[name] = record[name][i : i + high, j : j + wide]
        for name in ("families", "shapes", "seen", "centres"):
            row[name] = record[name]
    return out


def _some_thing(thing: npt.NDArray[np.uint8], rng: np.random.Generator) -> int:
    """Return a flat cell of a thing, small ones as often as large ones."""
    present = np.flatnonzero(np.bincount(thing.ravel(), minlength=2)[1:]) + 1
    if not len(present):
        return thing.size // 2
    return int(rng.choice(np.flatnonzero(thing == rng.choice(present))))


def images_of(rgb: npt.NDArray[np.uint8], heights: npt.NDArray[np.uint8]) -> Tensor:
    """Return the network's input (n, CHANNELS, h, w) of colours (n, h, w, 3) and heights (n, h, w)."""
    colours = torch.from_numpy(rgb).permute(0, 3, 1, 2).float() / 255 - 0.5
    coded = torch.from_numpy(heights)[:, None].float()
    valid = (coded > 0).float()
    raised = ((coded - 14).clamp(0, 120) / 25) * valid
    return torch.cat([colours * 2, raised, valid], 1).contiguous(memory_format=torch.channels_last)


def worsened(images: Tensor, generator: torch.Generator) -> Tensor:
    """Return images in other light: white balance, exposure, noise; depth with holes, or none at all."""
    n = len(images)

    def draw(*shape: int) -> Tensor:
        return torch.rand(*shape, generator=generator)

    colours = (images[:, :3] + 1) / 2
    colours = colours * (1 + 0.12 * (2 * draw(n, 3, 1, 1) - 1)) * (0.72 + 0.5 * draw(n, 1, 1, 1))
    plain = (draw(n, 1, 1, 1) < 0.3).float()  # a share keeps the simulator's own light
    colours = plain * (images[:, :3] + 1) / 2 + (1 - plain) * colours
    noise = torch.randn(n, 3, *images.shape[2:], generator=generator) * (0.04 * draw(n, 1, 1, 1) ** 2)
    colours = (colours + noise).clamp(0, 1) * 2 - 1
    rough = torch.nn.functional.interpolate(draw(n, 1, 8, 10), size=images.shape[2:], mode="nearest")
    kept = (rough > 0.25 * draw(n, 1, 1, 1) ** 3).float() * (draw(n, 1, 1, 1) > 0.35).float()
    out = torch.cat([colours, images[:, 3:] * kept], 1)
    return out.contiguous(memory_format=torch.channels_last)


def make_batch(
    pictures: Pictures,
    sentences: Sequence[Sequence[Sentence]],
    rng: np.random.Generator,
    lexicon: Lexicon,
    spoil: bool,
) -> Batch:
    """Return the batch of pictures (b,) and their sentences (b, s); `spoil` for training."""
    cells, thing = _cells(pictures, rng)
    flat = [sentence for row in sentences for sentence in row]
    buckets, vectors, there = encode([sentence.words for sentence in flat], lexicon)
    if spoil:
        buckets, vectors = forget(buckets, vectors, rng)
    roles = np.array([[[len(s.phrases) > 0, len(s.phrases) > 1] for s in row] for row in sentences])
    images = images_of(pictures["rgb"].copy(), pictures["heights"].copy())
    if spoil:
        images = worsened(images, torch.Generator().manual_seed(int(rng.integers(2**31))))
    colour, shape = _fits(pictures, sentences, thing)
    return Batch(
        images=images,
        cover=torch.from_numpy(pictures["cover"].astype(np.float32) / 16)[:, None],
        cells=torch.from_numpy(cells),
        families=torch.from_numpy(np.take_along_axis(pictures["families"], thing, 1).astype(np.int64)),
        kinds=torch.from_numpy(np.take_along_axis(pictures["shapes"], thing, 1).astype(np.int64)),
        buckets=torch.from_numpy(buckets),
        vectors=torch.from_numpy(vectors),
        there=torch.from_numpy(there),
        forms=torch.tensor([FORMS.index(sentence.form) for sentence in flat]),
        pointers=torch.from_numpy(np.stack([pointers(sentence, there.shape[1]) for sentence in flat])),
        roles=torch.from_numpy(roles),
        colour_fits=torch.from_numpy(colour),
        shape_fits=torch.from_numpy(shape),
    )


def say_about(
    pictures: Pictures, count: int, speaker: Speaker, rng: np.random.Generator
) -> list[list[Sentence]]:
    """Return `count` random sentences about each of the pictures."""
    return [[ask(rng, speaker, seen_things(record)) for _ in range(count)] for record in pictures]


def seen_things(record: np.void) -> list[tuple[str, str]]:
    """Return family and shape of the things of a picture that a camera can notice."""
    there = [i for i in range(MAX_THINGS) if record["seen"][i] >= NOTICED] or [0]
    return [(FAMILIES[record["families"][i]], SHAPES[record["shapes"][i]]) for i in there]


def _cells(
    pictures: Pictures, rng: np.random.Generator
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """Return cells (b, CELLS) that things mostly fill, each thing having the same share, and their things."""
    cells = np.zeros((len(pictures), CELLS), np.int64)
    thing = np.zeros_like(cells)
    for row, record in enumerate(pictures):
        owner = np.where(record["cover"] >= 8, record["thing"], 0).ravel()
        inside = np.flatnonzero(owner)
        if len(inside):
            counts = np.bincount(owner, minlength=MAX_THINGS + 1)
            weights = 1.0 / counts[owner[inside]]
            cells[row] = rng.choice(inside, CELLS, p=weights / weights.sum())
            thing[row] = owner[cells[row]].astype(np.int64) - 1
    return cells, thing


def _fits(
    pictures: Pictures, sentences: Sequence[Sequence[Sentence]], thing: npt.NDArray[np.int64]
) -> tuple[npt.NDArray[np.float32], npt.NDArray[np.float32]]:
    b, s = len(sentences), len(sentences[0])
    colour = np.zeros((b, s, 2, CELLS), np.float32)
    shape = np.zeros_like(colour)
    for i, (record, row) in enumerate(zip(pictures, sentences, strict=True)):
        for j, sentence in enumerate(row):
            for k, phrase in enumerate(sentence.phrases):
                families = np.array([phrase.fits_family(FAMILIES[f]) for f in record["families"]])
                shapes = np.array([phrase.fits_shape(SHAPES[f]) for f in record["shapes"]])
                colour[i, j, k], shape[i, j, k] = families[thing[i]], shapes[thing[i]]
    return colour, shape


def forget(
    buckets: npt.NDArray[np.int64], vectors: npt.NDArray[np.float32], rng: np.random.Generator
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.float32]]:
    """Drop half of the words' letters and some words' meaning, and blur colours: each part is learned."""
    known = vectors[..., 0] > 0
    draw = rng.uniform(size=known.shape)
    letters = np.where((known & (draw < 0.5))[..., None], 0, buckets)
    blur = np.zeros_like(vectors)
    blur[..., 2:5] = rng.normal(0, 0.06, (*known.shape, 3)) * vectors[..., 1:2]
    meaning = np.where((known & (draw > 0.97))[..., None], 0, vectors + blur).astype(np.float32)
    return letters, meaning
