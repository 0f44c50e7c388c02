"""what people say about episodes: ask them, list and merge their answers, export comparisons"""

from __future__ import annotations

from collections.abc import Sequence

from sinew_core.cli import run_verb

from sinew_rewards.asking import verbs


def main(argv: Sequence[str]) -> int:
    """Run `sinew feedback VERB ...`: the verb's own exit code, or 2 for none or an unknown one."""
    return run_verb("feedback", verbs, argv)
