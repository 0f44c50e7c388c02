"""The sections of a reward's report; one that has nothing to show is empty."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

import numpy as np
from sinew_data.console import listed
from sinew_eval.charts import number

from sinew_rewards.classifier.reliability_diagram import READING, reliability_diagram
from sinew_rewards.report.ablation import judged_by
from sinew_rewards.report.chain import Chain
from sinew_rewards.report.evidence import Evidence
from sinew_rewards.report.page_charts import bars, curves, endings, legend
from sinew_rewards.report.page_text import percent, shown, signed

WEAK = {"reward": 0, "learner": 1, "aim": 2}  # which link of the chain
MANY, LITTLE = 12, 0.003  # ablations that are shown, and the cost that is


def seen(evidence: Evidence) -> str:
    """Return how the reward sees the held-out episodes."""
    cases = [case for case in evidence.cases if np.isfinite(case.standing(evidence.by)).all()]
    if not cases:
        return ""
    what = {"progress": "progress", "value": "value", "return": "sum of values"}[evidence.by]
    return (
        f"<section><h2>How it sees the episodes</h2><div class='pair'><div>{curves(cases, evidence.by)}"
        f"{legend(cases)}<p class='caption'>Its {what} over each episode's time. Successes should rise to "
        f"their end, and failures stay below.</p></div><div>{endings(cases, evidence.by)}"
        f"<p class='caption'>Where each episode ends (mean of the last steps). {_against_many(evidence)}"
        "</p></div></div></section>"
    )


def _against_many(evidence: Evidence) -> str:
    f = evidence.figures
    if "success_first" not in f:
        return "There are not both successes and failures, so nobody can tell whether it tells them apart."
    return (
        f"The broken line is the best failure: {percent(f['success_first'])} % of the successes end beyond "
        "it. One well-paid failure is what an optimiser looks for."
    )


def calibrated(evidence: Evidence) -> str:
    """Return the reliability diagrams."""
    parts = []
    if evidence.preference_bins:
        words = "it is better" if evidence.asked == "truth" else "it was preferred"
        parts.append(
            f"<div>{reliability_diagram(evidence.preference_bins, 'says that it is better', words)}"
            "<p class='caption'>Preferences, each asked both ways. A reward that was bounded or normalised "
            "is off the diagonal by its scale alone; the error at the best scale says what is left of it."
            "</p></div>"
        )
    if evidence.success_bins:
        parts.append(
            f"<div>{reliability_diagram(evidence.success_bins, 'says success', 'succeeded')}"
            f"<p class='caption'>Success, as it is said at the end of each episode. {READING}</p></div>"
        )
    return _pair("What it says, and what is true", parts, " says")


def _pair(title: str, parts: Sequence[str], kind: str = "") -> str:
    if not parts:
        return ""
    return f"<section><h2>{title}</h2><div class='pair{kind}'>{''.join(parts)}</div></section>"


def trusted(evidence: Evidence) -> str:
    """Return how far episodes lie inside what it learned from, and whether it knows its errors."""
    f, parts = evidence.figures, []
    if "coverage" in f:
        worst = evidence.outside[:8]
        most = max([0.05, *(share for _, share in worst)])
        told = bars([(name, share, f"{percent(share)} %") for name, share in worst], most)
        inside = "<p class='caption'>Every feature stays inside the range that it had in training.</p>"
        parts.append(
            f"<div><p><b>{percent(f['coverage'])} %</b> of the steps lie inside the training range.</p>"
            + (f"<p class='caption'>Outside of it, by feature:</p>{told}" if worst else inside)
            + "</div>"
        )
    if "spread_error_correlation" in f:
        parts.append(
            f"<div><p>The ensemble's spread and the error go together at rank correlation "
            f"<b>{f['spread_error_correlation']:.2f}</b>.</p><p class='caption'>Errors are "
            f"{number(f['spread_z'])} of the standard deviations that the ensemble states: 1 would be "
            "honest, more is overconfident. Where the correlation is near 0, a pessimistic wrapper guards "
            "nothing.</p></div>"
        )
    return _pair("Does it know what it knows?", parts)


def ablated(evidence: Evidence) -> str:
    """Return what each feature or camera is worth."""
    items, by = evidence.ablations, (judged_by(evidence.figures) or "").replace("_", " ")
    if not items:
        return ""
    most = max([0.02, *(item.cost for item in items)])
    dear = [(item.what, item.cost, signed(item.cost, 3)) for item in items if item.cost >= LITTLE][:MANY]
    idle = sum(abs(item.cost) < LITTLE for item in items)
    better = [item.what.replace("_", " ") for item in items if item.cost <= -LITTLE]
    more = f" {idle} of {len(items)} cost nothing to speak of." if idle else ""
    more += f" It would be better without {listed(better)}." if better else ""
    return (
        f"<section><h2>What it looks at</h2><p class='caption'>What the {escape(by)} loses without "
        "each: a feature held at its training mean, a camera grey. Features that say the same stand "
        f"in for each other.{more}</p>{bars(dear, most)}</section>"
    )


def found(evidence: Evidence) -> str:
    """Return what the lint found."""
    items = "".join(
        f"<li><span class='badge {_colour(item.level)}'>{item.level}</span> {escape(item.sentence)}</li>"
        for item in evidence.findings
    )
    body = f"<ul class='lint'>{items}</ul>" if items else "<p class='caption'>Nothing looks odd.</p>"
    return f"<section><h2>Lint</h2>{body}</section>"


def _colour(level: str) -> str:
    return "quiet" if level == "note" else "bad"


def chained(evidence: Evidence) -> str:
    """Return the chain from accuracy over the learned return to success, of each training."""
    parts = "".join(_chain(chain) for chain in evidence.chains)
    return f"<section><h2>From the reward to success</h2>{parts}</section>" if parts else ""


def _chain(chain: Chain) -> str:
    accuracy = ", ".join(f"{n.replace('_', ' ')} {shown(n, v)}" for n, v in chain.accuracy.items())
    gain = signed(chain.return_gain, 1)
    links = (
        ("the reward is accurate", accuracy or "not measured"),
        (
            "its return is learned",
            f"{number(chain.return_first)} → {number(chain.return_last)}, {gain} standard deviations",
        ),
        (
            "success follows",
            f"{percent(chain.success_first)} → {percent(chain.success_last)} %; with the return at rank "
            f"correlation {chain.return_success:.2f}",
        ),
    )
    weak = WEAK.get(chain.weak)
    boxes = "<i>→</i>".join(
        f"<div class='link {'bad' if i == weak else 'good'}'><b>{name}</b><span>{escape(text)}</span></div>"
        for i, (name, text) in enumerate(links)
    )
    return (
        f"<div class='chain'>{boxes}</div><p class='caption'>{escape(chain.run)} (trained on "
        f"{escape(chain.reward)}). The weak link: {escape(chain.sentence)}</p>"
    )
