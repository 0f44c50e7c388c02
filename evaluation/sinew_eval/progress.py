"""What a person sees while a run goes on: a live bar on a terminal, plain lines elsewhere."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from types import TracebackType

from rich.console import Console, RenderableType
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from rich.text import Text

from sinew_eval.recording import EpisodeRecord
from sinew_eval.statistics import wilson_interval


class _Bar(Progress):
    """A bar with the instruction below it, on a line of its own, cut to the terminal's width."""

    instruction = ""

    def get_renderables(self) -> Iterable[RenderableType]:
        """Return the lines to show."""
        yield self.make_tasks_table(self.tasks)
        if self.instruction:
            yield Text(self.instruction, style="dim", no_wrap=True, overflow="ellipsis")


class RunProgress:
    """Progress on stderr, so that stdout stays for results."""

    def __init__(self, episodes: int) -> None:
        self.console = Console(stderr=True, highlight=False)
        self._episodes = episodes
        self._bar = _Bar(
            TextColumn("{task.fields[doing]}"),
            BarColumn(bar_width=16),
            MofNCompleteColumn(),
            TextColumn("{task.fields[score]}"),
            TimeRemainingColumn(),
            console=self.console,
            transient=True,
            disable=not self.console.is_terminal,
        )
        self._task = self._bar.add_task("", total=episodes, doing="starting", score="")

    def __enter__(self) -> RunProgress:
        """Show the bar."""
        self._bar.start()
        return self

    def __exit__(self, *_: type[BaseException] | BaseException | TracebackType | None) -> None:
        """Take the bar away."""
        self._bar.stop()

    def say(self, line: str, style: str = "") -> None:
        """Print one line above the bar."""
        self.console.print(line, style=style or None, markup=False, soft_wrap=True)

    def step(self, index: int, steps: int, instruction: str) -> None:
        """Tell how far the running episode is."""
        if self.console.is_terminal:
            self._bar.instruction = instruction
            self._bar.update(self._task, doing=f"episode {index}, step {steps}")

    def episode_done(self, record: EpisodeRecord, records: Sequence[EpisodeRecord]) -> None:
        """Move the bar on and print what is worth a line."""
        result = record.result
        counted = [item for item in records if item.counted]
        successes = sum(item.result.success for item in counted)
        self._bar.update(self._task, completed=len(counted), score=_short_score(successes, len(counted)))
        for note in record.notes:
            self.say(f"episode {record.index}: {note}")
        if self.console.is_terminal and result.success:
            return
        why = f": {result.message}" if result.message else ""
        line = f"episode {record.index} (seed {result.seed}) {result.outcome} after {result.steps} steps{why}"
        if not self.console.is_terminal:
            score = score_text(successes, len(counted))
            line += f"  [{len(counted)}/{self._episodes}, success {score}] {result.instruction}"
        self.say(line)


def _short_score(successes: int, trials: int) -> str:
    if trials == 0:
        return ""
    low, high = wilson_interval(successes, trials)
    return f"success {100 * successes / trials:.0f} % ({100 * low:.0f} to {100 * high:.0f} %)"


def score_text(successes: int, trials: int) -> str:
    """Return a success rate as people read it: `7/8, 88 % (95 % interval 53 to 98 %)`."""
    if trials == 0:
        return "0/0"
    low, high = wilson_interval(successes, trials)
    rate = 100 * successes / trials
    return f"{successes}/{trials}, {rate:.0f} % (95 % interval {100 * low:.0f} to {100 * high:.0f} %)"
