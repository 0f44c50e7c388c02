"""Which episodes an export takes, at what rate and with which cameras."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from fractions import Fraction

from sinew_core.errors import ConfigError, did_you_mean
from sinew_core.types import NANOSECONDS

from sinew_data import topics
from sinew_data.console import listed
from sinew_data.dataset import Dataset, DatasetEntry
from sinew_data.export.request import ExportRequest
from sinew_data.layout import DISCARDED
from sinew_data.summary import EpisodeSummary

WHOLE = 1e-4  # of a rate, by which it may miss a whole number


def choose(dataset: Dataset, request: ExportRequest) -> tuple[list[EpisodeSummary], list[str]]:
    """Return the episodes that are meant and can be read, and a sentence for each that is left out."""
    wanted = {dataset.find(name) for name in request.episodes} or set(dataset.paths())
    summaries, skipped = [], []
    for entry in dataset.entries():
        problem = _problem(entry)
        if entry.path in wanted and problem:
            skipped.append(f"skipped {entry.name}: {problem}")
        elif entry.path in wanted and entry.summary is not None:
            summaries.append(entry.summary)
    discarded = len(dataset.paths(DISCARDED))
    if discarded and not request.episodes:
        skipped.append(f"skipped {discarded} in {DISCARDED}/.")
    return summaries, skipped


def _problem(entry: DatasetEntry) -> str:
    if entry.summary is None:
        return entry.problem.removeprefix(f"{entry.path}: ")
    if entry.summary.end.outcome == DISCARDED:
        return "it was discarded."
    if not entry.summary.start.control_period > 0:
        return f"its control period is {entry.summary.start.control_period} s."
    return "" if entry.summary.counts.get(topics.EXECUTED) else "it has no step."


def check_one_robot(summaries: Iterable[EpisodeSummary]) -> None:
    """Raise ConfigError unless all episodes are of the same robot with the same joints."""
    robots: dict[tuple[str, ...], str] = {}
    for summary in summaries:
        start = summary.start
        robots.setdefault((start.robot, *start.joints), f"{start.robot} (as in {summary.name})")
    if len(robots) > 1:
        raise ConfigError(f"different robots: {listed(robots.values())}. Choose by --episodes.")


def grid_rate(summaries: Iterable[EpisodeSummary], request: ExportRequest) -> Fraction:
    """Return the rate of the grid in Hz; ConfigError if the episodes do not agree on one."""
    if request.fps is not None:
        return Fraction(request.fps).limit_denominator(1000)
    periods = {round(summary.start.control_period * NANOSECONDS) for summary in summaries}
    if len(periods) > 1:
        shown = listed(f"{period / NANOSECONDS:g} s" for period in sorted(periods))
        raise ConfigError(f"different control periods: {shown}. Give --fps.")
    rate = Fraction(NANOSECONDS, periods.pop())
    if not request.whole_fps:
        return rate
    if round(rate) < 1 or abs(rate / round(rate) - 1) > WHOLE:
        raise ConfigError(
            f"the control rate is {float(rate):.3f} Hz, and this format has whole numbers only. Give --fps."
        )
    return Fraction(round(rate))


def wanted_cameras(summaries: Sequence[EpisodeSummary], request: ExportRequest) -> tuple[str, ...]:
    """Return the cameras to export, which every episode must have."""
    every = sorted({name for summary in summaries for name in summary.cameras})
    for name in request.cameras or ():
        if name not in every:
            raise ConfigError(f"--cameras: unknown camera '{name}'.{did_you_mean(name, every)}")
    wanted = tuple(every) if request.cameras is None else request.cameras
    for summary in summaries:
        lacking = [name for name in wanted if name not in summary.cameras]
        if lacking:
            raise ConfigError(
                f"{summary.name} has no camera {', '.join(lacking)}; it has "
                f"{', '.join(summary.cameras) or 'none'}. Choose by --cameras or --episodes."
            )
    return wanted
