"""say what is and is not available on this machine, and how to mend it"""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from sinew_eval.checks.finding import Finding
from sinew_eval.checks.packages import check_extras, check_graphs, check_python
from sinew_eval.checks.preflight import fly
from sinew_eval.checks.probes import check_bullet, check_dds, check_rendering, check_video
from sinew_eval.checks.system import check_devices, check_hardware, check_libraries, check_machine
from sinew_eval.machine import describe_machine, package_versions

CHECKS: tuple[Callable[[], list[Finding]], ...] = (
    *(check_python, check_extras, check_graphs, check_dds),
    *(check_rendering, check_bullet, check_video, check_libraries),
    *(check_machine, check_hardware, check_devices),
)
SIGNS = {"ok": "[green]ok[/]", "missing": "[red]missing[/]", "note": "[dim]-[/]"}


def main(argv: Sequence[str]) -> int:
    """Run `sinew doctor`: 0 when everything that `make demo` needs is there, 1 otherwise."""
    parser = argparse.ArgumentParser(
        prog="sinew doctor",
        description="Say what is and is not available on this machine, and the command that mends it.",
        epilog="Exit code: 0 when everything that `make demo` needs is there (the station may move), else 1.",
    )
    parser.add_argument(
        "--hardware",
        metavar="NAME",
        help="instead, the pre-flight of a station: opens its arm and cameras, and moves nothing",
    )
    parser.add_argument("--json", action="store_true", help="end with one JSON object on stdout")
    arguments = parser.parse_args(argv)
    if arguments.hardware:
        return fly(arguments.hardware, as_json=arguments.json)
    findings = look(Console(stderr=True))
    ready = not any(finding.needed and finding.status == "missing" for finding in findings)
    if arguments.json:
        report = {
            "ready": ready,
            "checks": [asdict(finding) for finding in findings],
            "machine": describe_machine(),
            "versions": package_versions(),
        }
        print(json.dumps(report))
    else:
        show(findings, ready)
    return 0 if ready else 1


def look(console: Console) -> list[Finding]:
    """Run every check, the slow ones side by side."""
    with console.status("looking at this machine ..."), ThreadPoolExecutor(4) as pool:
        return [finding for findings in pool.map(lambda check: check(), CHECKS) for finding in findings]


def show(findings: Sequence[Finding], ready: bool) -> None:
    """Print the table, then how to mend what is missing."""
    console = Console(highlight=False)
    table = Table(box=None, pad_edge=False, header_style="bold")
    for title in ("", "what", "", "how it is"):
        table.add_column(title, overflow="fold")
    group = ""
    for finding in findings:
        if finding.group != group and group:
            table.add_row()
        shown = finding.group if finding.group != group else ""
        group = finding.group
        table.add_row(
            f"[bold]{shown}[/]", escape(finding.name), SIGNS[finding.status], escape(finding.detail)
        )
    console.print(table)
    _show_mending(console, findings)
    if ready:
        console.print("\n[green]Everything that `make demo` needs is here.[/]")
    else:
        console.print("\n[red]`make demo` will not run before the above is mended.[/]")


def _show_mending(console: Console, findings: Sequence[Finding]) -> None:
    missing = [finding for finding in findings if finding.status == "missing"]
    for needed, title in ((True, "To mend, needed by `make demo`:"), (False, "To mend, if you want it:")):
        chosen = [finding for finding in missing if finding.needed is needed]
        if chosen:
            console.print(f"\n[bold]{title}[/]")
        for finding in chosen:
            console.print(f"  {finding.name}:", markup=False)
            console.print(f"    {finding.mend}", markup=False, soft_wrap=True)
