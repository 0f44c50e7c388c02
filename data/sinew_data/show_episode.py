"""An episode as `sinew data show` prints it: for people and as JSON."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Iterator, Mapping
from datetime import datetime

import numpy as np
from rich.console import Console
from rich.markup import escape
from rich.table import Table
from sinew_core.authority import HOLD, HUMAN, POLICY, STOPPED
from sinew_core.types import NANOSECONDS

from sinew_data.console import counted, listed, size_text, time_text
from sinew_data.intrinsics import Intrinsics
from sinew_data.overview import Overview, Run, Timeline

OWNERS = (POLICY, HUMAN, HOLD, STOPPED)
OUTCOMES = {"success": "green", "failure": "red", "error": "red", "stopped": "red", "interrupted": "yellow"}
REASONS = 12  # shown at most


def print_episode(console: Console, overview: Overview) -> None:
    """Print everything about an episode."""
    end = overview.summary.end
    colour = OUTCOMES.get(end.outcome, "default")
    console.print(f"[bold]{escape(overview.summary.name)}[/]  [{colour}]{escape(end.outcome)}[/]")
    facts = Table.grid(padding=(0, 2))
    facts.add_column(style="bold", no_wrap=True)
    facts.add_column(overflow="fold")
    for name, text in _facts(overview):
        facts.add_row(name, escape(text))
    console.print(facts)
    if overview.cameras:
        console.print("", _cameras(overview), sep="\n")
    console.print("", _topics(overview), sep="\n")
    for problem in overview.problems:
        console.print(f"[red]problem[/] {escape(problem)}", soft_wrap=True)


def _facts(overview: Overview) -> Iterator[tuple[str, str]]:
    """Yield what is told of an episode, by name."""
    summary, timeline = overview.summary, overview.timeline
    start, end = summary.start, summary.end
    rate = f"{1 / start.control_period:g} Hz" if start.control_period > 0 else ""
    yield "instruction", f"{start.instruction or 'none'}  (task {start.task})"
    if end.message:
        yield "message", end.message
    yield (
        "length",
        f"{time_text(timeline.seconds)}, {counted(timeline.steps, 'step')} at {rate}, {start.pace}",
    )
    began = datetime.fromtimestamp(summary.first / NANOSECONDS).strftime("%Y-%m-%d %H:%M:%S")
    yield "recorded", f"{began}, {size_text(summary.size)}, {summary.path}"
    yield "robot", f"{start.robot} on {start.hardware}, seed {start.seed}"
    models = [f"{kind} {getattr(start, kind)}" for kind in ("policy", "reward", "affordance")]
    yield "models", ", ".join(text for text in models if not text.endswith(" ")) or "not told"
    if start.weights:
        yield "weights", start.weights
    owners = [f"{name} {timeline.steps_of(name)}" for name in OWNERS if timeline.steps_of(name)]
    yield "steps by", ", ".join(owners) or "nobody"
    yield "takeovers", "; ".join(map(_run_text, timeline.interventions)) or "none"
    yield from _reward_facts(timeline)
    yield "safety", _safety_text(timeline)
    yield "marks", ", ".join(end.marks) or "none"
    if end.repaired:
        yield "repaired", "its recording was cut off"
    if end.dropped:
        yield "dropped", listed(f"{count} of {topic}" for topic, count in end.dropped.items())
    yield "versions", ", ".join(f"{name} {version}" for name, version in start.versions.items())
    yield from {**start.extra, **end.extra}.items()


def _run_text(run: Run) -> str:
    steps = f"step {run.first}" if run.first == run.last else f"steps {run.first} to {run.last}"
    return f"{steps} ({run.begin:.2f} s to {run.end:.2f} s)"


def reward_summary(timeline: Timeline) -> dict[str, float]:
    """Return sum, mean, first, last, smallest and largest reward; nothing where there is none."""
    known = timeline.reward[np.isfinite(timeline.reward)]
    if not len(known):
        return {}
    return {
        "sum": float(known.sum()),
        "mean": float(known.mean()),
        "first": float(known[0]),
        "last": float(known[-1]),
        "smallest": float(known.min()),
        "largest": float(known.max()),
    }


def _reward_facts(timeline: Timeline) -> Iterator[tuple[str, str]]:
    found = reward_summary(timeline)
    lacking = int(np.isnan(timeline.reward).sum())
    text = ", ".join(f"{name} {value:.4g}" for name, value in found.items()) or "none recorded"
    yield "reward", text + (f"; none in {counted(lacking, 'step')}" if found and lacking else "")
    if timeline.terms:
        yield (
            "its terms",
            ", ".join(f"{name} {mean:.3g}" for name, mean in timeline.terms.items()) + " (means)",
        )


def _safety_text(timeline: Timeline) -> str:
    changed = int(timeline.changed.sum())
    reasons = listed((f"{name} {count}" for name, count in timeline.reasons.items()), REASONS)
    text = f"changed or refused {counted(changed, 'command')}" if changed else "changed no command"
    return f"{text}: {reasons}" if reasons else text


def _cameras(overview: Overview) -> Table:
    table = Table(box=None, header_style="bold", pad_edge=False)
    table.add_column("camera", no_wrap=True)
    for name in ("size", "frames", "Hz", "depth", "fx", "fy", "cx", "cy", "field of view"):
        table.add_column(name, justify="right", no_wrap=True)
    for name, model in overview.cameras.items():
        frames = str(len(overview.timeline.frames.get(name, ())))
        rate = f"{overview.rate(name):.1f}" if overview.rate(name) else ""
        depth = "yes" if overview.depth(name) else "no"
        table.add_row(escape(name), *_intrinsics(model, frames, rate, depth))
    return table


def _intrinsics(model: Intrinsics | None, *counts: str) -> list[str]:
    if model is None:
        return ["", *counts, "", "", "", "", "not recorded"]
    angles = [
        math.degrees(2 * math.atan(side / 2 / f)) if f > 0 else math.nan
        for side, f in ((model.width, model.fx), (model.height, model.fy))
    ]
    numbers = [f"{value:.1f}" for value in (model.fx, model.fy, model.cx, model.cy)]
    return [f"{model.width}x{model.height}", *counts, *numbers, f"{angles[0]:.0f}° x {angles[1]:.0f}°"]


def _topics(overview: Overview) -> Table:
    table = Table(box=None, header_style="bold", pad_edge=False)
    table.add_column("topic", no_wrap=True)
    for name in ("messages", "Hz", "longest gap, s"):
        table.add_column(name, justify="right", no_wrap=True)
    for topic, count in sorted(overview.summary.counts.items()):
        facts = overview.topics.get(topic)
        known = facts is not None and facts.count > 1
        rate = f"{facts.rate:.1f}" if facts is not None and facts.rate else ""
        table.add_row(topic, str(count), rate, f"{facts.longest:.3f}" if known and facts else "")
    return table


def plain_episode(overview: Overview) -> dict[str, object]:
    """Return everything about an episode as one JSON object."""
    summary, timeline = overview.summary, overview.timeline
    start = {
        item.name: getattr(summary.start, item.name)
        for item in dataclasses.fields(summary.start)
        if item.name != "attachments"
    }
    end = {item.name: getattr(summary.end, item.name) for item in dataclasses.fields(summary.end)}
    return {
        "name": summary.name,
        "path": str(summary.path),
        **_listed(start),
        **_listed({**end, "steps": timeline.steps}),
        "seconds": timeline.seconds,
        "size": summary.size,
        "owners": {name: timeline.steps_of(name) for name in OWNERS},
        "takeovers": [dataclasses.asdict(run) for run in timeline.interventions],
        "reward_summary": reward_summary(timeline),
        "reward_terms": {name: mean for name, mean in timeline.terms.items() if math.isfinite(mean)},
        "safety_steps": int(timeline.changed.sum()),
        "safety_reasons": dict(timeline.reasons),
        "cameras": {name: _plain_camera(overview, name) for name in overview.cameras},
        "topics": {
            topic: {"count": facts.count, "rate_hz": facts.rate, "longest_gap_s": facts.longest}
            for topic, facts in sorted(overview.topics.items())
        },
        "problems": list(overview.problems),
    }


def _listed(values: Mapping[str, object]) -> dict[str, object]:
    return {name: list(value) if isinstance(value, tuple) else value for name, value in values.items()}


def _plain_camera(overview: Overview, name: str) -> dict[str, object]:
    model = overview.cameras[name]
    return {
        "frames": len(overview.timeline.frames.get(name, ())),
        "rate_hz": overview.rate(name),
        "depth": overview.depth(name),
        "intrinsics": None if model is None else dataclasses.asdict(model),
    }
