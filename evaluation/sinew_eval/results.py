"""The files of a run: summary.json, episodes.csv and report.html, whole and valid after every episode."""

from __future__ import annotations

import csv
import io
import json
import shlex
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
from sinew_core.errors import ConfigError
from sinew_core.files import replace_whole

from sinew_eval.alternation import Alternation
from sinew_eval.machine import describe_machine, package_versions
from sinew_eval.recording import EpisodeRecord
from sinew_eval.records import RunConfig
from sinew_eval.report import render_report
from sinew_eval.report_card import render_card
from sinew_eval.statistics import wilson_interval

SUMMARY, TABLE, REPORT, VIDEOS = "summary.json", "episodes.csv", "report.html", "videos"
COLUMNS = (
    *("episode", "seed", "instruction", "outcome", "success", "steps"),
    *("return", "wall_s", "limited_steps", "message"),
)
MANY = 20  # episodes, beyond which only failures and a few successes keep their video
KEPT_SUCCESSES = 4


class RunResults:
    """Holds the finished episodes of a run and writes its files."""

    def __init__(
        self, folder: Path, config: RunConfig, graph: str, episodes: int, seed: int, argv: Sequence[str]
    ) -> None:
        self.folder = folder
        self.config, self.graph, self.episodes, self.seed = config, graph, episodes, seed
        self.records: list[EpisodeRecord] = []
        self.startup: float | None = None  # s until the first episode began
        self.alternation = (
            Alternation(seed, config.retries, {"forward": config.instruction, "backward": config.back})
            if config.alternate
            else None
        )
        self.failure = ""  # why the run ended early, if it did
        self.command = shlex.join(["sinew", "run", *argv])
        self.machine, self.versions = describe_machine(), package_versions()
        self.started = datetime.now(UTC).isoformat(timespec="seconds")
        self._begin = time.perf_counter()
        self._cards: dict[int, str] = {}
        self._closed = False

    @property
    def report(self) -> Path:
        """Where the report is."""
        return self.folder / REPORT

    @property
    def counted(self) -> list[EpisodeRecord]:
        """The episodes that count, which leaves out one that was broken off."""
        return [record for record in self.records if record.counted]

    @property
    def successes(self) -> int:
        """How many of the counted episodes succeeded."""
        return sum(record.result.success for record in self.records)

    def video_stem(self, index: int) -> Path:
        """Return the path of an episode's video, without its suffix."""
        (self.folder / VIDEOS).mkdir(exist_ok=True)
        return self.folder / VIDEOS / f"episode_{index:04d}"

    def add(self, record: EpisodeRecord) -> None:
        """Take a finished episode; of many, most successes lose their video and picture."""
        if not self._keeps_video(record):
            for path in (record.video, record.picture):
                if path is not None:
                    path.unlink(missing_ok=True)
        self.records.append(record)

    def _keeps_video(self, record: EpisodeRecord) -> bool:
        few = self.episodes <= MANY or self.successes < KEPT_SUCCESSES
        return few or not record.result.success

    def _shows_open(self, record: EpisodeRecord) -> bool:
        return self.episodes <= MANY or not record.result.success

    def write(self) -> None:
        """Write all three files, each replaced at once, so that none is ever seen half-written."""
        if self._closed:
            return
        for record in self.records:
            if record.index not in self._cards:
                self._cards[record.index] = render_card(record, opened=self._shows_open(record))
        summary = self.summary()
        write_atomically(self.folder / SUMMARY, json.dumps(summary, indent=2, allow_nan=False) + "\n")
        write_atomically(self.folder / TABLE, episode_table(self.records))
        cards = [self._cards[record.index] for record in self.records]
        write_atomically(self.report, render_report(summary, self.records, cards))

    def close(self) -> None:
        """Write nothing from here on: nothing was run that deserves files."""
        self._closed = True

    def summary(self) -> dict[str, Any]:
        """Return what summary.json holds; plain data, and no number that JSON does not know."""
        counted = self.counted
        return {
            "episodes": len(counted),
            "successes": self.successes,
            "success_rate": self.successes / len(counted) if counted else None,
            "wilson_95": list(wilson_interval(self.successes, len(counted))),
            "seed": self.seed,
            "requested_episodes": self.episodes,
            "complete": len(counted) == self.episodes,
            "outcomes": dict(Counter(record.result.outcome for record in self.records).most_common()),
            "failure": self.failure,
            **({} if self.alternation is None else {"alternation": self.alternation.summary()}),
            "config": {**asdict(self.config), "graph": self.graph},
            "timing": self._timing(),
            "command": self.command,
            "started": self.started,
            "machine": self.machine,
            "versions": self.versions,
        }

    def _timing(self) -> dict[str, float | None]:
        steps = [record.step_ms for record in self.records if record.step_ms.size]
        p50, p99 = np.percentile(np.concatenate(steps), [50, 99]) if steps else (None, None)
        return {
            "wall_s": round(time.perf_counter() - self._begin, 3),
            "startup_s": None if self.startup is None else round(self.startup, 3),
            "step_p50_ms": None if p50 is None else round(float(p50), 3),
            "step_p99_ms": None if p99 is None else round(float(p99), 3),
        }


def episode_table(records: Sequence[EpisodeRecord]) -> str:
    """Return episodes.csv."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(COLUMNS)
    for record in records:
        result = record.result
        writer.writerow(
            [
                *(record.index, result.seed, result.instruction, result.outcome, int(result.success)),
                *(result.steps, f"{record.reward_sum:.6g}", f"{record.wall:.3f}", record.limited_steps),
                result.message,
            ]
        )
    return out.getvalue()


def write_atomically(path: Path, text: str) -> None:
    """Replace a file by one with this text; a crash leaves the old one or the new one. OSError."""
    replace_whole(path, path.with_name(f".{path.name}.tmp"), text.encode())


def prepare_folder(folder: Path, *, force: bool) -> None:
    """Create the folder of a run; one that holds a run already is refused, or emptied of it by `force`."""
    taken = (folder / SUMMARY).exists()
    if taken and not force:
        raise ConfigError(f"--out {folder} already holds a run ({SUMMARY}). Choose another, or add --force.")
    try:
        if taken:
            discard(folder)
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise ConfigError(f"--out {folder}: cannot be written ({error.strerror}).") from error


def discard(folder: Path) -> None:
    """Remove the files that a run wrote, and the folders that are empty without them."""
    videos = folder / VIDEOS
    written = [folder / name for name in (SUMMARY, TABLE, REPORT)]
    shown = (path for kind in ("mp4", "gif", "jpg") for path in videos.glob(f"episode_[0-9]*.{kind}"))
    for path in (*written, *shown):
        path.unlink(missing_ok=True)
    for emptied in (videos, folder):
        if emptied.is_dir() and not any(emptied.iterdir()):
            emptied.rmdir()


def default_folder(task: str) -> Path:
    """Return runs/<task>-<local time>, numbered where that is taken."""
    base = Path("runs") / f"{task.replace(':', '.')}-{datetime.now():%Y%m%d-%H%M%S}"
    candidates = [base, *(base.with_name(f"{base.name}-{i}") for i in range(2, 100))]
    return next(path for path in candidates if not path.exists())
