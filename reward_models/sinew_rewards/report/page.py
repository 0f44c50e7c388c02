"""A reward's report as one self-contained page: the verdict, what it rests on, and what went wrong."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

from sinew_eval.charts import DASH
from sinew_eval.page import Sheet, render_page
from sinew_eval.statistics import wilson_interval

from sinew_rewards.report.card import Gate, RewardCard
from sinew_rewards.report.episodes import EpisodeSet
from sinew_rewards.report.evidence import Evidence
from sinew_rewards.report.gates import FIGURES
from sinew_rewards.report.making import Model
from sinew_rewards.report.page_mistakes import PictureOf, mistaken
from sinew_rewards.report.page_parts import (
    ablated,
    calibrated,
    chained,
    found,
    seen,
    trusted,
)
from sinew_rewards.report.page_text import percent, shown

SHEET: Sheet = ("sinew_rewards.report", "report.css")
BIG = (
    ("comparison_accuracy", "comparisons predicted"),
    ("rank_correlation", "rank correlation with progress"),
    ("pair_accuracy", "successes above failures"),
    ("success_first", "successes above every failure"),
)
SMALL = (
    ("return_correlation", "correlation with true return"),
    ("starc_distance", "STARC distance"),
    ("preference_calibration_error", "calibration of preferences"),
    ("success_calibration_error", "calibration of success"),
    ("coverage", "inside the training range"),
    ("spread_error_correlation", "correlation of spread and error"),
    ("latency_ms", "latency"),
)


def render_page_of(
    model: Model, episodes: EpisodeSet, evidence: Evidence, card: RewardCard, picture_of: PictureOf
) -> str:
    """Return the page; `picture_of` gives a moment's picture, or None."""
    body = (
        f"<header><p class='kicker'>Sinew reward report card</p><h1>{escape(model.name)}</h1>"
        f"<p class='lead'>{_lead(model, episodes, evidence)}</p></header>{_banner(model, card)}<main>"
        f"{_result(card)}{chained(evidence)}{seen(evidence)}{calibrated(evidence)}"
        f"{trusted(evidence)}{ablated(evidence)}{mistaken(evidence, picture_of)}{found(evidence)}"
        f"{_gates(card)}{_made(model, episodes, evidence)}</main>{_footer(card)}"
    )
    return render_page(f"{model.name} · report card", body, SHEET)


def _lead(model: Model, episodes: EpisodeSet, evidence: Evidence) -> str:
    f = evidence.figures
    outcomes = f"{f.get('successes', 0):.0f} successes, {f.get('failures', 0):.0f} failures"
    known = "that it never learned from" if model.facts is not None else "recorded before"
    return (
        f"Does it pay for <b>{escape(episodes.task or 'the task')}</b> on the {escape(episodes.robot)}? "
        f"<span class='quiet'>Measured on {len(evidence.cases)} episodes {known}: {outcomes}.</span>"
    )


def _banner(model: Model, card: RewardCard) -> str:
    failures = card.failures()
    items = "".join(f"<li>{escape(sentence)}</li>" for sentence in failures)
    if model.facts is None:
        verdict = "it would pass." if not failures else "it would fail:"
        listed = f"<ul>{items}</ul>" if failures else ""
        return (
            "<div class='banner' role='status'>It was not learned, so that nobody asks for its card; "
            f"{verdict}{listed}</div>"
        )
    if not failures:
        return "<p class='banner good' role='status'>✓ It passes, and may train and end episodes.</p>"
    return (
        "<div class='banner bad' role='status'>✗ It fails, and may neither train nor end episodes unless "
        f"forced:<ul>{items}</ul></div>"
    )


def _result(card: RewardCard) -> str:
    big = "".join(_big(name, caption, card) for name, caption in BIG)
    small = "".join(_small(name, caption, card) for name, caption in SMALL if name in card.figures)
    return (
        f"<section class='rates'><h2 class='hidden'>Figures</h2>{big}<ul class='tiles'>{small}</ul></section>"
    )


def _small(name: str, caption: str, card: RewardCard) -> str:
    return (
        f"<li class='{_verdict(name, card)}'><span>{caption}</span><b>{shown(name, card.figures[name])}</b>"
        f"<span>{escape(_note(name, card))}</span></li>"
    )


def _verdict(name: str, card: RewardCard) -> str:
    """Return `bad` where a figure misses its gate."""
    gate, value = _gate_of(name, card), card.figures.get(name)
    return "bad" if gate is not None and (value is None or not _passes(gate, value)) else ""


def _big(name: str, caption: str, card: RewardCard) -> str:
    value = card.figures.get(name)
    text = DASH if value is None else shown(name, value)
    return (
        f"<div class='rate {_verdict(name, card)}'><p class='caption'>{caption}</p>"
        f"<p class='figure'>{text}</p><p class='caption'>{escape(_note(name, card))}</p></div>"
    )


def _note(name: str, card: RewardCard) -> str:
    """Return what a figure is held against, and how many cases it rests on."""
    gate, f = _gate_of(name, card), card.figures
    parts = []
    if name == "comparison_accuracy" and "comparisons" in f:
        parts.append(_interval(f[name], round(f["comparisons"])))
    if name == "rank_correlation" and "rank_correlation_worst" in f:
        parts.append(f"worst episode {f['rank_correlation_worst']:.2f}")
    if name == "preference_calibration_error" and f"{name}_scaled" in f:
        parts.append(f"{f[f'{name}_scaled']:.3f} at the best scale")
    if name == "latency_ms" and "latency_95_ms" in f:
        parts.append(f"95 % within {f['latency_95_ms']:.2g} ms")
    if name == "starc_distance":
        parts.append(f"to {card.details.get('reference', 'the reference')}; 0 is alike")
    if gate is not None:
        parts.append(_asked(name, gate))
    return ", ".join(parts)


def _interval(share: float, of: int) -> str:
    low, high = wilson_interval(round(share * of), of)
    return f"of {of}; 95 % interval {percent(low)} to {percent(high)} %"


def _gate_of(name: str, card: RewardCard) -> Gate | None:
    return next((gate for gate in card.gates if gate.figure == name), None)


def _passes(gate: Gate, value: float) -> bool:
    return (gate.least is None or value >= gate.least) and (gate.most is None or value <= gate.most)


def _asked(name: str, gate: Gate) -> str:
    low = [] if gate.least is None else [f"at least {shown(name, gate.least)}"]
    return " and ".join([*low, *([] if gate.most is None else [f"at most {shown(name, gate.most)}"])])


def _gates(card: RewardCard) -> str:
    rows = "".join(_gate_row(gate, card) for gate in card.gates)
    return (
        "<section><h2>What was asked of it</h2><table class='gates'><thead><tr><th scope='col'>figure</th>"
        "<th scope='col'>is</th><th scope='col'>asked</th><th scope='col'></th></tr></thead>"
        f"<tbody>{rows}</tbody></table></section>"
    )


def _gate_row(gate: Gate, card: RewardCard) -> str:
    value = card.figures.get(gate.figure)
    kind, mark = ("good", "✓") if value is not None and _passes(gate, value) else ("bad", "✗")
    text = "unknown" if value is None else shown(gate.figure, value)
    name = escape(FIGURES.get(gate.figure, gate.figure))
    return (
        f"<tr class='{kind}'><th scope='row'>{name}</th><td>{text}</td>"
        f"<td>{_asked(gate.figure, gate)}</td><td>{mark}</td></tr>"
    )


def _made(model: Model, episodes: EpisodeSet, evidence: Evidence) -> str:
    asked = {"feedback": "the feedback log", "truth": "the true reward", "nobody": "nobody"}
    told = {
        "robot": episodes.robot,
        "task": episodes.task,
        "episodes": f"{episodes.source.name}, {len(evidence.cases)} held out",
        "comparisons by": asked[evidence.asked],
        "progress is its": {"return": "sum of values"}.get(evidence.by, evidence.by),
        "left out": f"{episodes.unknown_rows} steps" if episodes.unknown_rows else "",
        "unusable": f"{len(episodes.problems)} episodes" if episodes.problems else "",
        **_learned(model),
    }
    items = "".join(
        f"<div><dt>{key}</dt><dd>{escape(str(value))}</dd></div>" for key, value in told.items() if value
    )
    return f"<section class='configuration'><h2>The reward</h2><dl>{items}</dl></section>"


def _learned(model: Model) -> dict[str, str]:
    if model.facts is None:
        return {}
    made = model.facts.provenance
    return {
        "learned by": str(made.get("learner", "")).partition(":")[2],
        "feedback": f"{made.get('feedback', {}).get('entries', 0)} entries",
        "learned from": f"{len(made.get('episodes', {}).get('train', ()))} episodes",
        "looks at": f"{len(model.facts.feature_names)} features ({model.facts.feature_tag.split()[0]})",
        "weights": model.facts.weights_sha256[:16],
    }


def _footer(card: RewardCard) -> str:
    machine = card.provenance.get("machine", {})
    versions = ", ".join(f"{name} {v}" for name, v in card.provenance.get("versions", {}).items())
    where = f"Measured on {machine['cpu']}, {machine['cores']} cores." if machine else ""
    lines: Sequence[str] = (
        f"<code>{escape(str(card.provenance.get('command', '')))}</code>",
        escape(where),
        escape(versions),
    )
    return "<footer>" + "".join(f"<p>{line}</p>" for line in lines if line) + "</footer>"
