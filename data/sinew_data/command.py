"""list, check, repair, merge and drop recorded episodes; show, replay and export them"""

from __future__ import annotations

from collections.abc import Sequence
from importlib import import_module
from pkgutil import iter_modules
from typing import Any

from sinew_core.errors import ConfigError, did_you_mean

from sinew_data import verbs


def main(argv: Sequence[str]) -> int:
    """Run `sinew data VERB ...`: the verb's own exit code, or 2 for an unknown one."""
    names = sorted(module.name for module in iter_modules(verbs.__path__))
    if not argv or argv[0] in ("-h", "--help"):
        print("usage: sinew data VERB [options]    (sinew data VERB --help for its options)\n")
        for name in names:
            print(f"  {name:<12} {(_module(name).__doc__ or '').splitlines()[0]}")
        return 0 if argv else 2
    name, *rest = argv
    if name not in names:
        raise ConfigError(f"unknown verb '{name}'.{did_you_mean(name, names)}")
    return int(_module(name).main(rest))


def _module(name: str) -> Any:
    return import_module(f"{verbs.__name__}.{name}")
