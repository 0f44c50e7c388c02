"""The command line `sinew`: sub-commands come from the entry-point group `sinew.commands`.

Each entry is `main(argv) -> exit code`, with its own argparse. A mistake of the user exits with 2.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from importlib.metadata import EntryPoint, entry_points, version

from rich.console import Console

from sinew_core.errors import ConfigError, did_you_mean

GROUP = "sinew.commands"


def main(argv: Sequence[str] | None = None) -> int:
    """Run one sub-command and return its exit code."""
    arguments = list(sys.argv[1:] if argv is None else argv)
    commands = {entry.name: entry for entry in entry_points(group=GROUP)}
    if not arguments or arguments[0] in ("-h", "--help"):
        print(_usage(commands))
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


def _usage(commands: dict[str, EntryPoint]) -> str:
    lines = ["usage: sinew COMMAND [options]    (sinew COMMAND --help for its options)", ""]
    for name, entry in sorted(commands.items()):
        module = sys.modules.get(entry.module)
        if module is None:
            entry.load()
            module = sys.modules[entry.module]
        summary = (module.__doc__ or "").strip().splitlines()
        lines.append(f"  {name:<10} {summary[0] if summary else ''}")
    return "\n".join(lines)


if __name__ == "__main__":
    sys.exit(main())
