"""Comparisons as a table, for programs that are not Sinew."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from sinew_core.errors import ConfigError, did_you_mean
from sinew_data.feedback.pairs import Pair, rater_weights
from sinew_data.feedback.types import Clip

COLUMNS: dict[str, type] = {
    "first_episode": str,
    "first_start": int,
    "first_end": int,
    "second_episode": str,
    "second_start": int,
    "second_end": int,
    "preferred": float,
    "strength": float,
    "weight": float,
    "who": str,
    "when": int,
    "source": str,
    "kind": str,
    "id": str,
}
Row = tuple[Any, ...]


def exported(pairs: Sequence[Pair], suffix: str) -> bytes:
    """Return a table of comparisons as a file with an ending; ConfigError for an unknown one."""
    if suffix not in WRITERS:
        raise ConfigError(f"--out: cannot write '{suffix}' files.{did_you_mean(suffix, WRITERS)}")
    weights = rater_weights(pairs)
    return WRITERS[suffix]([_row(pair, float(w)) for pair, w in zip(pairs, weights, strict=True)])


def _row(pair: Pair, weight: float) -> Row:
    comparison, entry = pair
    clips = (*_clip(comparison.first), *_clip(comparison.second))
    said = (entry.who, entry.when, entry.source, entry.kind, entry.id)
    return (*clips, comparison.preferred, comparison.strength, weight, *said)


def _clip(clip: Clip) -> tuple[str, int, int]:
    return clip.episode, clip.start, -1 if clip.end is None else clip.end


def _json(rows: Sequence[Row]) -> bytes:
    return json.dumps([dict(zip(COLUMNS, row, strict=True)) for row in rows], indent=1).encode()


def _csv(rows: Sequence[Row]) -> bytes:
    text = io.StringIO()
    csv.writer(text).writerows([tuple(COLUMNS), *rows])
    return text.getvalue().encode()


def _npz(rows: Sequence[Row]) -> bytes:
    data = io.BytesIO()
    columns = zip(*rows, strict=True) if rows else ((),) * len(COLUMNS)
    arrays: dict[str, Any] = {
        name: np.array(x, kind) for (name, kind), x in zip(COLUMNS.items(), columns, strict=True)
    }
    np.savez_compressed(data, **arrays)
    return data.getvalue()


WRITERS: dict[str, Callable[[Sequence[Row]], bytes]] = {".json": _json, ".csv": _csv, ".npz": _npz}
