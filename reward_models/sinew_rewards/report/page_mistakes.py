"""The worst errors of a reward on its page: as pictures where there are some, else as features."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from html import escape

from sinew_core.types import NANOSECONDS, ImageArray
from sinew_eval.charts import number

from sinew_rewards.report.evidence import Evidence
from sinew_rewards.report.mistakes import Mistake, Moment
from sinew_rewards.report.moment_pictures import as_data
from sinew_rewards.report.page_text import signed
from sinew_rewards.report.standing import Case

PictureOf = Callable[[Moment], ImageArray | None]  # (h, w, 3)
TITLES = {
    "comparison": "Comparisons that it is sure of, and wrong",
    "failure": "Failures that end as high as a success",
    "step": "Steps that stand at the wrong place",
}


def mistaken(evidence: Evidence, picture_of: PictureOf) -> str:
    """Return the section, empty where there is no error to show."""
    cases = {case.trajectory.name: case for case in evidence.cases}
    parts = []
    for kind, title in TITLES.items():
        found_ones = [item for item in evidence.mistakes if item.kind == kind]
        figures = "".join(_mistake(item, cases, picture_of) for item in found_ones)
        if figures:
            parts.append(f"<h3>{title}</h3><div class='sheet'>{figures}</div>")
    if not parts:
        return ""
    return f"<section class='pictures'><h2>The worst errors</h2>{''.join(parts)}</section>"


def _mistake(item: Mistake, cases: Mapping[str, Case], picture_of: PictureOf) -> str:
    moments = "".join(_moment(moment, cases[moment.episode], picture_of) for moment in item.moments)
    return (
        f"<figure class='n{len(item.moments)}'><div class='moments'>{moments}</div>"
        f"<figcaption>{escape(item.sentence)}</figcaption></figure>"
    )


def _moment(moment: Moment, case: Case, picture_of: PictureOf) -> str:
    seconds = (moment.stamp - int(case.trajectory.stamps[0])) / NANOSECONDS
    role = f"<b>{escape(moment.role)}:</b> " if moment.role else ""
    name = f"{escape(moment.episode)}, {seconds:.1f} s"
    picture = picture_of(moment)
    if picture is not None:
        shown = f"<img src='{as_data(picture)}' alt='{name}'>"
        return f"<div>{shown}<p class='caption'>{role}{name}</p></div>"
    rows = "".join(_feature(*feature) for feature in moment.features)
    return f"<div><table class='features'><caption>{role}{name}</caption>{rows}</table></div>"


def _feature(name: str, value: float, z: float) -> str:
    words = escape(name.replace("_", " "))
    return f"<tr><th scope='row'>{words}</th><td>{number(value)}</td><td>{signed(z, 1)} sd</td></tr>"
