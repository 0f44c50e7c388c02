"""The last part of training: finding the words that matter, in many sentences and without pictures.

Sentences cost next to nothing against pictures, so frames are learned from far more of them than the
pictures' share. What words mean is left as it was learned from the pictures.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import torch
from torch.nn import functional

from sinew_perception.ground.batches import forget
from sinew_perception.ground.encoding import encode
from sinew_perception.ground.lexicon import FAMILIES, SHAPES, load_frames, load_lexicon
from sinew_perception.ground.network import GroundNetwork
from sinew_perception.ground.questions import ask
from sinew_perception.ground.sentences import FORMS, Sentence, Speaker, pointers
from sinew_perception.ground.training import rate_share

MEANING = ("grams", "lexicon", "word", "colour", "shape", "unsaid")  # parts that stay
SENTENCES = 192  # a step
RATE = 1.5e-3
DECAY = 0.05


def learn_to_read(
    network: GroundNetwork, steps: int, seed: int, report: Callable[[int, float], None]
) -> None:
    """Train the parts of the sentence encoder that find words and forms; deterministic for a seed."""
    lexicon, frames = load_lexicon(), load_frames()
    encoder = network.sentence.train()
    parameters = [p for name, p in encoder.named_parameters() if name.split(".")[0] not in MEANING]
    optimizer = torch.optim.AdamW(parameters, RATE, (0.9, 0.98), weight_decay=DECAY)
    for step in range(steps):
        rng = np.random.default_rng([19, seed, step])
        torch.manual_seed(int(rng.integers(2**31)))
        speaker = Speaker(rng, lexicon, frames, "train")
        sentences = [ask(rng, speaker, _things(rng)) for _ in range(SENTENCES)]
        buckets, vectors, there = encode([sentence.words for sentence in sentences], lexicon)
        buckets, vectors = forget(buckets, vectors, rng)
        optimizer.param_groups[0]["lr"] = RATE * rate_share(step / steps)
        loss = _loss(network, sentences, *(torch.from_numpy(a) for a in (buckets, vectors, there)))
        optimizer.zero_grad()
        torch.autograd.backward(loss)
        torch.nn.utils.clip_grad_norm_(parameters, 1.0)
        optimizer.step()
        report(step + 1, float(loss.detach()))
    network.eval()


def _things(rng: np.random.Generator) -> list[tuple[str, str]]:
    return [(str(rng.choice(FAMILIES)), str(rng.choice(SHAPES))) for _ in range(3)]


def _loss(
    network: GroundNetwork,
    sentences: list[Sentence],
    buckets: torch.Tensor,
    vectors: torch.Tensor,
    there: torch.Tensor,
) -> torch.Tensor:
    heard = network.sentence(buckets, vectors, there)
    forms = torch.tensor([FORMS.index(sentence.form) for sentence in sentences])
    truth = torch.from_numpy(np.stack([pointers(sentence, there.shape[1]) for sentence in sentences]))
    asks = (forms != FORMS.index("none")).float()
    pointing = -(truth * heard.pointers).sum((1, 2))
    found: torch.Tensor = (pointing * asks).sum() / asks.sum().clamp(min=1)
    return functional.cross_entropy(heard.form, forms) + found
