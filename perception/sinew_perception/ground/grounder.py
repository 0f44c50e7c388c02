"""The trained network, ready to be asked: weights from a file, images and sentences in, arrays out."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from sinew_core.config import from_mapping
from sinew_core.errors import ConfigError
from sinew_core.types import ImageArray

from sinew_perception.ground.batches import images_of
from sinew_perception.ground.blobs import Blob, Map, Maps
from sinew_perception.ground.encoding import encode
from sinew_perception.ground.lexicon import HERE, Word, load_lexicon
from sinew_perception.ground.network import GroundNetwork, Seen, Sizes, in_channels_last
from sinew_perception.ground.sentences import FORMS, TWO
from sinew_perception.ground.training import read_tensors, write_tensors

WEIGHTS = HERE / "weights.safetensors"
POINTED = 0.25  # share of a pointer's weight from which on it means a word
MODAL = "can"  # a noun that is more often no noun
METADATA = ("sizes", "thresholds", "provenance")


@dataclass(frozen=True, slots=True)
class Thresholds:
    """Probabilities from which on something counts; calibrated on pictures that training did not see."""

    present: float = 0.5  # a thing is meant by a phrase
    rival: float = 0.5  # a second thing may be meant as well
    form: float = 0.5  # a sentence asks for something


@dataclass(frozen=True, slots=True)
class Look:
    """What the image encoder made of one image."""

    maps: Maps
    thing: Map  # (r, c) logits
    colour: Map  # (r, c, d)
    shape: Map  # (r, c, d)


@dataclass(frozen=True, slots=True)
class Said:
    """What the sentence encoder made of one sentence."""

    words: tuple[Word, ...]
    form: str
    certainty: float  # of the form
    sense: float  # probability that it asks for anything at all
    phrases: tuple[str, ...]  # the words for grasp and target that it points at
    unplaced: tuple[str, ...]  # colours and nouns that belong to neither
    colour: Map  # (2, d + 1)
    shape: Map  # (2, d + 1)

    @property
    def roles(self) -> int:
        """How many things it is about."""
        return 2 if self.form in TWO else 0 if self.form == "none" else 1


class Grounder:
    """The network and its thresholds."""

    def __init__(self, network: GroundNetwork, thresholds: Thresholds) -> None:
        self._network = in_channels_last(network.eval())
        self.thresholds, self._lexicon = thresholds, load_lexicon()

    @torch.inference_mode()
    def look(self, rgb: ImageArray, heights: ImageArray | None) -> Look:
        """Return what an image (HEIGHT, WIDTH, 3) shows; `heights` as `height_image` makes them, or None."""
        plain = np.zeros(rgb.shape[:2], np.uint8) if heights is None else heights
        seen: Seen = self._network.image(images_of(rgb[None].copy(), plain[None]))
        colour, shape = (features[0].permute(1, 2, 0) for features in (seen.colour, seen.shape))
        maps = Maps(
            _map(seen.thing[0, 0].sigmoid()),
            _map(self._network.family(colour).softmax(-1)),
            _map(self._network.kind(shape).softmax(-1)),
        )
        return Look(maps, _map(seen.thing[0, 0]), _map(colour), _map(shape))

    @torch.inference_mode()
    def hear(self, sentence: str) -> Said:
        """Return what a sentence asks for."""
        words = self._lexicon.read(sentence)
        buckets, vectors, there = encode([words], self._lexicon)
        heard = self._network.sentence(*(torch.from_numpy(a) for a in (buckets, vectors, there)))
        forms = heard.form[0].softmax(-1).numpy()
        best = int(forms[:-1].argmax())
        sense = float(1 - forms[-1]) if words else 0.0
        pointers = heard.pointers[0].exp().numpy()
        phrases = tuple(_pointed(words, pointers[2 * role : 2 * role + 2]) for role in (0, 1))
        placed = pointers[:, :-1].max(0) > POINTED
        things = [word.kind in ("colour", "noun") and word.text != MODAL for word in words]
        unplaced = [w.text for w, a, b in zip(words, things, placed.tolist(), strict=False) if a and not b]
        return Said(
            tuple(words),
            FORMS[best],
            float(forms[best]),
            sense,
            phrases,
            tuple(unplaced),
            _map(heard.colour[0]),
            _map(heard.shape[0]),
        )

    def heat(self, look: Look, said: Said) -> Map:
        """Return the heat maps of grasp and target (2, r, c): how probably a cell is what is meant."""
        colour, shape = fit(look.colour, said.colour), fit(look.shape, said.shape)
        out: Map = (sigmoid(look.thing)[..., None] * sigmoid(colour) * sigmoid(shape)).transpose(2, 0, 1)
        return out

    def scores(self, look: Look, said: Said, blobs: Sequence[Blob]) -> Map:
        """Return the probability that each role means each thing (2, n): the mean logits of its cells."""
        out = np.zeros((2, len(blobs)), np.float32)
        for i, blob in enumerate(blobs):
            weight = sigmoid(look.thing).ravel()[blob.cells][:, None]
            share = weight / weight.sum()
            colour = look.colour.reshape(-1, look.colour.shape[-1])[blob.cells]
            shape = look.shape.reshape(-1, look.shape.shape[-1])[blob.cells]
            logits = (
                (fit(features, query) * share).sum(0)
                for features, query in ((colour, said.colour), (shape, said.shape))
            )
            out[:, i] = np.prod([sigmoid(each) for each in logits], axis=0)
        return out


def _pointed(words: Sequence[Word], pointers: Map) -> str:
    """Return the words that the pointers (2, t + 1) to colour and kind mean, in the sentence's order."""
    share = pointers[:, :-1].max(0)
    chosen = [word.text for word, part in zip(words, share.tolist(), strict=False) if part > POINTED]
    return " ".join(chosen)


def fit(features: Map, queries: Map) -> Map:
    """Return logits (..., q) of features (..., d) under queries (q, d + 1)."""
    logits: Map = features @ queries[:, :-1].T + queries[:, -1]
    return logits


def sigmoid(x: Map) -> Map:
    """Return the logistic function."""
    y = 1 / (1 + np.exp(-np.clip(x, -30, 30)))
    return np.asarray(y, np.float32)


def _map(tensor: torch.Tensor) -> Map:
    return np.ascontiguousarray(tensor.numpy())


def save_weights(
    path: Path, network: GroundNetwork, sizes: Sizes, thresholds: Thresholds, provenance: Mapping[str, Any]
) -> None:
    """Write the network in half precision, with what is needed to train it again."""
    tensors = {
        key: value.half().contiguous() if value.is_floating_point() else value
        for key, value in network.state_dict().items()
    }
    facts = {"sizes": asdict(sizes), "thresholds": asdict(thresholds), "provenance": provenance}
    write_tensors(path, tensors, {key: json.dumps(facts[key]) for key in METADATA})


def load_weights(path: Path) -> tuple[Grounder, Mapping[str, Any]]:
    """Return the network of a weights file and its provenance.

    Raises ConfigError where the file is missing, no safetensors file, or does not fit this version.
    """
    tensors, metadata = read_tensors(path)
    lacking = [key for key in METADATA if key not in metadata]
    if lacking:
        raise ConfigError(
            f"{path}: is no weights file of sinew_ground: its metadata lacks {', '.join(lacking)}."
        )
    facts = {key: json.loads(metadata[key]) for key in METADATA}
    sizes = from_mapping(Sizes, facts["sizes"], f"{path}: sizes")
    expected = load_lexicon().size
    if sizes.lexicon != expected:
        raise ConfigError(
            f"{path}: was trained with word vectors of {sizes.lexicon} numbers, the lexicon here has "
            f"{expected}; train it again with `sinew ground train`."
        )
    network = GroundNetwork(sizes)
    try:
        network.load_state_dict(
            {key: v.float() if v.is_floating_point() else v for key, v in tensors.items()}
        )
    except RuntimeError as error:
        raise ConfigError(f"{path}: does not fit this version's network: {error}") from error
    thresholds = from_mapping(Thresholds, facts["thresholds"], f"{path}: thresholds")
    return Grounder(network, thresholds), facts["provenance"]
