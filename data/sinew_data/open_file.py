"""The file of an episode while it is written: created and locked, flushed, and moved to where it belongs."""

from __future__ import annotations

import contextlib
import errno
import fcntl
import io
import os
import time
from pathlib import Path
from typing import Self

from sinew_core.files import sync_folder

from sinew_data.episode import END, START, EpisodeEnd, EpisodeStart, to_metadata
from sinew_data.layout import DISCARDED, EPISODES, UNFINISHED, episode_path
from sinew_data.mcap_file import McapFile

MEDIA_TYPES = {".yaml": "application/yaml", ".urdf": "application/xml"}


class OpenEpisode:
    """A growing file in `unfinished/`, locked for as long as its writer lives. One thread uses it."""

    def __init__(self, dataset: Path, name: str, stream: io.FileIO) -> None:
        self.mcap = McapFile(stream)
        self._dataset, self._name, self._stream = dataset, name, stream
        self._synced = 0  # bytes that are on the disk

    @classmethod
    def create(cls, dataset: Path, name: str, start: EpisodeStart) -> OpenEpisode:
        """Create the file with everything that is known of the episode; raises OSError."""
        for folder in (EPISODES, UNFINISHED, DISCARDED):
            (dataset / folder).mkdir(parents=True, exist_ok=True)
        stream = create_locked(episode_path(dataset, UNFINISHED, name))
        file = cls(dataset, name, stream)
        try:
            file.mcap.start()
            file.mcap.add_metadata(START, to_metadata(start))
            for attachment, data in start.attachments.items():
                media = MEDIA_TYPES.get(Path(attachment).suffix, "application/octet-stream")
                file.mcap.add_attachment(attachment, media, data, time.time_ns())
            os.fsync(stream.fileno())
            sync_folder(file.path.parent)
        except BaseException:
            file.close()
            raise
        return file

    @property
    def path(self) -> Path:
        """Where the file is."""
        return episode_path(self._dataset, UNFINISHED, self._name)

    def flush(self) -> None:
        """Put everything that came so far on the disk."""
        self.mcap.close_chunks()
        if self._synced != self.mcap.size:
            os.fdatasync(self._stream.fileno())
            self._synced = self.mcap.size
        if not _is_at(self._stream, self.path):
            raise FileNotFoundError(errno.ENOENT, "the file was removed while it was written", str(self.path))

    def commit(self, end: EpisodeEnd) -> Path:
        """Finish the file and move it to where its outcome says; return where it is now."""
        self.mcap.close_chunks()
        self.mcap.add_metadata(END, to_metadata(end))
        self.mcap.finish()
        os.fsync(self._stream.fileno())
        folder = DISCARDED if end.outcome == "discarded" else EPISODES
        target = episode_path(self._dataset, folder, self._name)
        self.path.rename(target)
        sync_folder(target.parent)
        sync_folder(self.path.parent)
        return target

    def close(self) -> None:
        """Release the file. What a failed write left half done stays: a repair reads as far as it goes."""
        with contextlib.suppress(OSError):
            self._stream.close()

    def __enter__(self) -> Self:
        """Return the file."""
        return self

    def __exit__(self, *_: object) -> None:
        """Release the file."""
        self.close()


def _is_at(stream: io.FileIO, path: Path) -> bool:
    try:
        return os.path.samestat(os.fstat(stream.fileno()), path.stat())
    except FileNotFoundError:
        return False


def create_locked(path: Path) -> io.FileIO:
    """Create a file that is not there yet and lock it; raises OSError."""
    stream = io.FileIO(path, "xb")
    fcntl.flock(stream, fcntl.LOCK_EX)
    return stream
