"""recorded episodes: list, check, repair, merge and drop them; show, replay and export them"""

from __future__ import annotations

from collections.abc import Sequence

from sinew_core.cli import run_verb

from sinew_data import verbs


def main(argv: Sequence[str]) -> int:
    """Run `sinew data VERB ...`: the verb's own exit code, or 2 for none or an unknown one."""
    return run_verb("data", verbs, argv)
