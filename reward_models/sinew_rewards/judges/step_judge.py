"""What a step of the work came to, by a vote over several answers of a vision-language model.

SPARK: several independent verdicts for each step, merged by vote, are better labels than any one of them.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

from sinew_data.feedback.types import Comparison, Mark
from sinew_perception.visual_prompting.faults import Fault
from sinew_perception.visual_prompting.model import MENDABLE
from sinew_perception.visual_prompting.provider import Provider
from sinew_perception.visual_prompting.voting import Agreement, Ballot, winner

from sinew_rewards.judges.answers import ask, read_step
from sinew_rewards.judges.look import Look, difference
from sinew_rewards.judges.pair_judge import check_goal
from sinew_rewards.judges.verdict import Verdict
from sinew_rewards.judges.wording import step_question

BETTER_BEFORE = {"nearer": 0.0, "none": 0.5, "farther": 1.0}  # probability that the look before is better


@dataclass(frozen=True, slots=True)
class StepConfig:
    """What is asked, how often, and how many answers have to agree."""

    goal: str  # a sentence
    agreement: Agreement = field(default_factory=lambda: Agreement(samples=3))
    alike: float = 0.005  # difference of pictures, 0 to 1, below which they are not sent

    def __post_init__(self) -> None:
        """Check that there is a goal."""
        check_goal(self.goal, self.alike)


class StepJudge:
    """Votes on whether the goal is achieved after a step, and apart from it on what the step changed."""

    def __init__(self, config: StepConfig, provider: Provider) -> None:
        self._config, self._provider = config, provider

    def judge(self, first: Look, second: Look) -> Verdict:
        """Return a mark of the look after the step, and how it compares with the one before; raises Fault."""
        if difference(first.picture, second.picture) < self._config.alike:
            return Verdict(dropped="alike")
        self._provider.begin()
        change, done, who = self._vote(first, second)
        said: list[Comparison | Mark] = []
        if done is not None:
            said.append(Mark(second.clip, done[0] == "done"))
        if change is not None:
            said.append(Comparison(first.clip, second.clip, BETTER_BEFORE[change[0]]))
        return Verdict(tuple(said), who, "" if said else "disagreement")

    def _vote(self, first: Look, second: Look) -> tuple[Ballot | None, Ballot | None, str]:
        """Take samples until both votes are decided; return what won, and whose answers they were."""
        agreement, who = self._config.agreement, ""
        changes: Counter[Ballot] = Counter()
        ends: Counter[Ballot] = Counter()
        unusable: list[Fault] = []
        for sample in range(agreement.samples):
            if not (agreement.open(changes, sample) or agreement.open(ends, sample)):
                break
            question = step_question(self._config.goal, first, second, sample)
            try:
                answer = ask(self._provider, question, read_step)
            except Fault as fault:
                if fault.word not in MENDABLE:
                    raise
                unusable.append(fault)
                continue
            who = answer.model
            changes[answer.value.change, "", ""] += 1
            ends["done" if answer.value.done else "not done", "", ""] += 1
        if not who:
            raise unusable[0]
        return winner(changes, agreement.needed), winner(ends, agreement.needed), who
