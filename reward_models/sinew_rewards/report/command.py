"""learned rewards: fit one to feedback, make its report card, lint it, relabel episodes, compare rewards"""

from __future__ import annotations

from collections.abc import Sequence
from importlib.metadata import EntryPoint
from pkgutil import iter_modules

from sinew_core.cli import summaries
from sinew_core.errors import ConfigError, did_you_mean

from sinew_rewards.report import verbs


def main(argv: Sequence[str]) -> int:
    """Run `sinew reward VERB ...`: the verb's own exit code, or 2 for an unknown one."""
    entries = _verbs()
    if not argv or argv[0] in ("-h", "--help"):
        print("usage: sinew reward VERB [options]    (sinew reward VERB --help for its options)\n")
        print(summaries(entries))
        return 0 if argv else 2
    name, *rest = argv
    if name not in entries:
        raise ConfigError(f"unknown verb '{name}'.{did_you_mean(name, entries)}")
    return int(entries[name].load()(rest))


def _verbs() -> dict[str, EntryPoint]:
    """Return each module of the package `verbs`."""
    names = (module.name for module in iter_modules(verbs.__path__))
    return {name: EntryPoint(name, f"{verbs.__name__}.{name}:main", "sinew.reward") for name in names}
