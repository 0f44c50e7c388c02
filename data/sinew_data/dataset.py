"""A folder of episodes, listed one by one: what is wrong with one never hides the others."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from sinew_core.errors import ConfigError

from sinew_data.errors import EpisodeError
from sinew_data.layout import DISCARDED, EPISODES, SUFFIX, UNFINISHED
from sinew_data.reader import Episode, open_episode
from sinew_data.summary import EpisodeSummary


@dataclass(frozen=True, slots=True)
class DatasetEntry:
    """A file of a dataset: an episode, or a sentence about why it is none."""

    path: Path
    summary: EpisodeSummary | None = None
    problem: str = ""

    @property
    def name(self) -> str:
        """The episode's name."""
        return self.path.stem


class Dataset:
    """The finished episodes of a folder, in the order of their names, which is that of their starts."""

    def __init__(self, path: Path | str) -> None:
        self.path = Path(path)
        if not self.path.is_dir():
            raise ConfigError(f"dataset {self.path} does not exist.")
        if not (self.path / EPISODES).is_dir() and not (self.path / UNFINISHED).is_dir():
            raise ConfigError(f"{self.path} is no dataset: it has no folder '{EPISODES}'.")

    def paths(self, folder: str = EPISODES) -> list[Path]:
        """Return the episode files in `episodes`, `unfinished` or `discarded`."""
        assert folder in (EPISODES, UNFINISHED, DISCARDED)
        return sorted((self.path / folder).glob(f"*{SUFFIX}"))

    def entries(self, folder: str = EPISODES) -> Iterator[DatasetEntry]:
        """Yield every file with its summary, or with its problem."""
        for path in self.paths(folder):
            try:
                with open_episode(path) as episode:
                    yield DatasetEntry(path, episode.summary)
            except EpisodeError as error:
                yield DatasetEntry(path, problem=str(error))

    def episodes(self) -> list[EpisodeSummary]:
        """Return the summaries of the episodes that can be read."""
        return [entry.summary for entry in self.entries() if entry.summary is not None]

    def __iter__(self) -> Iterator[Episode]:
        """Yield each readable episode, open until the next one is asked for."""
        for summary in self.episodes():
            with open_episode(summary.path) as episode:
                yield episode

    def find(self, name: str, folders: Sequence[str] = (EPISODES,)) -> Path:
        """Return the path of an episode by its name, or by a part of it that only one has."""
        paths = {path.stem: path for folder in folders for path in self.paths(folder)}
        matches = [paths[name]] if name in paths else [path for key, path in paths.items() if name in key]
        if len(matches) == 1:
            return matches[0]
        raise ConfigError(_not_found(self.path, name, sorted(paths), [path.stem for path in matches]))


def _not_found(dataset: Path, name: str, names: list[str], matches: list[str]) -> str:
    if matches:
        return f"{dataset}: '{name}' is in the names of {len(matches)} episodes: {', '.join(matches[:5])}."
    shown = ", ".join(names[-5:]) if names else "none"
    return f"{dataset}: no episode '{name}'. There are {len(names)}; the last: {shown}."
