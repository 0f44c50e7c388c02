"""What the verbs of `sinew feedback` tell about a log beside its entries."""

from __future__ import annotations

from pathlib import Path

from rich.console import Console
from sinew_data.console import counted
from sinew_data.feedback.log import Contents


def errors() -> Console:
    """Return a console for what is not a result."""
    return Console(stderr=True, highlight=False, soft_wrap=True)


def tell_flaws(path: Path, contents: Contents) -> None:
    """Print which lines could not be used, and why."""
    console = errors()
    for flaw in contents.damaged:
        console.print(f"{path}:{flaw.line}: damaged: {flaw.reason}", style="red", markup=False)
    for flaw in contents.unknown:
        console.print(f"{path}:{flaw.line}: {flaw.reason}", style="yellow", markup=False)
    if contents.repeated:
        console.print(f"{path}: {counted(contents.repeated, 'line')} repeat another one.", markup=False)
