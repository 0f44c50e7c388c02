"""Records an episode: never blocks who hands in messages, never loses what is on disk, commits at once.

The file grows in `unfinished/`, locked by its writer. Twice a second the open chunk is closed and synced,
so that a kill or a power cut costs less than a second. At the end it is synced and renamed.
"""

from __future__ import annotations

import atexit
import logging
import queue
import threading
import time
from collections import Counter
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Self

from sinew_data.definitions import definition
from sinew_data.episode import EpisodeEnd, EpisodeStart
from sinew_data.errors import RecordingError
from sinew_data.layout import UNFINISHED, episode_name, episode_path
from sinew_data.open_file import OpenEpisode

log = logging.getLogger(__name__)
QUEUE_BYTES = 256 << 20  # what may wait for the disk: nearly 3 s of two 640x480 cameras with depth at 30 Hz
FLUSH_INTERVAL = 0.5  # s, at most, that a message stays in memory alone
OVERHEAD = 200  # bytes of a waiting message beside its data


@dataclass(frozen=True, slots=True)
class _Message:
    topic: str
    type_name: str
    sequence: int
    log_time: int
    publish_time: int
    data: bytes


class EpisodeWriter:
    """Writes one episode in a thread of its own.

    `write`, `finish` and `abandon` may be called from any thread and return within microseconds. When the
    disk fails, `error` says how, `on_error` is called in the writer's thread, and all that comes later
    counts as dropped.
    """

    def __init__(
        self,
        dataset: Path,
        start: EpisodeStart,
        *,
        name: str | None = None,
        queue_bytes: int = QUEUE_BYTES,
        flush_interval: float = FLUSH_INTERVAL,
        on_error: Callable[[RecordingError], None] | None = None,
    ) -> None:
        self.name = name if name is not None else episode_name(start.episode)
        self.dataset = dataset
        self.error: RecordingError | None = None
        self._start, self._flush_interval, self._on_error = start, flush_interval, on_error
        self._queue_bytes = queue_bytes
        self._queue: queue.SimpleQueue[_Message | EpisodeEnd | None] = queue.SimpleQueue()
        self._lock = threading.Lock()  # among those who hand in; the writer's thread never takes it
        self._given = self._taken = 0  # bytes
        self._sequences: Counter[str] = Counter()
        self._dropped: Counter[str] = Counter()
        self._open = True
        self._done: Future[Path] = Future()
        self._thread = threading.Thread(target=self._run, name="episode-writer", daemon=True)
        self._thread.start()

    @property
    def dropped(self) -> dict[str, int]:
        """Messages lost so far by topic: the disk did not keep up, or failed."""
        with self._lock:
            return dict(self._dropped)

    @property
    def waiting_bytes(self) -> int:
        """What waits for the disk."""
        return self._given - self._taken

    def write(self, topic: str, type_name: str, log_time: int, publish_time: int, data: bytes) -> bool:
        """Hand in a serialised message; False if it is dropped. The data must not change afterwards."""
        size = len(data) + OVERHEAD
        with self._lock:
            sequence = self._sequences[topic]
            self._sequences[topic] = sequence + 1
            if not self._open or self._given + size - self._taken > self._queue_bytes:
                self._dropped[topic] += 1
                return False
            self._given += size
            self._queue.put(_Message(topic, type_name, sequence, log_time, publish_time, data))
        return True

    def finish(self, end: EpisodeEnd) -> Future[Path]:
        """End the episode; the future is the committed file, or the error that kept it from being one."""
        return self._close(end)

    def abandon(self) -> Future[Path]:
        """Stop without an end: what came so far stays in unfinished/, for a repair."""
        return self._close(None)

    def _close(self, end: EpisodeEnd | None) -> Future[Path]:
        with self._lock:
            if self._open:
                self._open = False
                self._queue.put(end)
                atexit.register(self._thread.join)  # an interpreter that ends lets the commit end first
        return self._done

    def __enter__(self) -> Self:
        """Return the writer."""
        return self

    def __exit__(self, *_: object) -> None:
        """Wait for the commit; an episode without an end is abandoned."""
        self.abandon()
        self._thread.join()

    def _run(self) -> None:
        try:
            with OpenEpisode.create(self.dataset, self.name, self._start) as file:
                end = self._record(file)
                path = file.path if end is None else file.commit(self._counted(end))
        except Exception as error:  # noqa: BLE001 - the thread's boundary
            self._fail(error)
        else:
            self._done.set_result(path)
        finally:
            atexit.unregister(self._thread.join)

    def _record(self, file: OpenEpisode) -> EpisodeEnd | None:
        """Write what comes until the end does."""
        flush_at = time.monotonic() + self._flush_interval
        while True:
            try:
                item = self._queue.get(timeout=max(0.0, flush_at - time.monotonic()))
            except queue.Empty:
                pass
            else:
                if not isinstance(item, _Message):
                    file.flush()
                    return item
                self._add(file, item)
            if time.monotonic() >= flush_at:
                file.flush()
                flush_at = time.monotonic() + self._flush_interval

    def _add(self, file: OpenEpisode, item: _Message) -> None:
        self._taken += len(item.data) + OVERHEAD
        try:
            channel = file.mcap.channel(item.topic, item.type_name, definition)
        except KeyError as error:
            self._refuse(item, str(error.args[0]))
        else:
            file.mcap.add_message(channel, item.sequence, item.log_time, item.publish_time, item.data)

    def _refuse(self, item: _Message, why: str) -> None:
        with self._lock:
            self._dropped[item.topic] += 1
            first = self._dropped[item.topic] == 1
        if first:
            log.error("%s cannot be recorded: %s", item.topic, why)

    def _counted(self, end: EpisodeEnd) -> EpisodeEnd:
        dropped = Counter(end.dropped) + Counter(self.dropped)
        return replace(end, dropped=dict(dropped)) if dropped else end

    def _fail(self, error: Exception) -> None:
        where = episode_path(self.dataset, UNFINISHED, self.name)
        failure = RecordingError(f"recording to {where} has stopped: {_sentence(error)}")
        failure.__cause__ = error
        with self._lock:
            self._open = False
            self.error = failure
        self._drop_waiting()
        log.error("%s", failure, exc_info=None if isinstance(error, OSError) else error)
        self._done.set_exception(failure)
        if self._on_error is not None:
            self._on_error(failure)

    def _drop_waiting(self) -> None:
        while not self._queue.empty():
            item = self._queue.get()
            if isinstance(item, _Message):
                with self._lock:
                    self._dropped[item.topic] += 1


def _sentence(error: Exception) -> str:
    """Return what the system says, without its number."""
    if isinstance(error, OSError) and error.strerror:
        return f"{error.strerror} ({error.filename})" if error.filename else error.strerror
    return f"{type(error).__name__}: {error}"
