"""One episode in the report: how it ended, its video, reward curves, timing and the limits that bit."""

from __future__ import annotations

import base64
from html import escape

import numpy as np

from sinew_eval.charts import number, reward_strips
from sinew_eval.recording import EpisodeRecord

# The sign goes with the colour, so that neither alone carries the meaning.
SIGNS = {
    "success": "✓",
    "timeout": "◷",
    "refused": "⊘",
    "error": "!",
    "failure": "✗",
    "interrupted": "‖",
    "discarded": "‖",
    "stopped": "■",
}
KINDS = {"success": "good", "interrupted": "quiet", "discarded": "quiet"}  # every other outcome is "bad"
INLINE_LIMIT = 1_000_000  # bytes; a larger video stays beside the report


def outcome_kind(outcome: str) -> str:
    """Return the class that colours an outcome."""
    return KINDS.get(outcome, "bad")


def outcome_badge(outcome: str) -> str:
    """Return an outcome with its sign."""
    sign = f'<i aria-hidden="true">{SIGNS.get(outcome, "·")}</i>'
    return f'<span class="badge {outcome_kind(outcome)}">{sign}{escape(outcome)}</span>'


def render_card(record: EpisodeRecord, *, opened: bool) -> str:
    """Return the card of an episode."""
    result = record.result
    head = (
        f'<summary><span class="index">{record.index}</span>{outcome_badge(result.outcome)}'
        f'<span class="instruction">{escape(result.instruction) or "<em>no instruction yet</em>"}</span>'
        f'<span class="steps">{result.steps} steps</span></summary>'
    )
    message = f'<p class="message">{escape(result.message)}</p>' if result.message else ""
    notes = "".join(f'<p class="note">{escape(note)}</p>' for note in record.notes)
    curves = reward_strips(record.curves) if record.curves is not None else ""
    return (
        f'<details class="card {outcome_kind(result.outcome)}" id="episode-{record.index}"'
        f'{" open" if opened else ""}>{head}<div class="body">'
        f'<div class="left">{_video(record)}{_picture(record)}{_facts(record)}</div>'
        f'<div class="right">{message}{notes}{curves}{_limits(record)}</div></div></details>\n'
    )


def _video(record: EpisodeRecord) -> str:
    if record.video is None or not record.video.is_file():
        return ""
    size = record.video.stat().st_size
    if size > INLINE_LIMIT:
        return f'<p class="note">The video is in {escape(record.video.name)}, beside this report.</p>'
    data = base64.b64encode(record.video.read_bytes()).decode("ascii")
    label = f'aria-label="video of episode {record.index}"'
    if record.video.suffix == ".gif":
        return f'<img class="video" src="data:image/gif;base64,{data}" alt="" {label}>'
    return (
        f'<video class="video" controls loop muted playsinline preload="metadata" {label} '
        f'src="data:video/mp4;base64,{data}"></video>'
    )


def _picture(record: EpisodeRecord) -> str:
    """Return what the affordance model looked at and answered."""
    if record.picture is None or not record.picture.is_file():
        return ""
    data = base64.b64encode(record.picture.read_bytes()).decode("ascii")
    label = f"what the affordance model looked at and answered in episode {record.index}"
    return f'<img class="video" src="data:image/jpeg;base64,{data}" alt="{label}">'


def _facts(record: EpisodeRecord) -> str:
    facts = [("seed", str(record.result.seed)), ("wall time", f"{record.wall:.1f} s")]
    if record.curves is not None:
        facts.insert(1, ("robot time", f"{record.curves.time[-1]:.1f} s"))
        facts.append(("return", number(record.reward_sum)))
    if record.step_ms.size:
        p50, p99 = np.percentile(record.step_ms, [50, 99])
        facts.append(("ms a step", f"{p50:.1f} <small>p50</small> · {p99:.1f} <small>p99</small>"))
    return '<dl class="facts">' + "".join(f"<dt>{k}</dt><dd>{v}</dd>" for k, v in facts) + "</dl>"


def _limits(record: EpisodeRecord) -> str:
    if not record.result.steps:
        return ""
    if not record.limits:
        return '<p class="limits-none">No safety limit had to change a command.</p>'
    chips = "".join(
        f"<li><b>{escape(name)}</b> {count} {'step' if count == 1 else 'steps'}</li>"
        for name, count in record.limits.items()
    )
    share = 100 * record.limited_steps / record.result.steps
    return (
        f'<div class="limits"><h4>Limits that bit, in {record.limited_steps} of {record.result.steps} steps '
        f"({share:.0f} %)</h4><ul>{chips}</ul></div>"
    )
