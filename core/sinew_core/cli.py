"""The command line `sinew`: sub-commands come from the entry-point group `sinew.commands`.

Each entry is `main(argv) -> exit code`, with its own argparse. A mistake of the user exits with 2.
"""

from __future__ import annotations

import ast
import importlib.util
import sys
from collections.abc import Mapping, Sequence
from importlib.metadata import EntryPoint, entry_points, version
from pathlib import Path
from pkgutil import iter_modules
from types import ModuleType

from rich.console import Console

from sinew_core.errors import ConfigError, did_you_mean

GROUP = "sinew.commands"


def main(argv: Sequence[str] | None = None) -> int:
    """Run one sub-command and return its exit code."""
    arguments = list(sys.argv[1:] if argv is None else argv)
    commands = {entry.name: entry for entry in entry_points(group=GROUP)}
    if not arguments or arguments[0] in ("-h", "--help"):
        print("usage: sinew COMMAND [options]    (sinew COMMAND --help for its options)\n")
        print(summaries(commands))
        return 0
    if arguments[0] == "--version":
        print(f"sinew {version('sinew')}")
        return 0
    console = Console(stderr=True, highlight=False, soft_wrap=True)
    name = arguments[0]
    if name not in commands:
        console.print(f"sinew: unknown command '{name}'.{did_you_mean(name, commands)}", markup=False)
        return 2
    try:
        return int(commands[name].load()(arguments[1:]))
    except ConfigError as error:
        console.print(f"sinew {name}: {error}", markup=False)
        return 2
    except KeyboardInterrupt:
        console.print(f"sinew {name}: interrupted.", markup=False)
        return 130


def run_verb(command: str, verbs: ModuleType, argv: Sequence[str]) -> int:
    """Run `sinew COMMAND VERB ...`; a verb is a module of the package `verbs` with a `main(argv)`.

    Returns the verb's own exit code, or 2 where none is given; ConfigError for an unknown one.
    """
    entries = {
        module.name: EntryPoint(module.name, f"{verbs.__name__}.{module.name}:main", f"sinew.{command}")
        for module in iter_modules(verbs.__path__)
    }
    return run_entry(command, entries, argv, kind="verb", word="VERB")


def run_entry(
    command: str,
    entries: Mapping[str, EntryPoint],
    argv: Sequence[str],
    *,
    kind: str,
    word: str,
    note: str = "",
) -> int:
    """Run the entry that argv names first, or tell after a note which there are.

    An entry is a `kind`, and `word` stands for one in the usage. Returns and raises as `run_verb`.
    """
    if not argv or argv[0] in ("-h", "--help"):
        call = f"sinew {command} {word}"
        print(f"usage: {call} [options]    ({call} --help for its options)\n")
        if note:
            print(f"{note}\n")
        print(summaries(entries))
        return 0 if argv else 2
    name, *rest = argv
    if name not in entries:
        raise ConfigError(f"unknown {kind} '{name}'.{did_you_mean(name, entries)}")
    return int(entries[name].load()(rest))


def summaries(entries: Mapping[str, EntryPoint]) -> str:
    """Return a line for each entry: its name and the first line of its module's docstring."""
    return "\n".join(f"  {name:<12} {_summary(entry)}" for name, entry in sorted(entries.items()))


def _summary(entry: EntryPoint) -> str:
    """Read the docstring without importing the module: that may be heavy."""
    try:
        spec = importlib.util.find_spec(entry.module)
    except ModuleNotFoundError:
        spec = None
    if spec is None or spec.origin is None:
        return "(not installed)"
    text = ast.get_docstring(ast.parse(Path(spec.origin).read_text(encoding="utf-8"))) or ""
    return text.splitlines()[0] if text else ""


if __name__ == "__main__":
    sys.exit(main())
