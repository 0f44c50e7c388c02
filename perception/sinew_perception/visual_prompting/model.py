"""An affordance model that shows marked images to a vision-language model and checks what it answers."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from sinew_core.hardware import Hardware
from sinew_core.plugins import build
from sinew_core.types import Affordance, ImageArray, Observation, Refusal

from sinew_perception.visual_prompting.answer import Answer, read_answer
from sinew_perception.visual_prompting.faults import Fault
from sinew_perception.visual_prompting.marks import MarkConfig, Marks, make_marks
from sinew_perception.visual_prompting.picture import draw_answer
from sinew_perception.visual_prompting.prompt import make_question
from sinew_perception.visual_prompting.provider import Provider
from sinew_perception.visual_prompting.question import Question
from sinew_perception.visual_prompting.twins import unclear
from sinew_perception.visual_prompting.voting import Agreement, Ballot, ballot, describe, winner
from sinew_perception.visual_prompting.ways import make_affordance
from sinew_perception.waypoints import Margins

SOURCE = "visual_prompting"
CHAT = {"plugin": "sinew_perception.visual_prompting.chat:Chat"}
MAX_SENTENCE = 1000  # letters
MENDABLE = ("malformed", "unknown mark")


@dataclass(frozen=True, slots=True)
class Config:
    """Who is asked, what is drawn, how answers are checked and what becomes of them."""

    provider: Mapping[str, Any] = field(default_factory=lambda: dict(CHAT))
    marks: MarkConfig = field(default_factory=MarkConfig)
    agreement: Agreement = field(default_factory=Agreement)
    refine: bool = True  # the ends of a way come from the keypoints, a cell being several cm wide
    margins: Margins = field(default_factory=Margins)


@dataclass(frozen=True, slots=True)
class Asked:
    """A question with what came of it, for whoever wants to look."""

    marks: Marks
    question: Question
    answer: Answer


class VisualPrompting:
    """Asks once per call; every fault is a Refusal whose reason begins with its fixed word."""

    needs_frames = True

    def __init__(self, config: Config, hardware: Hardware) -> None:
        self._config, self._hardware = config, hardware
        self._provider = build(config.provider, Provider, "affordance visual_prompting: provider")
        self.last: Asked | None = None  # of the last call, if it came to an answer
        self._shown: tuple[Marks, Observation, Affordance | Refusal] | None = None

    def propose(self, observation: Observation, instruction: str) -> Affordance | Refusal:
        """Return an affordance, or a refusal: the model's own, or one that names what went wrong."""
        self.last = self._shown = None
        answer: Affordance | Refusal
        marks: Marks | None = None
        try:
            _check_sentence(instruction)
            marks = make_marks(self._config.marks, self._hardware, observation)
            answer = self._propose(marks, observation, instruction)
        except Fault as fault:
            saw = tuple(sorted(observation.keypoints))
            answer = Refusal(observation.stamp, instruction, str(fault), saw, SOURCE)
        self._shown = None if marks is None else (marks, observation, answer)
        return answer

    def picture(self) -> ImageArray | None:
        """Return the marked images of the last call with what came of it, (h, w, 3)."""
        return None if self._shown is None else draw_answer(*self._shown, self._config.marks.width)

    def _propose(self, marks: Marks, observation: Observation, instruction: str) -> Affordance:
        config = self._config
        question = make_question(marks, config.marks, instruction)
        self._provider.begin()
        answer = self._agree(question, marks)
        self.last = Asked(marks, question, answer)
        if answer.refusal is not None:
            raise Fault("declined", answer.refusal)
        margins = config.margins if config.refine else None
        affordance = make_affordance(answer, marks, observation, instruction, source=SOURCE, margins=margins)
        chosen = [name for name in (affordance.moves, affordance.target) if isinstance(name, str)]
        why = unclear(instruction, chosen, observation.keypoints)
        if why is not None:
            raise Fault("ambiguous", why)
        return affordance

    def _agree(self, question: Question, marks: Marks) -> Answer:
        """Take samples until enough agree, or no longer can."""
        agreement = self._config.agreement
        votes: Counter[Ballot] = Counter()
        answers: dict[Ballot, Answer] = {}
        faults: list[Fault] = []
        for sample in range(agreement.samples):
            if not agreement.open(votes, sample):
                break
            try:
                answer = self._ask(replace(question, sample=sample), marks)
            except Fault as fault:
                if fault.word not in MENDABLE:
                    raise
                faults.append(fault)
                continue
            vote = ballot(answer, marks)
            votes[vote] += 1
            answers.setdefault(vote, answer)
        agreed = winner(votes, agreement.needed)
        if agreed is not None:
            return answers[agreed]
        raise _disagreement(votes, faults, agreement)

    def _ask(self, question: Question, marks: Marks) -> Answer:
        """Ask one sample, and once more if the answer cannot be used."""
        reply = self._provider.ask(question)
        try:
            return read_answer(reply.text, marks)
        except Fault as fault:
            again = self._provider.ask(question.corrected(reply.text, str(fault)))
        return read_answer(again.text, marks)


def _check_sentence(instruction: str) -> None:
    if not any(letter.isalnum() for letter in instruction):
        raise Fault("empty sentence", f"got {instruction[:20]!r}, expected what is to be done.")
    if len(instruction) > MAX_SENTENCE:
        raise Fault("too large", f"the sentence has {len(instruction)} letters, more than {MAX_SENTENCE}.")


def _disagreement(votes: Counter[Ballot], unusable: Sequence[Fault], agreement: Agreement) -> Fault:
    if not votes:
        return unusable[0]
    tail = f"; {len(unusable)} x unusable ({unusable[0]})" if unusable else ""
    return Fault(
        "disagreement",
        f"{agreement.needed} of {agreement.samples} samples had to agree: {describe(votes)}{tail}.",
    )
