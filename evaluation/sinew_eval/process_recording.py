"""Recording the episodes of the graph in one process: its steps into files, without losing any."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable
from pathlib import Path

from sinew_core.hardware import Hardware
from sinew_core.runtime import EpisodeResult, OnStep, Step
from sinew_data.errors import RecordingError
from sinew_data.facts import MODELS, episode_facts, recording_facts
from sinew_data.readiness import check_space, prepare_dataset
from sinew_data.recording import RecordedEpisode, record_episode

from sinew_eval.records import RunConfig

WAITING = 64 << 20  # bytes that may wait for the disk; in lockstep, time stands still until there are fewer


class ProcessRecorder:
    """Records each episode of a run. What the disk refuses ends the episode, as a RecordingError."""

    def __init__(self, config: RunConfig, hardware: Hardware) -> None:
        self._hardware, self._dataset = hardware, Path(config.record)
        prepare_dataset(self._dataset)
        self._facts = recording_facts(hardware, config.task, {kind: getattr(config, kind) for kind in MODELS})
        self._episodes = 0

    def record(self, seed: int, run: Callable[[OnStep], EpisodeResult]) -> EpisodeResult:
        """Run an episode that calls back with every step, and return its result once its file is whole.

        An episode without a single step leaves no file; one that raises ends as `error`.
        """
        check_space(self._dataset)
        self._episodes += 1
        recording = _Recording(self._open, seed)
        try:
            result = run(recording.add)
        except BaseException as error:
            outcome = "error" if isinstance(error, Exception) else "interrupted"
            with contextlib.suppress(RecordingError):  # which it then is already
                recording.finish(outcome, f"{type(error).__name__}: {error}")
            raise
        recording.finish(result.outcome, result.message)
        return result

    def _open(self, seed: int, step: Step) -> RecordedEpisode:
        start = episode_facts(self._facts, step.observation.task, seed, self._episodes)
        return record_episode(self._dataset, self._hardware, start)


class _Recording:
    """One episode, opened with its first step, which tells the task."""

    def __init__(self, open_file: Callable[[int, Step], RecordedEpisode], seed: int) -> None:
        self._open_file, self._seed = open_file, seed
        self._recorded: RecordedEpisode | None = None

    def add(self, step: Step) -> None:
        """Record a step, waiting for a disk that is slower than the simulation."""
        if self._recorded is None:
            self._recorded = self._open_file(self._seed, step)
        self._recorded.add_step(step)
        writer = self._recorded.writer
        while writer.waiting_bytes > WAITING and writer.error is None:
            time.sleep(0.002)
        if writer.error is not None:
            raise writer.error

    def finish(self, outcome: str, message: str) -> None:
        """End the episode and wait for its file."""
        if self._recorded is not None:
            self._recorded.finish(outcome, message).result()
