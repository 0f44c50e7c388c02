"""report.html: one self-contained page of a run, valid from the first moment, with zero episodes on."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from html import escape
from pathlib import Path
from typing import Any

import numpy as np

from sinew_eval.charts import DASH, interval_bar
from sinew_eval.page import render_page
from sinew_eval.recording import EpisodeRecord
from sinew_eval.report_card import SIGNS, outcome_badge, outcome_kind


def render_report(summary: Mapping[str, Any], records: Sequence[EpisodeRecord], cards: Sequence[str]) -> str:
    """Return the page; `cards` are the rendered episodes, which never change and need not be redone."""
    config = summary["config"]
    title = f"{config['task']} on {config['hardware']}"
    body = (
        f"<header><p class='kicker'>Sinew run</p><h1>{escape(title)}</h1>"
        f"<p class='lead'>{_lead(summary)}</p></header>{_banner(summary)}"
        f"<main>{_result(summary, records)}{_configuration(summary)}"
        f"<section class='episodes'><h2>Episodes</h2>{''.join(cards) or EMPTY}</section></main>"
        f"{_footer(summary)}"
    )
    return render_page(f"{title} · Sinew", body)


EMPTY = "<p class='empty'>No episode has been run yet.</p>"


def _lead(summary: Mapping[str, Any]) -> str:
    instruction = summary["config"]["instruction"]
    asked = f"“{escape(instruction)}”" if instruction else "Each episode draws its own instruction."
    first, count = summary["seed"], summary["requested_episodes"]
    seeds = f"seed {first}" if count == 1 else f"seeds {first} to {first + count - 1}"
    return f"{asked} <span class='quiet'>{count} {'episode' if count == 1 else 'episodes'}, {seeds}.</span>"


def _banner(summary: Mapping[str, Any]) -> str:
    if summary["failure"]:
        return (
            f"<p class='banner bad' role='status'>The run ended early. {escape(str(summary['failure']))}</p>"
        )
    if summary["complete"]:
        return ""
    done, wanted = summary["episodes"], summary["requested_episodes"]
    text = f"{done} of {wanted} episodes are done; the others have not been run."
    return f"<p class='banner' role='status'>{text}</p>"


def _result(summary: Mapping[str, Any], records: Sequence[EpisodeRecord]) -> str:
    rate, interval = summary["success_rate"], tuple(summary["wilson_95"])
    shown = DASH if rate is None else f"{100 * rate:.0f}<small> %</small>"
    low, high = (100 * bound for bound in interval)
    squares = "".join(
        f'<a class="{outcome_kind(r.result.outcome)}" href="#episode-{r.index}" '
        f'title="episode {r.index}: {escape(r.result.outcome)}">{SIGNS.get(r.result.outcome, "·")}</a>'
        for r in records
    )
    counts = "".join(
        f"<li>{outcome_badge(outcome)} {count}</li>" for outcome, count in summary["outcomes"].items()
    )
    return (
        "<section class='result'><h2 class='hidden'>Result</h2><div class='rate'>"
        f"<p class='figure'>{shown}</p><p class='caption'>{summary['successes']} of {summary['episodes']} "
        f"episodes succeeded</p></div><div class='uncertainty'>{interval_bar(rate, interval)}"
        f"<p class='caption'>Wilson 95 % interval: {low:.0f} to {high:.0f} %</p></div>"
        f"<ul class='tiles'>{_tiles(summary, records)}</ul>"
        f"<div class='overview'><nav aria-label='episodes'>{squares}</nav><ul>{counts}</ul></div></section>"
    )


def _tiles(summary: Mapping[str, Any], records: Sequence[EpisodeRecord]) -> str:
    timing = summary["timing"]
    winners = [record.result.steps for record in records if record.result.success]
    tiles = [
        ("steps to success", f"{np.median(winners):.0f}" if winners else DASH, "median"),
        ("time a step", _ms(timing["step_p50_ms"]), f"p99 {_ms(timing['step_p99_ms'])}"),
        ("wall time", _duration(timing["wall_s"]), f"of which start-up {_duration(timing['startup_s'])}"),
        *_alternation_tiles(summary),
    ]
    return "".join(
        f"<li><span>{name}</span><b>{value}</b><span>{note}</span></li>" for name, value, note in tiles
    )


def _alternation_tiles(summary: Mapping[str, Any]) -> list[tuple[str, str, str]]:
    """Return what a run without resets adds: success of either way, and how often a person was needed."""
    told = summary.get("alternation")
    if told is None:
        return []
    ways = [
        (way, f"{told[way]['successes']} of {told[way]['episodes']}", "succeeded")
        for way in ("forward", "backward")
    ]
    longest = told["longest_without_reset"]
    return [*ways, ("resets by a person", str(told["person_resets"]), f"{longest} episodes without one")]


def _ms(value: float | None) -> str:
    return DASH if value is None else f"{value:.1f} ms"


def _duration(seconds: float | None) -> str:
    if seconds is None:
        return DASH
    if seconds < 100:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes} min {rest} s"


def _configuration(summary: Mapping[str, Any]) -> str:
    config = summary["config"]
    shown = {
        "task": config["task"],
        "hardware": config["hardware"],
        "policy": config["policy"],
        "reward": config["reward"],
        "affordance": config["affordance"],
        "graph": config["graph"],
        "pace": config["pace"],
        "max steps": config["max_steps"] or "the task's own",
        **({"in turn with": config["back"] or "the way back"} if config["alternate"] else {}),
        **({"recorded to": str(Path(config["record"]).absolute())} if config["record"] else {}),
    }
    items = "".join(f"<div><dt>{key}</dt><dd>{escape(str(value))}</dd></div>" for key, value in shown.items())
    return f"<section class='configuration'><h2>Configuration</h2><dl>{items}</dl></section>"


def _footer(summary: Mapping[str, Any]) -> str:
    machine = summary["machine"]
    versions = ", ".join(f"{escape(name)} {escape(v)}" for name, v in summary["versions"].items())
    return (
        f"<footer><p><code>{escape(summary['command'])}</code></p><p>Started {escape(summary['started'])} on "
        f"{escape(machine['cpu'])}, {machine['cores']} cores, {escape(machine['system'])}.</p>"
        f"<p>{versions}</p></footer>"
    )
