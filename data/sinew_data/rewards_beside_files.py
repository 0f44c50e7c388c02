"""A reward beside a recorded episode on disk: `EPISODE.NAME.reward.npz`, whole or not there at all."""

from __future__ import annotations

import glob
import io
import json
import re
import zipfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from sinew_core.errors import ConfigError, did_you_mean
from sinew_core.files import sync_folder, write_whole

from sinew_data.dataset import Dataset
from sinew_data.layout import EPISODES
from sinew_data.layout import SUFFIX as EPISODE_SUFFIX
from sinew_data.rewards_beside import OPTIONAL, Estimates

FORMAT = "sinew-reward-beside/1"
SUFFIX = ".reward.npz"
MADE_BY = "`sinew reward relabel`"
NAME = re.compile(r"[A-Za-z0-9_-]+")


@dataclass(frozen=True, slots=True)
class Beside:
    """A reward beside an episode: where it is, and what it was made of or why it cannot be read."""

    episode: str
    name: str
    path: Path
    provenance: Mapping[str, Any] = field(default_factory=dict)
    problem: str = ""


def beside_path(episode: Path, name: str) -> Path:
    """Return where the reward `name` of an episode file lies; ConfigError for a name that is none."""
    if NAME.fullmatch(name) is None:
        raise ConfigError(
            f"reward '{name}': expected a name of letters, digits, '-' and '_', as part of a file's name."
        )
    return episode.with_name(f"{episode.stem}.{name}{SUFFIX}")


def files_beside(episode: Path) -> list[Path]:
    """Return the rewards beside an episode file, which go where it goes."""
    return sorted(episode.parent.glob(f"{glob.escape(episode.stem)}.*{SUFFIX}"))


def save_beside(episode: Path, name: str, estimates: Estimates, provenance: Mapping[str, Any]) -> Path:
    """Write a reward beside an episode file and return its path; one of that name is replaced.

    `provenance` is JSON: what made it. ConfigError where nothing can be written; then nothing has changed.
    """
    path = beside_path(episode, name)
    facts = {"format": FORMAT, "terms": list(estimates.terms), "provenance": dict(provenance)}
    text = json.dumps(facts, allow_nan=False).encode()
    columns = {name: getattr(estimates, name) for name in ("stamps", "value", *OPTIONAL)}
    rows = [estimates.terms[name] for name in estimates.terms]
    terms = np.stack(rows, 1) if rows else np.zeros((len(estimates), 0))
    stream = io.BytesIO()
    np.savez_compressed(
        stream, allow_pickle=False, facts=np.frombuffer(text, np.uint8), terms=terms, **columns
    )
    write_whole(path, stream.getvalue())
    return path


def load_beside(episode: Path, name: str) -> tuple[Estimates, dict[str, Any]]:
    """Return a reward beside an episode file, and its provenance; ConfigError if missing or damaged."""
    path = beside_path(episode, name)
    if not path.is_file():
        names = [other for stem, other, _ in _rewards_in(episode.parent) if stem == episode.stem]
        raise ConfigError(
            f"{episode}: has no reward '{name}' beside it; {MADE_BY} makes one.{did_you_mean(name, names)}"
        )
    facts, arrays = _read(path)
    try:
        terms = {str(term): arrays["terms"][:, i] for i, term in enumerate(facts["terms"])}
        columns = {name: arrays[name] for name in ("value", *OPTIONAL)}
        return Estimates(arrays["stamps"], **columns, terms=terms), dict(facts["provenance"])
    except (KeyError, IndexError, TypeError, ValueError) as error:
        raise ConfigError(f"{path}: damaged: {error}; {MADE_BY} makes it anew.") from error


def _read(path: Path) -> tuple[dict[str, Any], dict[str, npt.NDArray[Any]]]:
    try:
        with np.load(path, allow_pickle=False) as file:
            arrays = {key: file[key] for key in file.files}
        facts = json.loads(arrays["facts"].tobytes())
        made = facts["format"]
    except (OSError, ValueError, KeyError, TypeError, EOFError, zipfile.BadZipFile) as error:
        raise ConfigError(f"{path}: is no reward beside an episode: {error}") from error
    if made != FORMAT:
        raise ConfigError(f"{path}: format '{made}', this version reads '{FORMAT}'; {MADE_BY} makes it anew.")
    return facts, arrays


def list_beside(dataset: Dataset, name: str = "") -> Iterator[Beside]:
    """Yield the rewards beside a dataset's episodes, damaged ones and those whose episode is gone, too.

    With `name`, those of that name.
    """
    for episode, found, path in _rewards_in(dataset.path / EPISODES):
        if name in ("", found):
            yield _described(episode, found, path)


def _described(episode: str, name: str, path: Path) -> Beside:
    if not path.with_name(episode + EPISODE_SUFFIX).is_file():
        return Beside(episode, name, path, problem=f"{path}: its episode is not here any more.")
    try:
        facts, _ = _read(path)
        return Beside(episode, name, path, dict(facts["provenance"]))
    except (ConfigError, KeyError, TypeError, ValueError) as error:
        return Beside(episode, name, path, problem=str(error))


def _rewards_in(folder: Path) -> Iterator[tuple[str, str, Path]]:
    """Yield episode, name and path of every reward in a folder."""
    for path in sorted(folder.glob(f"*{SUFFIX}")):
        episode, _, name = path.name.removesuffix(SUFFIX).rpartition(".")
        if NAME.fullmatch(name) and not path.name.startswith("."):
            yield episode, name, path


def drop_beside(dataset: Dataset, name: str) -> int:
    """Delete every reward of a name beside a dataset's episodes; return how many there were.

    ConfigError where there is none.
    """
    found = list(list_beside(dataset, name))
    if not found:
        names = sorted({other.name for other in list_beside(dataset)})
        raise ConfigError(f"{dataset.path}: no reward '{name}' beside an episode.{did_you_mean(name, names)}")
    for one in found:
        one.path.unlink()
    sync_folder(found[0].path.parent)
    return len(found)
