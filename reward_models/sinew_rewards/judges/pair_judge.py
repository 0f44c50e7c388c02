"""Which of two pictures is nearer to the goal, by a vision-language model in two stages.

RL-VLM-F (Wang et al. 2024): the model first writes down what the pictures show, then, from these words
alone, which is better; what it cannot tell is dropped, and pictures that hardly differ are never sent.
"""

from __future__ import annotations

from dataclasses import dataclass

from sinew_data.feedback.types import Comparison
from sinew_perception.visual_prompting.provider import Provider

from sinew_rewards.judges.answers import Answered, ask, read_better, read_descriptions
from sinew_rewards.judges.look import Look, difference
from sinew_rewards.judges.verdict import Verdict
from sinew_rewards.judges.wording import compare_question, decide_question

NEITHER = -1


@dataclass(frozen=True, slots=True)
class PairConfig:
    """What is asked, and when it counts."""

    goal: str  # a sentence
    alike: float = 0.005  # difference of pictures, 0 to 1, below which they are not sent
    both_ways: bool = False  # also ask with the pictures exchanged, and count only what comes out the same
    flip: bool = False  # turn every answer round: for a goal that names what must not be

    def __post_init__(self) -> None:
        """Check that there is a goal."""
        check_goal(self.goal, self.alike)


class PairJudge:
    """Asks two questions a pair, four if both ways round."""

    def __init__(self, config: PairConfig, provider: Provider) -> None:
        self._config, self._provider = config, provider

    def judge(self, first: Look, second: Look) -> Verdict:
        """Return a comparison, or why there is none; raises Fault."""
        if difference(first.picture, second.picture) < self._config.alike:
            return Verdict(dropped="alike")
        self._provider.begin()
        answer = self._better(first, second)
        if answer.value == NEITHER:
            return Verdict(who=answer.model, dropped="undecided")
        if self._config.both_ways and self._better(second, first).value != 1 - answer.value:
            return Verdict(who=answer.model, dropped="disagreement")
        first_is_better = (answer.value == 0) != self._config.flip
        said = Comparison(first.clip, second.clip, float(first_is_better))
        return Verdict((said,), answer.model)

    def _better(self, first: Look, second: Look) -> Answered[int]:
        goal = self._config.goal
        seen = ask(self._provider, compare_question(goal, first, second), read_descriptions)
        return ask(self._provider, decide_question(goal, seen.value), read_better)


def check_goal(goal: str, alike: float) -> None:
    """Raise ValueError for a goal that says nothing, or a difference that cannot be."""
    if not any(letter.isalnum() for letter in goal):
        raise ValueError(f"expected a goal in words, got {goal[:20]!r}.")
    if not 0 <= alike < 1:
        raise ValueError(f"alike: expected at least 0 and below 1, got {alike}.")
