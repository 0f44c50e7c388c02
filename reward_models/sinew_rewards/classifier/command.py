"""the success classifier: collect episodes, train it, make its report card, show what it is"""

from __future__ import annotations

from collections.abc import Sequence

from sinew_core.cli import run_verb

from sinew_rewards.classifier import verbs


def main(argv: Sequence[str]) -> int:
    """Run `sinew classifier VERB ...`: the verb's own exit code, or 2 for none or an unknown one."""
    return run_verb("classifier", verbs, argv)
