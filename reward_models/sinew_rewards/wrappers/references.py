"""What a base policy's episodes were worth to a reward, in a file for `preference_as_reward`."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from sinew_core.config import from_mapping, to_mapping
from sinew_core.errors import ConfigError

FORMAT = "sinew-references/1"
MADE_BY = "`sinew_rewards.wrappers.references.save_references`"
MOST = 10  # references; more of them change nothing
Compared = Literal["value", "return"]


@dataclass(frozen=True, slots=True)
class References:
    """Values of single observations, or returns of whole episodes, by one reward."""

    compared: Compared
    values: tuple[float, ...]  # in the reward's units
    source: str  # the fingerprint of the reward that they are by

    def __post_init__(self) -> None:
        """Check the count."""
        check_count(self.values)


def check_count(values: Sequence[float]) -> None:
    """Raise ValueError for no references, or too many."""
    if not 1 <= len(values) <= MOST:
        raise ValueError(f"expected 1 to {MOST} references, got {len(values)}.")


def save_references(
    path: Path, source: Mapping[str, Any], compared: Compared, values: Sequence[float]
) -> None:
    """Write what a base policy's episodes were worth to the reward of the plugin `source`, as JSON.

    Raises ValueError for no values, or too many; ConfigError where the file cannot be written.
    """
    from sinew_rewards.files import write_json

    references = References(compared, tuple(float(value) for value in values), fingerprint(source))
    write_json(path, {"format": FORMAT, **to_mapping(references)})


def load_references(path: Path, compared: Compared, source: Mapping[str, Any]) -> tuple[float, ...]:
    """Return the references (m,) of a file.

    Raises ConfigError for a file that is missing, damaged or of another version, that holds the other kind,
    or whose values are by another reward than `source`: another reward has another scale.
    """
    from sinew_rewards.files import read_json

    data = read_json(path, MADE_BY)
    made = data.pop("format", None)
    if made != FORMAT:
        raise ConfigError(f"{path}: is of version {made!r}, expected '{FORMAT}'; {MADE_BY} writes one.")
    found = from_mapping(References, data, str(path))
    if found.compared != compared:
        raise ConfigError(f"{path}: holds references of kind '{found.compared}', expected '{compared}'.")
    if found.source != fingerprint(source):
        raise ConfigError(
            f"{path}: its references are by another reward, other settings of it or other weights than the "
            "source here; take them anew with this one."
        )
    return found.values


def fingerprint(source: Mapping[str, Any]) -> str:
    """Return what tells a reward from every other one: its settings and the bytes of its weights."""
    digest = hashlib.sha256(json.dumps(source, sort_keys=True, default=str).encode())
    for path in _weights(source):
        digest.update(hashlib.sha256(path.read_bytes()).digest())
    return digest.hexdigest()


def _weights(spec: object) -> Iterator[Path]:
    """Return the weights files that a plugin mapping names, in it and in those inside it."""
    if isinstance(spec, Mapping):
        for key, entry in sorted(spec.items()):
            if key == "weights" and isinstance(entry, (str, Path)):
                yield Path(entry)
            else:
                yield from _weights(entry)
    elif isinstance(spec, (list, tuple)):
        for entry in spec:
            yield from _weights(entry)
