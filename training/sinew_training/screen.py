"""What a training shows: a line that moves in a terminal, lines now and then elsewhere, and curves."""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping
from types import TracebackType
from typing import Any, Self

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn
from tensorboardX import SummaryWriter

from sinew_training.config import TrainConfig
from sinew_training.run_directory import RunDirectory

RECENT = 20  # episodes that the shown rates are over
PLAIN_EVERY = 10  # episodes between lines where there is no terminal
CURVES = ("return", "interventions", "updates_per_s", "decisions")


class Screen:
    """Listens to a trainer; writes TensorBoard curves into the run's directory."""

    def __init__(self, console: Console, config: TrainConfig, run: RunDirectory) -> None:
        self._console, self._config = console, config
        columns = (TextColumn("{task.description}"), BarColumn(), TimeElapsedColumn(), TimeRemainingColumn())
        self._bar = Progress(*columns, console=console, transient=True, disable=not console.is_terminal)
        self._task = self._bar.add_task("demonstrations", total=config.demonstrations or None)
        self._curves = SummaryWriter(str(run.path / "tensorboard"))
        self._recent: deque[Mapping[str, Any]] = deque(maxlen=RECENT)
        self._evaluated = "not measured yet"
        self._lines = 0

    def __enter__(self) -> Self:
        """Begin to show."""
        self._bar.start()
        return self

    def __exit__(self, _: type | None, __: BaseException | None, ___: TracebackType | None) -> None:
        """End."""
        self._bar.stop()
        self._curves.close()

    def demonstrated(self, episodes: int) -> None:
        """Show how many demonstrations there are."""
        self._bar.update(self._task, completed=episodes)

    def episode(self, record: Mapping[str, Any]) -> None:
        """Show what came of an episode, or of a round of updates."""
        text = f"{record['updates_per_s']:.0f} updates/s, greedy {self._evaluated}"
        if record["kind"] == "episode":
            self._recent.append(record)
            text = f"{self._text()}, {text}"
        total = self._config.steps
        self._bar.update(self._task, completed=record["steps"], total=total, description=text)
        self._lines += 1
        if not self._console.is_terminal and self._lines % PLAIN_EVERY == 0:
            self._console.print(f"[{record['steps']}/{total}] {text}", markup=False)
        for name, value in record.items():
            if isinstance(value, (bool, int, float)) and name not in ("steps", "episode"):
                self._curves.add_scalar(f"train/{name}", float(value), record["steps"])

    def evaluation(self, record: Mapping[str, Any]) -> None:
        """Show an evaluation."""
        low, high = record["wilson_95"]
        self._evaluated = f"{record['success_rate']:.0%} ({low:.0%} to {high:.0%})"
        self._console.print(
            f"[{record['steps']} steps, {record['wall_s']:.0f} s] greedy policy: {self._evaluated}",
            markup=False,
        )
        for name in ("success_rate", "return"):
            self._curves.add_scalar(f"evaluation/{name}", record[name], record["steps"])

    def noticed(self, record: Mapping[str, Any]) -> None:
        """Show what is noticed about the reward; an alarm does not end the training."""
        finding = record["finding"]
        word = "ALARM" if finding["alarm"] else "note"
        self._console.print(
            f"[{record['steps']} steps] {word}, the reward: {finding['sentence']}", markup=False
        )

    def _text(self) -> str:
        recent = self._recent
        success = sum(item["success"] for item in recent) / len(recent)
        person = sum(item["interventions"] for item in recent) / len(recent)
        total = sum(item["return"] for item in recent) / len(recent)
        return f"success {success:.0%}, return {total:.2f}, person {person:.0%}"
