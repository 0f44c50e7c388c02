"""Many looks, one after the other, as entries of the feedback log."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from sinew_data.feedback.entries import make_entry
from sinew_data.feedback.types import Feedback
from sinew_perception.visual_prompting.faults import Fault

from sinew_rewards.judges.look import Look
from sinew_rewards.judges.verdict import Judge

LASTING = ("no key", "unreachable", "timeout", "http", "budget", "bad record")  # the next would fail alike


@dataclass(frozen=True, slots=True)
class Judged:
    """What came of it; `entries` are whole, whatever stopped the judging."""

    entries: tuple[Feedback, ...]
    dropped: Mapping[str, int]  # pairs that gave no entry, by the word that says why
    stopped: str = ""  # why the rest was not judged


def judge_all(
    judge: Judge,
    pairs: Sequence[tuple[Look, Look]],
    when: int,
    told: Callable[[], None] = lambda: None,
) -> Judged:
    """Judge pairs of looks, `when` in ns since 1970; `told` is called after each.

    What fails for one pair alone, such as an answer that cannot be used, drops that pair; what would fail
    for every further one ends the judging.
    """
    entries: dict[str, Feedback] = {}  # by id: what is said twice is one entry
    dropped: Counter[str] = Counter()
    for first, second in pairs:
        try:
            verdict = judge.judge(first, second)
        except Fault as fault:
            if fault.word in LASTING:
                return Judged((*entries.values(),), dict(dropped), str(fault))
            dropped[fault.word] += 1
        else:
            for said in verdict.said:
                entry = make_entry(said, verdict.who, when, "vlm")
                entries[entry.id] = entry
            if verdict.dropped:
                dropped[verdict.dropped] += 1
        told()
    return Judged((*entries.values(),), dict(dropped))
