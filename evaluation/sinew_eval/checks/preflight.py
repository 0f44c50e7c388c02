"""The pre-flight of a station alone: `sinew doctor --hardware NAME`."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict
from datetime import UTC, datetime

from rich.console import Console
from rich.markup import escape
from rich.table import Table
from sinew_core.hardware import Hardware, load_hardware
from sinew_core.preflight import Check
from sinew_hardware.preflight import look_at_devices

SIGNS = {"ok": "[green]ok[/]", "note": "[yellow]note[/]", "wrong": "[red]wrong[/]"}


def fly(name: str, *, as_json: bool) -> int:
    """Open a station, tell how each part is, and close it: 0 if it may move, 1 otherwise."""
    hardware = load_hardware(name)
    with Console(stderr=True).status(f"looking at {hardware.name} ..."):
        checks = look_at(hardware)
    ready = all(check.verdict != "wrong" for check in checks)
    if as_json:
        print(json.dumps({"ready": ready, "checks": [asdict(check) for check in checks]}))
    else:
        _show(checks, hardware.name, ready)
    return 0 if ready else 1


def look_at(hardware: Hardware) -> Sequence[Check]:
    """Return the pre-flight of a station of devices; a simulated one is fit to move."""
    if not hardware.config.real:
        return [Check("opening", "ok", "a simulated station: it has no devices that could fail")]
    return look_at_devices(hardware, datetime.now(UTC).date())


def _show(checks: Sequence[Check], name: str, ready: bool) -> None:
    console = Console(highlight=False)
    table = Table(box=None, pad_edge=False, header_style="bold")
    for title in ("what", "", "how it is"):
        table.add_column(title, overflow="fold")
    for check in checks:
        table.add_row(escape(check.name), SIGNS[check.verdict], escape(check.sentence))
    console.print(table)
    console.print(
        f"\n[green]{name} may move.[/]" if ready else f"\n[red]{name} may not move before that is mended.[/]"
    )
