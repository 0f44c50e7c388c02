"""The network: a convolutional encoder of images, an encoder of sentences, and where the two meet."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional

from sinew_perception.ground.encoding import BUCKETS, MAX_WORDS
from sinew_perception.ground.lexicon import FAMILIES, SHAPES
from sinew_perception.ground.sentences import FORMS, SLOTS

CHANNELS = 5  # red, green, blue, height, whether there is a height


@dataclass(frozen=True, slots=True)
class Sizes:
    """The widths of the network."""

    lexicon: int  # of a word's vector
    stem: int = 24
    fine: int = 48  # channels at stride 4
    coarse: int = 80  # channels at stride 8
    fine_blocks: int = 1
    coarse_blocks: int = 3
    query: int = 32
    text: int = 64
    layers: int = 2


class Seen(NamedTuple):
    """What the image encoder makes of n images, at stride 4."""

    thing: Tensor  # (n, 1, rows, columns) logit: a thing, not table or robot
    colour: Tensor  # (n, query, rows, columns)
    shape: Tensor  # (n, query, rows, columns)


class Heard(NamedTuple):
    """What the sentence encoder makes of m sentences."""

    form: Tensor  # (m, forms) logits
    pointers: Tensor  # (m, slots, words + 1) log-probabilities of where each slot's words are; last: nowhere
    colour: Tensor  # (m, 2, query + 1) of grasp and target; the last entry is the bias
    shape: Tensor  # (m, 2, query + 1)


class Block(nn.Module):
    """Depthwise 5 x 5, then two pointwise layers, with a residual way (Liu et al. 2022, ConvNeXt).

    Batch normalisation instead of that paper's layer normalisation: it learns colours in half the steps.
    """

    def __init__(self, width: int) -> None:
        super().__init__()
        self.depthwise = nn.Conv2d(width, width, 5, padding=2, groups=width, bias=False)
        self.norm = nn.BatchNorm2d(width)
        self.wide = nn.Conv2d(width, 2 * width, 1)
        self.narrow = nn.Conv2d(2 * width, width, 1)

    def forward(self, x: Tensor) -> Tensor:
        """Return features of the same shape (n, width, rows, columns)."""
        out: Tensor = x + self.narrow(functional.relu(self.wide(self.norm(self.depthwise(x)))))
        return out


class ImageEncoder(nn.Module):
    """Images (n, CHANNELS, h, w) to features at stride 4, having looked around at stride 8."""

    def __init__(self, sizes: Sizes) -> None:
        super().__init__()
        self.stem = _halving(CHANNELS, sizes.stem)
        self.down4 = _halving(sizes.stem, sizes.fine)
        self.before = nn.Sequential(*(Block(sizes.fine) for _ in range(sizes.fine_blocks)))
        self.down8 = nn.Sequential(nn.Conv2d(sizes.fine, sizes.coarse, 2, 2), nn.BatchNorm2d(sizes.coarse))
        self.around = nn.Sequential(*(Block(sizes.coarse) for _ in range(sizes.coarse_blocks)))
        self.up = nn.Conv2d(sizes.coarse, sizes.fine, 1)
        self.after = nn.Sequential(*(Block(sizes.fine) for _ in range(sizes.fine_blocks)))
        self.thing = nn.Conv2d(sizes.fine, 1, 1)
        self.colour = nn.Conv2d(sizes.fine, sizes.query, 1)
        self.shape = nn.Conv2d(sizes.fine, sizes.query, 1)

    def forward(self, images: Tensor) -> Seen:
        """Return the maps of the images."""
        fine = self.before(self.down4(self.stem(images)))
        coarse = self.up(self.around(self.down8(fine)))
        out = self.after(fine + functional.interpolate(coarse, scale_factor=2.0, mode="nearest"))
        return Seen(self.thing(out), self.colour(out), self.shape(out))


class SentenceEncoder(nn.Module):
    """Finds the words for colour and kind of each phrase, and turns those words alone into queries.

    What a word means does not depend on its sentence, and where it stands not on what it means; so new
    words work in old frames, and old words in new ones.
    """

    def __init__(self, sizes: Sizes) -> None:
        super().__init__()
        width = sizes.text
        self.grams = nn.EmbeddingBag(BUCKETS, width, mode="mean", padding_idx=0)
        self.lexicon = nn.Linear(sizes.lexicon, width)
        self.word = nn.Sequential(nn.Linear(width, width), nn.GELU(), nn.Linear(width, width))
        self.place = nn.Embedding(MAX_WORDS, width)
        layers = [
            nn.TransformerEncoderLayer(width, 4, 2 * width, 0.1, "gelu", batch_first=True, norm_first=True)
            for _ in range(sizes.layers)
        ]
        self.layers = nn.ModuleList(layers)
        self.norm = nn.LayerNorm(width)
        self.slots = nn.Linear(width, len(SLOTS))
        self.nowhere = nn.Linear(width, len(SLOTS))
        self.form = nn.Linear(2 * width, len(FORMS))
        self.unsaid = nn.Parameter(torch.zeros(2, width))  # in place of a colour, of a kind
        self.colour = _query_maker(width, sizes.query)
        self.shape = _query_maker(width, sizes.query)

    def forward(self, buckets: Tensor, vectors: Tensor, there: Tensor) -> Heard:
        """Return forms, pointers and queries of buckets (m, t, grams), vectors (m, t, size), there (m, t)."""
        m, t, n = buckets.shape
        hashed = self.grams(buckets.reshape(m * t, n)).reshape(m, t, -1)
        mixed = hashed + self.lexicon(vectors)
        word = mixed + self.word(mixed)
        x = word + self.place.weight[:t]
        for layer in self.layers:
            x = layer(x, src_key_padding_mask=~there)
        x = self.norm(x)
        inside = there[..., None].to(x.dtype)
        mean = (x * inside).sum(1) / inside.sum(1).clamp(min=1)
        peak = x.masked_fill(~there[..., None], -1e4).amax(1)
        scores = self.slots(x).masked_fill(~there[..., None], -1e4).transpose(1, 2)
        pointers = torch.cat([scores, self.nowhere(mean)[..., None]], -1).log_softmax(-1)
        share = pointers.exp()
        said = share[..., :-1] @ word + share[..., -1:] * self.unsaid.repeat(2, 1)
        return Heard(
            self.form(torch.cat([mean, peak], -1)),
            pointers,
            self.colour(said[:, 0::2]),
            self.shape(said[:, 1::2]),
        )


def _halving(inner: int, outer: int) -> nn.Module:
    return nn.Sequential(nn.Conv2d(inner, outer, 3, 2, 1, bias=False), nn.BatchNorm2d(outer), nn.ReLU())


def _query_maker(width: int, query: int) -> nn.Module:
    return nn.Sequential(nn.Linear(width, 2 * width), nn.GELU(), nn.Linear(2 * width, query + 1))


class GroundNetwork(nn.Module):
    """Both encoders, and two classifiers of what is seen that name things without a sentence."""

    def __init__(self, sizes: Sizes) -> None:
        super().__init__()
        self.image = ImageEncoder(sizes)
        self.sentence = SentenceEncoder(sizes)
        self.family = nn.Linear(sizes.query, len(FAMILIES))
        self.kind = nn.Linear(sizes.query, len(SHAPES))


def match(query: Tensor, features: Tensor) -> Tensor:
    """Return logits (..., q, k) of queries (..., q, d + 1) at features (..., k, d)."""
    return query[..., :-1] @ features.transpose(-1, -2) + query[..., -1:]


def in_channels_last(network: GroundNetwork) -> GroundNetwork:
    """Return the network with its weights laid out as convolutions on a processor want them."""
    moved: GroundNetwork = network.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    return moved
