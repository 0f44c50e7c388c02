"""card.html: a report card as one self-contained page, with the pictures that the classifier got wrong."""

from __future__ import annotations

import base64
import io
from collections.abc import Callable, Mapping, Sequence
from html import escape
from typing import Any

import numpy as np
from PIL import Image
from sinew_core.types import ImageArray
from sinew_eval.charts import DASH, interval_bar
from sinew_eval.page import render_page

from sinew_rewards.classifier.card import Card, Mistake, Rate
from sinew_rewards.classifier.reliability_diagram import READING, reliability_diagram
from sinew_rewards.classifier.scorer import ClassifierFacts

PictureOf = Callable[[Mistake], ImageArray | None]  # (cameras, size, size, 3)
GAP = 3  # px, between the cameras
LEAST_EDGE = 128  # px, to which small pictures are enlarged


def render_card_page(name: str, facts: ClassifierFacts, card: Card, picture_of: PictureOf) -> str:
    """Return the page of a card; `picture_of` gives a mistake's pictures, or None."""
    body = (
        f"<header><p class='kicker'>Sinew success classifier</p><h1>{escape(name)}</h1>"
        f"<p class='lead'>{_lead(facts, card)}</p></header>{_banner(card)}<main>{_result(card)}"
        f"{_judgement(card)}{_pictures(facts, card, picture_of)}{_made(facts, card)}</main>{_footer(card)}"
    )
    return render_page(f"{name} · report card", body, SHEET)


SHEET = ("sinew_rewards.classifier", "card.css")


def _lead(facts: ClassifierFacts, card: Card) -> str:
    cameras = " and ".join(facts.spec.cameras)
    f = card.figures
    return (
        f"Is <b>{escape(facts.task or 'the task')}</b> done? Judged from {escape(cameras)} of the "
        f"{escape(facts.robot)}. <span class='quiet'>{f.frames} frames of {f.episodes} episodes that "
        "training never saw.</span>"
    )


def _banner(card: Card) -> str:
    failures = card.failures()
    if not failures:
        return "<p class='banner good' role='status'>✓ It passes, and may end episodes.</p>"
    items = "".join(f"<li>{escape(sentence)}</li>" for sentence in failures)
    return (
        "<div class='banner bad' role='status'>✗ It fails, and may not end episodes unless forced:"
        f"<ul>{items}</ul></div>"
    )


def _result(card: Card) -> str:
    f, c = card.figures, card.criteria
    return (
        "<section class='rates'><h2 class='hidden'>Figures</h2>"
        + _rate("precision", f.precision, "frames called a success are one", c.precision)
        + _rate("recall", f.recall, "frames of success are called one", c.recall)
        + f"<ul class='tiles'>{_tiles(card)}</ul></section>"
    )


def _rate(name: str, rate: Rate, what: str, least: float) -> str:
    shown = DASH if rate.share is None else f"{_percent(rate.share)}<small> %</small>"
    low, high = (_percent(bound) for bound in rate.wilson_95)
    bad = " bad" if rate.share is None or rate.share < least else ""
    return (
        f"<div class='rate{bad}'><p class='caption'>{name}</p><p class='figure'>{shown}</p></div>"
        f"<div class='uncertainty'>{interval_bar(rate.share, rate.wilson_95)}<p class='caption'>"
        f"{rate.count} of {rate.of} {what}; Wilson 95 % interval {low} to {high} %; at least "
        f"{100 * least:g} % is asked for</p></div>"
    )


def _tiles(card: Card) -> str:
    f, c = card.figures, card.criteria
    tiles = [
        ("calibration error", f"{f.calibration_error:.3f}", f"at most {c.calibration_error:g}"),
        (
            "latency",
            f"{f.latency_ms:.1f} ms",
            f"95 % within {f.latency_95_ms:.1f}, at most {c.latency_ms:g} ms",
        ),
        ("false alarms", _of(f.alarmed), f"episodes without success; {_interval(f.alarmed)}"),
        ("success found", _of(f.found), f"episodes with success; {_interval(f.found)}"),
    ]
    return "".join(
        f"<li><span>{name}</span><b>{value}</b><span>{note}</span></li>" for name, value, note in tiles
    )


def _of(rate: Rate) -> str:
    return f"{rate.count} of {rate.of}"


def _interval(rate: Rate) -> str:
    low, high = (_percent(bound) for bound in rate.wilson_95)
    return f"{low} to {high} %" if rate.of else "none held out"


def _percent(share: float) -> str:
    """Return a share in %; what is rounded to nothing is nothing, or said to be little."""
    value = 100 * share
    if 0.0 < value < 0.05:
        return f"{value:.2f}" if value >= 0.005 else "below 0.01"
    digits = 1 if value < 99.95 or value == 100.0 else 2
    return f"{value:.{digits}f}".removesuffix(".0")


def _judgement(card: Card) -> str:
    return (
        "<section class='judgement'><div><h2>Frames at the threshold "
        f"{card.threshold:.3g}</h2>{_confusion(card)}</div>"
        f"<div><h2>What it says, and what is true</h2>{reliability_diagram(card.reliability, 'said', 'true')}"
        f"<p class='caption'>{READING}</p></div></section>"
    )


def _confusion(card: Card) -> str:
    x = card.figures.confusion
    rows = (
        ("success", (x.true_positive, "good"), (x.false_negative, "bad")),
        ("no success", (x.false_positive, "bad"), (x.true_negative, "good")),
    )
    body = "".join(
        f"<tr><th scope='row'>{name}</th>"
        + "".join(f"<td class='{kind if count else 'none'}'>{count}</td>" for count, kind in cells)
        + "</tr>"
        for name, *cells in rows
    )
    share = card.figures.false_positives
    told = (
        ""
        if share.share is None
        else (
            f"{100 * share.share:.2f} % of the frames without success are called one "
            f"({_interval(share)}). At ten frames a second, one in 200 would be a false success in 39 % of "
            "all episodes of 10 s."
        )
    )
    return (
        "<table class='confusion'><thead><tr><td></td><th scope='col'>called success</th>"
        f"<th scope='col'>called none</th></tr></thead><tbody>{body}</tbody></table>"
        f"<p class='caption'>{told} Frames of one episode resemble each other, so that the intervals over "
        "frames are narrower than those over episodes.</p>"
    )


def _pictures(facts: ClassifierFacts, card: Card, picture_of: PictureOf) -> str:
    wrong = (
        _sheet("The worst false positives", "called a success, and none", card.false_positives, picture_of)
        if card.false_positives
        else _sheet(
            "No false positives; the nearest to one",
            "no success, and of these frames the classifier is the least sure",
            card.near_positives,
            picture_of,
        )
    )
    missed = (
        _sheet("The worst misses", "a success that was not called one", card.false_negatives, picture_of)
        if card.false_negatives
        else ""
    )
    order = " | ".join(facts.spec.cameras)
    note = f"<p class='caption'>Each as the network sees it: {escape(order)}.</p>"
    return f"<section class='pictures'>{wrong}{missed}{note if wrong or missed else ''}</section>"


def _sheet(title: str, what: str, mistakes: Sequence[Mistake], picture_of: PictureOf) -> str:
    figures = "".join(_figure(mistake, picture_of(mistake)) for mistake in mistakes)
    if not figures:
        return ""
    return f"<h2>{title}</h2><p class='caption'>{what}</p><div class='sheet'>{figures}</div>"


def _figure(mistake: Mistake, pictures: ImageArray | None) -> str:
    caption = (
        f"<figcaption><b>{_percent(mistake.probability)} %</b> {escape(mistake.episode)}, "
        f"step {mistake.step}</figcaption>"
    )
    if pictures is None:
        return f"<figure><p class='caption'>its frames are not at hand</p>{caption}</figure>"
    described = escape(f"{mistake.episode}, step {mistake.step}", quote=True)
    data = base64.b64encode(_png(pictures)).decode("ascii")
    return f"<figure><img src='data:image/png;base64,{data}' alt='{described}'>{caption}</figure>"


def _png(pictures: ImageArray) -> bytes:
    """Return the pictures of all cameras beside each other."""
    gap = np.full((pictures.shape[1], GAP, 3), 255, np.uint8)
    parts = [part for picture in pictures for part in (gap, picture)][1:]
    image = Image.fromarray(np.ascontiguousarray(np.concatenate(parts, axis=1)))
    factor = -(-LEAST_EDGE // pictures.shape[1])
    if factor > 1:
        image = image.resize((image.width * factor, image.height * factor), Image.Resampling.NEAREST)
    out = io.BytesIO()
    image.save(out, "PNG")
    return out.getvalue()


def _made(facts: ClassifierFacts, card: Card) -> str:
    data: Mapping[str, Any] = facts.provenance.get("data", {})
    sizes = {part: len(names) for part, names in facts.split.items()}
    shown = {
        "robot": facts.robot,
        "task": facts.task,
        "cameras": ", ".join(f"{v.name} {v.width}x{v.height}" for v in facts.spec.views),
        "seen at": f"{facts.spec.size}x{facts.spec.size} px",
        "episodes": ", ".join(f"{count} {part.replace('_', ' ')}" for part, count in sizes.items()),
        "labels": data.get("labels", ""),
        "temperature": f"{facts.calibration.temperature:.3g}, shift {facts.calibration.shift:.3g}",
        "weights": facts.weights_sha256[:16],
    }
    items = "".join(
        f"<div><dt>{key}</dt><dd>{escape(str(value))}</dd></div>" for key, value in shown.items() if value
    )
    return f"<section class='configuration'><h2>The classifier</h2><dl>{items}</dl></section>"


def _footer(card: Card) -> str:
    machine = card.provenance.get("machine", {})
    versions = ", ".join(f"{name} {v}" for name, v in card.provenance.get("versions", {}).items())
    where = f"Measured on {machine['cpu']}, {machine['cores']} cores." if machine else ""
    command = card.provenance.get("command", "")
    lines = (f"<code>{escape(command)}</code>", escape(where), escape(versions))
    return "<footer>" + "".join(f"<p>{line}</p>" for line in lines) + "</footer>"
