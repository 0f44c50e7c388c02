"""learned rewards: fit one to feedback, make its report card, lint it, relabel episodes, compare rewards"""

from __future__ import annotations

from collections.abc import Sequence

from sinew_core.cli import run_verb

from sinew_rewards.report import verbs


def main(argv: Sequence[str]) -> int:
    """Run `sinew reward VERB ...`: the verb's own exit code, or 2 for none or an unknown one."""
    return run_verb("reward", verbs, argv)
