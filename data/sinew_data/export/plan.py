"""Finds out what an export will hold, and all that stands against it, before anything is written."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction

import numpy as np
from sinew_core.errors import ConfigError
from sinew_core.types import NANOSECONDS

from sinew_data import topics
from sinew_data.dataset import Dataset
from sinew_data.errors import EpisodeError
from sinew_data.export.columns import columns_of
from sinew_data.export.grid import Alignment, Stamps, align, moments
from sinew_data.export.passes import read_steps
from sinew_data.export.request import ExportRequest, OnBytes
from sinew_data.export.selection import check_one_robot, choose, grid_rate, wanted_cameras
from sinew_data.messages import image_from_wire
from sinew_data.reader import RawMessage, damage_of, open_episode
from sinew_data.summary import EpisodeSummary

STEPS = topics.JOINTS  # the stream that the steps are aligned by
SHOWN = 5  # episodes with gaps in an error
Size = tuple[int, int]  # height and width, px


@dataclass(frozen=True, slots=True)
class EpisodePlan:
    """Which step and which frames each row of an episode shows."""

    summary: EpisodeSummary
    start: int  # ns, the first moment of its grid
    alignment: Alignment  # of the streams STEPS and the cameras' colour topics
    columns: tuple[str, ...]
    sizes: Mapping[str, Size]  # by camera
    deep: tuple[str, ...]  # cameras whose frames have depth

    @property
    def rows(self) -> int:
        """How many rows it gives."""
        return len(self.alignment.moments)

    @property
    def left_out(self) -> int:
        """How many moments are left out because of gaps."""
        return len({gap.at for gap in self.alignment.gaps})

    @property
    def name(self) -> str:
        """The episode's name."""
        return self.summary.name


@dataclass(frozen=True, slots=True)
class ExportPlan:
    """What an export will hold."""

    episodes: tuple[EpisodePlan, ...]
    skipped: tuple[str, ...]  # sentences
    fps: Fraction
    cameras: Mapping[str, Size]  # by name
    columns: tuple[str, ...]  # of any episode

    @property
    def rows(self) -> int:
        """How many rows there are."""
        return sum(episode.rows for episode in self.episodes)

    @property
    def size(self) -> int:
        """Bytes of the episodes' files."""
        return sum(episode.summary.size for episode in self.episodes)


def make_plan(dataset: Dataset, request: ExportRequest, on_bytes: OnBytes = lambda _: None) -> ExportPlan:
    """Look through the episodes; ConfigError for what cannot be exported as asked for."""
    summaries, skipped = choose(dataset, request)
    if not summaries:
        raise ConfigError(f"{dataset.path}: nothing to export. {' '.join(skipped)}".rstrip())
    check_one_robot(summaries)
    fps, cameras = grid_rate(summaries, request), wanted_cameras(summaries, request)
    plans: list[EpisodePlan] = []
    for summary in summaries:
        try:
            plans.append(_plan_episode(summary, cameras, fps, request, on_bytes))
        except EpisodeError as error:
            skipped.append(f"skipped {summary.name}: {str(error).removeprefix(f'{summary.path}: ')}")
    if not request.allow_gaps:
        _check_gaps(plans)
    skipped += [f"skipped {plan.name}: none of its moments is complete." for plan in plans if not plan.rows]
    plans = [plan for plan in plans if plan.rows]
    if not plans:
        raise ConfigError(f"{dataset.path}: nothing to export. {' '.join(skipped)}")
    columns = tuple(dict.fromkeys(name for plan in plans for name in plan.columns))
    return ExportPlan(tuple(plans), tuple(skipped), fps, _same_sizes(plans), columns)


def _plan_episode(
    summary: EpisodeSummary, cameras: Sequence[str], fps: Fraction, request: ExportRequest, on_bytes: OnBytes
) -> EpisodePlan:
    """Read an episode's numbers and stamps and align them."""
    deep = [name for name in cameras if request.depth and summary.counts.get(topics.depth_topic(name))]
    looks = {name: _Look(deep=name in deep) for name in cameras}
    images = {topics.color_topic(name): look.see_color for name, look in looks.items()}
    images |= {topics.depth_topic(name): looks[name].see_depth for name in deep}
    with open_episode(summary.path) as episode, damage_of(summary.path):
        steps = read_steps(episode, images, lambda raw: images[raw.topic](raw), on_bytes)
        columns = columns_of(steps)
    streams = {STEPS: columns.get("stamp", np.zeros(0, np.int64))}
    streams |= {topics.color_topic(name): look.stamps for name, look in looks.items()}
    for name, stamps in streams.items():
        if not len(stamps):
            raise EpisodeError(f"nothing of {name} can be used.")
    start, end = int(streams[STEPS].min()), int(streams[STEPS].max())
    alignment = align(moments(start, end, fps), streams, fps, request.tolerance)
    sizes = {name: look.size for name, look in looks.items()}
    return EpisodePlan(summary, start, alignment, tuple(columns), sizes, tuple(deep))


class _Look:
    """What a camera's messages say without being decoded: their stamps, and the size of the first."""

    def __init__(self, *, deep: bool) -> None:
        self._color: list[int] = []
        self._depth: list[int] | None = [] if deep else None
        self.size: Size = (0, 0)

    def see_color(self, raw: RawMessage) -> None:
        """Take a colour image."""
        if not self._color:
            view = image_from_wire(raw.data)
            self.size = (view.height, view.width)
        self._color.append(raw.publish_time)

    def see_depth(self, raw: RawMessage) -> None:
        """Take a depth image."""
        assert self._depth is not None
        self._depth.append(raw.publish_time)

    @property
    def stamps(self) -> Stamps:
        """The stamps of the frames that are complete."""
        color = np.array(self._color, dtype=np.int64)
        return color if self._depth is None else np.intersect1d(color, np.array(self._depth, dtype=np.int64))


def _same_sizes(plans: Sequence[EpisodePlan]) -> Mapping[str, Size]:
    first = plans[0]
    for plan in plans:
        for name, size in plan.sizes.items():
            if size != first.sizes[name]:
                raise ConfigError(
                    f"camera {name} has {_pixels(first.sizes[name])} px in {first.name} and "
                    f"{_pixels(size)} px in {plan.name}. Choose by --cameras or --episodes."
                )
    return first.sizes


def _pixels(size: Size) -> str:
    return f"{size[1]}x{size[0]}"


def _check_gaps(plans: Sequence[EpisodePlan]) -> None:
    """Raise ConfigError with the first gap of each episode that has some."""
    bad = [plan for plan in plans if plan.alignment.gaps]
    if not bad:
        return
    needed = max(gap.distance for plan in bad for gap in plan.alignment.gaps) / NANOSECONDS
    more = f"\nand in {len(bad) - SHOWN} more episodes" if len(bad) > SHOWN else ""
    raise ConfigError(
        "\n".join(_gap_sentence(plan) for plan in bad[:SHOWN])
        + f"{more}\n--allow-gaps leaves such rows out; --tolerance {needed + 5e-4:.3f} takes what is nearest."
    )


def _gap_sentence(plan: EpisodePlan) -> str:
    gap, *others = plan.alignment.gaps
    camera = topics.camera_of(gap.stream)
    stream = gap.stream if camera is None else f"camera {camera[0]}"
    return (
        f"{plan.name}: {stream}: nothing within {gap.tolerance / 1e6:.1f} ms of "
        f"{(gap.at - plan.start) / NANOSECONDS:.3f} s, the nearest is {gap.distance / 1e6:.1f} ms away"
        + (f"; {len(others)} more such moments" if others else "")
    )
