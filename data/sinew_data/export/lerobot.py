"""Writes episodes as a LeRobot dataset, format v3.0: Parquet tables, MP4 videos, statistics, tasks.

The layout is that which `lerobot.datasets.LeRobotDataset` 0.4 reads: many episodes a file, found through
the table of episodes.
"""

from __future__ import annotations

from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa

from sinew_data import topics
from sinew_data.export.columns import Columns, columns_of, rows_at
from sinew_data.export.grid import Stamps
from sinew_data.export.lerobot_features import IMAGES, column_features, table_columns, video_feature
from sinew_data.export.lerobot_meta import DATA, MEGABYTE, EpisodeTable, video_columns, write_meta
from sinew_data.export.lerobot_videos import CameraVideos, Comparison, DecodingError
from sinew_data.export.parquet import ParquetFiles, arrow_column
from sinew_data.export.passes import FrameFeed, read_frames, read_steps
from sinew_data.export.plan import STEPS, EpisodePlan, ExportPlan
from sinew_data.export.request import OnBytes
from sinew_data.export.statistics import ImageStatistics, Statistics, TotalStatistics, column_statistics
from sinew_data.export.video import VideoSettings, check_size
from sinew_data.reader import RawMessage, open_episode

SAMPLES = 200  # frames of an episode, at most, that its image statistics count


@dataclass(frozen=True, slots=True)
class Limits:
    """Sizes at which a new file begins, in MB of 2^20 bytes; the defaults are LeRobot's."""

    data: int = 100
    video: int = 200


class LeRobotExport:
    """Writes one dataset into an empty folder, episode by episode."""

    def __init__(
        self, root: Path, plan: ExportPlan, settings: VideoSettings, limits: Limits | None = None
    ) -> None:
        limits = limits if limits is not None else Limits()
        for name, size in plan.cameras.items():
            check_size(name, *size, settings.pixels)
        self._root, self._plan, self._settings, self._limits = root, plan, settings, limits
        self._fps = int(plan.fps)
        self._features = column_features(plan, plan.episodes[0].summary.start.joints)
        self._data = ParquetFiles(root, DATA, limits.data * MEGABYTE)
        self._episodes = EpisodeTable(root, limits.data * MEGABYTE)
        self._videos = {
            name: CameraVideos(root, IMAGES + name, size, self._fps, settings, limits.video * MEGABYTE)
            for name, size in plan.cameras.items()
        }
        self._tasks: dict[str, int] = {}
        self._total = TotalStatistics()
        self._rows = 0

    def write(self, on_bytes: OnBytes = lambda _: None) -> None:
        """Write everything; OSError where the disk or ffmpeg fails."""
        with ExitStack() as cleanup:
            cleanup.callback(self._data.close)
            cleanup.callback(self._episodes.abandon)
            for camera in self._videos.values():
                cleanup.callback(camera.abandon)
            for number, episode in enumerate(self._plan.episodes):
                self._write_episode(number, episode, on_bytes)
            for camera in self._videos.values():
                camera.close()
            self._data.close()
            self._episodes.close()
        features = self._features | {
            IMAGES + name: video_feature(size, self._fps, self._settings)
            for name, size in self._plan.cameras.items()
        }
        sizes = (self._limits.data, self._limits.video)
        write_meta(self._root, self._plan, features, list(self._tasks), self._total.plain(), sizes)

    def verify(self, on_bytes: OnBytes = lambda _: None) -> dict[str, DecodingError]:
        """Decode every video and compare it with the episodes frame by frame; return errors by camera."""
        compared = {
            topics.color_topic(name): Comparison(self._root, IMAGES + name, size)
            for name, size in self._plan.cameras.items()
        }
        for plan in self._plan.episodes:
            with open_episode(plan.summary.path) as episode:
                for frame in read_frames(episode, color_stamps(plan), on_bytes):
                    compared[frame.topic].compare(frame.pixels, frame.repeats)
        return {name: compared[topics.color_topic(name)].close() for name in self._plan.cameras}

    def _write_episode(self, number: int, plan: EpisodePlan, on_bytes: OnBytes) -> None:
        start, chosen = plan.summary.start, plan.alignment.chosen
        places = {name: camera.begin(plan.rows) for name, camera in self._videos.items()}
        columns, images = self._encode(plan, on_bytes)
        sentence = start.instruction or start.task
        task = self._tasks.setdefault(sentence, len(self._tasks))
        table = table_columns(
            rows_at(columns, chosen[STEPS]),
            {name: chosen[topics.color_topic(name)] for name in self._videos},
            self._features,
            {"index": self._rows, "episode_index": number, "task_index": task},
            fps=self._fps,
            success=plan.summary.end.success,
        )
        chunk, file = self._data.place(plan.rows)
        self._data.write(pa.table({name: arrow_column(values) for name, values in table.items()}))
        row = {
            "episode_index": number,
            "tasks": [sentence],
            "length": plan.rows,
            "data/chunk_index": chunk,
            "data/file_index": file,
            "dataset_from_index": self._rows,
            "dataset_to_index": self._rows + plan.rows,
        }
        statistics = {name: column_statistics(values) for name, values in table.items()} | images
        self._episodes.add(row | video_columns(places, self._fps), statistics)
        self._total.add(statistics)
        self._rows += plan.rows

    def _encode(self, plan: EpisodePlan, on_bytes: OnBytes) -> tuple[Columns, dict[str, Statistics]]:
        """Encode an episode's frames; return its columns, and the statistics by image feature."""
        cameras = {topics.color_topic(name): name for name in self._videos}
        found = {name: ImageStatistics() for name in self._videos}
        every = -(-plan.rows // SAMPLES)

        def encode(raw: RawMessage) -> None:
            for frame in feed.take(raw):
                name = cameras[frame.topic]
                self._videos[name].write(frame.pixels, frame.repeats)
                for _ in range(-frame.row % every, frame.repeats, every):
                    found[name].add(frame.pixels)

        with open_episode(plan.summary.path) as episode:
            feed = FrameFeed(episode, color_stamps(plan))
            columns = columns_of(read_steps(episode, cameras, encode, on_bytes))
            feed.check_end()
        return columns, {IMAGES + name: statistics.result() for name, statistics in found.items()}


def color_stamps(plan: EpisodePlan) -> dict[str, Stamps]:
    """Return the chosen stamps of the cameras' colour topics."""
    return {topic: stamps for topic, stamps in plan.alignment.chosen.items() if topic != STEPS}
