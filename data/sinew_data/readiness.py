"""Whether a dataset can be recorded into, asked before anything moves."""

from __future__ import annotations

import fcntl
import shutil
import tempfile
from pathlib import Path

from sinew_core.errors import ConfigError

from sinew_data.errors import RecordingError
from sinew_data.layout import DISCARDED, EPISODES, SUFFIX, UNFINISHED

GIGABYTE = 1e9  # bytes
MINIMUM_FREE = 1.0  # GB


def prepare_dataset(dataset: Path) -> int:
    """Create the folders of a dataset and try to write there; ConfigError if that cannot be.

    Returns how many unfinished episodes lie there whose writers are gone.
    """
    for folder in (EPISODES, UNFINISHED, DISCARDED):
        try:
            (dataset / folder).mkdir(parents=True, exist_ok=True)
            with tempfile.TemporaryFile(dir=dataset / folder) as probe:
                probe.write(b"x")
                probe.flush()
        except OSError as error:
            raise ConfigError(f"dataset {dataset}: cannot be written to ({error.strerror}).") from error
    return sum(map(_is_left, (dataset / UNFINISHED).glob(f"*{SUFFIX}")))


def check_space(dataset: Path, minimum: float = MINIMUM_FREE) -> None:
    """Raise RecordingError if less than `minimum` GB of disk are free, or the folder is gone."""
    try:
        free = shutil.disk_usage(dataset / UNFINISHED).free / GIGABYTE
    except OSError as error:
        raise RecordingError(f"dataset {dataset}: cannot be recorded into ({error.strerror}).") from error
    if free < minimum:
        raise RecordingError(
            f"dataset {dataset}: {free:.2f} GB of disk are free; an episode is begun with at least "
            f"{minimum:g} GB. Make room, or record to another disk."
        )


def _is_left(path: Path) -> bool:
    """Whether nobody writes to a file any more: a writer keeps it locked for as long as it lives."""
    try:
        with path.open("rb") as stream:
            fcntl.flock(stream, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except OSError:
        return False
    return True
