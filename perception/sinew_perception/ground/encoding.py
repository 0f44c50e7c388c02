"""Sentences as arrays: hashed character n-grams and lexicon vectors, word by word."""

from __future__ import annotations

import zlib
from collections.abc import Sequence
from functools import lru_cache

import numpy as np
import numpy.typing as npt

from sinew_perception.ground.lexicon import Lexicon, Word

BUCKETS = 4096  # of the hash; bucket 0 is padding
GRAMS = 12  # n-grams of a word, at most
MAX_WORDS = 28  # what goes beyond is cut off: see `encode`


@lru_cache(maxsize=20_000)
def grams(word: str) -> tuple[int, ...]:
    """Return the buckets (GRAMS,) of a word: itself and its character trigrams, 0 where there are fewer."""
    marked = f"<{word}>"
    pieces = [marked, *(marked[i : i + 3] for i in range(len(marked) - 2))]
    buckets = [1 + zlib.crc32(piece.encode()) % (BUCKETS - 1) for piece in pieces[:GRAMS]]
    return tuple(buckets + [0] * (GRAMS - len(buckets)))


def encode(
    sentences: Sequence[Sequence[Word]], lexicon: Lexicon
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.float32], npt.NDArray[np.bool_]]:
    """Return buckets (n, t, GRAMS), lexicon vectors (n, t, size) and which words are there (n, t).

    t is the length of the longest sentence, at least 1 and at most MAX_WORDS.
    """
    n, t = len(sentences), min(MAX_WORDS, max(1, *(len(words) for words in sentences), 1))
    buckets = np.zeros((n, t, GRAMS), dtype=np.int64)
    vectors = np.zeros((n, t, lexicon.size), dtype=np.float32)
    there = np.zeros((n, t), dtype=np.bool_)
    for i, words in enumerate(sentences):
        for j, word in enumerate(words[:t]):
            vectors[i, j], there[i, j] = word.vector, True
            if word.spelt:
                buckets[i, j] = grams(word.text)
    return buckets, vectors, there
