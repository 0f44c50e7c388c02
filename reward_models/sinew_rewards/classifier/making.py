"""What the verbs share: a card made, written and told; how a command is put into provenance."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from pathlib import Path

from rich.console import Console
from sinew_core.files import write_whole
from sinew_eval.machine import describe_machine, installed_version, package_versions

from sinew_rewards.classifier.card import Card, Criteria, card_path, save_card
from sinew_rewards.classifier.card_page import render_card_page
from sinew_rewards.classifier.labels import Labelled
from sinew_rewards.classifier.measuring import make_card, picture_of
from sinew_rewards.classifier.scorer import Scorer


def page_path(weights: Path) -> Path:
    """Return the card's page beside a weights file."""
    return weights.with_suffix(".card.html")


def publish_card(
    weights: Path,
    scorer: Scorer,
    held_out: Sequence[Labelled],
    criteria: Criteria,
    threshold: float,
    command: str,
) -> Card:
    """Measure, and write the card as JSON and as a page."""
    provenance = {"command": command, "machine": describe_machine(), "versions": versions()}
    card = make_card(scorer, held_out, criteria, threshold, provenance)
    save_card(card_path(weights), card)
    page = render_card_page(weights.stem, scorer.facts, card, lambda m: picture_of(held_out, m))
    write_whole(page_path(weights), page.encode())
    return card


def tell(weights: Path, card: Card, console: Console) -> None:
    """Print a card in a few lines."""
    f = card.figures
    lines = [
        f"precision {_rate(f.precision.share)} ({f.precision.count} of {f.precision.of}), "
        f"recall {_rate(f.recall.share)} ({f.recall.count} of {f.recall.of}), "
        f"threshold {card.threshold:.3g}",
        f"calibration error {f.calibration_error:.3f}, latency {f.latency_ms:.1f} ms, "
        f"false alarms in {f.alarmed.count} of {f.alarmed.of} episodes without success",
        f"held out: {f.episodes} episodes, {f.frames} frames; {page_path(weights)}",
    ]
    for line in lines:
        console.print(line, markup=False)
    if card.passed:
        console.print("it passes, and may end episodes", style="green")
    else:
        console.print(
            f"it FAILS, and may not end episodes: {'; '.join(card.failures())}", style="red", markup=False
        )


def _rate(share: float | None) -> str:
    return "unknown" if share is None else f"{share:.3f}"


def command_of(verb: str, argv: Sequence[str], paths: Sequence[Path]) -> str:
    """Return a command line with its paths reduced to their names."""
    names = {str(path): path.name for path in paths}
    kept = [names.get(argument, argument) for argument in argv if argument not in ("--resume", "--force")]
    return shlex.join(["sinew", "classifier", verb, *kept])


def versions() -> dict[str, str]:
    """Return the versions of what matters here."""
    wanted = ("python", "sinew", "numpy", "mujoco")
    found = {name: version for name, version in package_versions().items() if name in wanted}
    torch = installed_version("torch")
    return found if torch is None else {**found, "torch": torch}
