"""How a bench hands over its figures: one JSON object, on the last line and, if asked, in a file."""

from __future__ import annotations

import argparse
import json
import shlex
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from sinew_eval.machine import describe_machine, package_versions
from sinew_eval.results import write_atomically


def add_result_options(parser: argparse.ArgumentParser) -> None:
    """Add the options that every bench takes: `--json` and `--out FILE`."""
    parser.add_argument("--json", action="store_true", help="print nothing but the JSON object on stdout")
    parser.add_argument("--out", type=Path, metavar="FILE", help="write the JSON object there, too")


def write_result(
    name: str,
    payload: Mapping[str, Any],
    out: Path | None = None,
    argv: list[str] | None = None,
    *,
    verb: Sequence[str] | None = None,
) -> dict[str, Any]:
    """Print the result of bench `name` as the last line and return it; with `out`, write it there.

    `verb` is what of the command came before `argv`, where that is not `sinew bench NAME`.

    The payload's keys come first; the command, the machine and the versions of the main packages are
    added. There is no date in it, so that the same figures give the same file.
    """
    arguments = sys.argv[3:] if argv is None else argv
    result = {
        "bench": name,
        **payload,
        "command": shlex.join([*(verb or ("sinew", "bench", name)), *arguments]),
        "machine": describe_machine(),
        "versions": package_versions(),
    }
    if out is not None:
        out.parent.mkdir(parents=True, exist_ok=True)
        write_atomically(out, json.dumps(result, indent=2) + "\n")
    print(json.dumps(result), flush=True)
    return result
