import json
import sys
from pathlib import Path

import numpy as np
import pytest
from sinew_core.errors import ConfigError
from sinew_data.feedback.types import Comparison, Mark
from sinew_perception.visual_prompting.budget import Budget, Limits
from sinew_perception.visual_prompting.faults import Fault
from sinew_perception.visual_prompting.provider import Provider, Reply
from sinew_perception.visual_prompting.question import Question
from sinew_perception.visual_prompting.recorded import Config as RecordedConfig
from sinew_perception.visual_prompting.recorded import Recorded
from sinew_perception.visual_prompting.recording import Recording
from sinew_perception.visual_prompting.voting import Agreement
from sinew_rewards.judges.answers import read_better
from sinew_rewards.judges.drawing import drawn_pairs, drawn_steps
from sinew_rewards.judges.judging import judge_all
from sinew_rewards.judges.look import Look
from sinew_rewards.judges.pair_judge import PairConfig, PairJudge
from sinew_rewards.judges.scripted import MODEL, ScriptConfig, ScriptedVlm
from sinew_rewards.judges.step_judge import StepConfig, StepJudge
from sinew_rewards.judges.verdict import Judge
from sinew_rewards.learned.trajectory import Episodes, Trajectory

sys.path.insert(0, str(Path(__file__).parent))

from looks import SIZE, episode, known, look

GOAL = "the bar fills the picture"


class Said:
    """A provider that gives these answers in turn."""

    def __init__(self, *texts: str) -> None:
        self.texts, self.asked = list(texts), list[Question]()

    def begin(self) -> None: ...

    def ask(self, question: Question) -> Reply:
        self.asked.append(question)
        return Reply(self.texts[len(self.asked) - 1], "said")


SEEN = json.dumps({"first": "a", "second": "b", "difference": "c"})


def pair_judge(provider: Provider, *, both_ways: bool = False, flip: bool = False) -> PairJudge:
    return PairJudge(PairConfig(GOAL, both_ways=both_ways, flip=flip), provider)


def step(change: str = "nearer", *, done: bool = False) -> str:
    return json.dumps({"seen": "a bar", "change": change, "done": done})


def test_the_nearer_picture_is_preferred() -> None:
    verdict = pair_judge(ScriptedVlm(ScriptConfig(), known())).judge(look(0.25), look(0.75, stamp=5))
    (said,) = verdict.said
    assert isinstance(said, Comparison)
    assert (said.first.start, said.second.start, said.preferred) == (0, 5, 0.0)
    assert verdict.who == MODEL


def test_the_second_question_is_asked_in_words_alone() -> None:
    provider = Said(SEEN, '{"better": 0}')
    (said,) = pair_judge(provider).judge(look(0.25), look(0.75)).said
    assert isinstance(said, Comparison)
    assert said.preferred == 1.0
    assert [len(question.images) for question in provider.asked] == [2, 0]
    assert 'difference: "c"' in provider.asked[1].user


def test_what_the_model_cannot_tell_is_dropped() -> None:
    verdict = pair_judge(Said(SEEN, '{"better": -1}')).judge(look(0.25), look(0.75))
    assert (verdict.said, verdict.dropped) == ((), "undecided")


def test_pictures_that_hardly_differ_are_never_sent() -> None:
    provider = Said()
    assert pair_judge(provider).judge(look(0.5), look(0.5, stamp=9)).dropped == "alike"
    nudged = look(0.5).picture.copy()
    nudged[0, 0, 0] += 1
    assert pair_judge(provider).judge(look(0.5), Look(look(0.5).clip, nudged)).dropped == "alike"
    assert StepJudge(StepConfig(GOAL), provider).judge(look(0.5), look(0.5)).dropped == "alike"
    assert provider.asked == []


def test_flip_turns_answers_round() -> None:
    provider = ScriptedVlm(ScriptConfig(), known())
    (said,) = pair_judge(provider, flip=True).judge(look(0.25), look(0.75)).said
    assert isinstance(said, Comparison)
    assert said.preferred == 1.0


def test_a_preference_for_a_position_is_found_out_both_ways_round() -> None:
    biased = Said(SEEN, '{"better": 0}', SEEN, '{"better": 0}')
    assert pair_judge(biased, both_ways=True).judge(look(0.25), look(0.75)).dropped == "disagreement"
    steady = ScriptedVlm(ScriptConfig(), known())
    assert pair_judge(steady, both_ways=True).judge(look(0.25), look(0.75)).said


def test_an_answer_that_cannot_be_used_is_asked_for_once_more_with_the_error() -> None:
    provider = Said("I like both.", SEEN, '{"better": 2}', '{"better": 1}')
    assert pair_judge(provider).judge(look(0.25), look(0.75)).said
    corrections = [question.correction for question in provider.asked]
    assert corrections[1] is not None and "not JSON" in corrections[1].error
    assert corrections[3] is not None and "expected 0, 1 or -1, got 2" in corrections[3].error
    with pytest.raises(Fault, match="malformed"):
        pair_judge(Said("?", "?")).judge(look(0.25), look(0.75))


@pytest.mark.parametrize(("text", "better"), [("-1", -1), ('```json\n{"better": 1}\n```', 1), ("0", 0)])
def test_the_number_alone_will_do(text: str, better: int) -> None:
    assert read_better(text) == better


@pytest.mark.parametrize(
    "text", ["true", "1.0", '{"better": 1, "sure": true}', '{"better": 0, "better": 1}', ""]
)
def test_anything_else_is_malformed(text: str) -> None:
    with pytest.raises(Fault, match="malformed"):
        read_better(text)


def test_answers_are_wrong_as_often_as_the_flip_rate_says() -> None:
    rng = np.random.default_rng(0)
    worths = rng.choice(SIZE + 1, (400, 2)) / SIZE
    pairs = [(look(a, "a", i), look(b, "b", i)) for i, (a, b) in enumerate(worths) if a != b]
    judged = judge_all(pair_judge(ScriptedVlm(ScriptConfig(flip=0.25), known())), pairs, 0)
    right = [
        entry.said.preferred == float(worths[entry.said.first.start][0] > worths[entry.said.first.start][1])
        for entry in judged.entries
        if isinstance(entry.said, Comparison)
    ]
    assert len(right) == len(pairs)
    assert 0.68 < np.mean(right) < 0.82


def test_a_vote_is_right_more_often_than_a_single_verdict() -> None:
    worths = [i / SIZE for i in range(SIZE + 1)]
    right = {}
    for samples in (1, 7):
        judge = StepJudge(
            StepConfig(GOAL, Agreement(samples, 0.51)), ScriptedVlm(ScriptConfig(flip=0.25), known())
        )
        verdicts = [judge.judge(look(a), look(b)) for a in worths for b in worths if a < b][::2]
        changes = [said for each in verdicts for said in each.said if isinstance(said, Comparison)]
        right[samples] = np.mean([said.preferred == 0.0 for said in changes])
    assert right[7] > right[1] + 0.1


def test_a_step_that_ends_the_work_is_a_mark_and_a_comparison() -> None:
    judge = StepJudge(StepConfig(GOAL), Said(step(done=True), step(done=True)))
    mark, comparison = judge.judge(look(0.5, stamp=1), look(1.0, stamp=2)).said
    assert mark == Mark(look(1.0, stamp=2).clip, True)
    assert isinstance(comparison, Comparison)
    assert comparison.preferred == 0.0


def test_each_vote_is_decided_for_itself() -> None:
    answers = [step("nearer", done=False), step("farther", done=False), step("none", done=False)]
    (only,) = StepJudge(StepConfig(GOAL), Said(*answers)).judge(look(0.5), look(0.75)).said
    assert only == Mark(look(0.75).clip, False)


def test_unusable_samples_lose_their_vote() -> None:
    judge = StepJudge(StepConfig(GOAL), Said(step(), "?", "?", step()))
    assert len(judge.judge(look(0.5), look(0.75)).said) == 2
    with pytest.raises(Fault, match="malformed"):
        StepJudge(StepConfig(GOAL), Said(*["?"] * 6)).judge(look(0.5), look(0.75))


def test_entries_say_which_model_said_it() -> None:
    pairs = [(look(0.25), look(0.75)), (look(0.25), look(0.75)), (look(0.5), look(0.5))]
    judged = judge_all(pair_judge(ScriptedVlm(ScriptConfig(), known())), pairs, 7)
    (entry,) = judged.entries  # the same pair twice is one entry
    assert (entry.who, entry.when, entry.source, entry.kind) == (MODEL, 7, "vlm", "comparison")
    assert judged.dropped == {"alike": 1}


class Declining:
    """A judge that declines the first pair, and says what it is told of the others."""

    def __init__(self, judge: Judge) -> None:
        self._judge, self._asked = judge, 0

    def judge(self, first: Look, second: Look) -> object:
        self._asked += 1
        if self._asked == 1:
            raise Fault("declined", "I would rather not.")
        return self._judge.judge(first, second)


def test_a_refusal_drops_its_pair_alone() -> None:
    judge = Declining(pair_judge(ScriptedVlm(ScriptConfig(), known())))
    judged = judge_all(judge, [(look(0.25), look(0.5)), (look(0.25), look(0.75))], 0)  # type: ignore[arg-type]
    assert (len(judged.entries), judged.dropped, judged.stopped) == (1, {"declined": 1}, "")


class Paid(ScriptedVlm):
    """Spends a budget."""

    def __init__(self, calls: int) -> None:
        super().__init__(ScriptConfig(), known())
        self._budget = Budget(Limits(calls=calls))

    def ask(self, question: Question) -> Reply:
        self._budget.spend_call()
        return super().ask(question)


def test_a_spent_budget_ends_the_judging_and_keeps_what_was_said() -> None:
    pairs = [(look(0.25), look(i / SIZE, stamp=i)) for i in range(10, 20)]
    judged = judge_all(pair_judge(Paid(calls=7)), pairs, 0)
    assert len(judged.entries) == 3
    assert judged.stopped.startswith("budget: 7 calls are spent")


def test_recorded_answers_give_the_same_entries(tmp_path: Path) -> None:
    pairs = [(look(0.25), look(0.75)), (look(1.0), look(0.5))]
    live = ScriptedVlm(ScriptConfig(), known())
    judged = judge_all(pair_judge(live), pairs, 3)
    for question in live.asked:
        Recording(tmp_path).store(question, MODEL, ScriptedVlm(ScriptConfig(), known()).ask(question))
    again = judge_all(pair_judge(Recorded(RecordedConfig(tmp_path, MODEL))), pairs, 3)
    assert again.entries == judged.entries
    other = judge_all(pair_judge(Recorded(RecordedConfig(tmp_path, MODEL))), [(look(0.0), look(1.0))], 3)
    assert (other.entries, other.dropped) == ((), {"not recorded": 1})


def test_a_goal_is_needed() -> None:
    with pytest.raises(ValueError, match="expected a goal in words"):
        PairConfig(" ... ")


def test_moments_of_one_episode_are_apart() -> None:
    episodes = Episodes([episode("a", [i / 40 for i in range(40)]), episode("b", [0.5] * 3)])
    pairs = drawn_pairs(episodes, 50, seed=0, nearest=10)
    assert {(a.clip.episode, b.clip.episode) for a, b in pairs} == {(x, y) for x in "ab" for y in "ab"} - {
        ("b", "b")
    }
    for first, second in pairs:
        if first.clip.episode == second.clip.episode:
            assert abs(first.clip.start - second.clip.start) >= 100
    assert pairs[0][0].clip == drawn_pairs(episodes, 50, seed=0)[0][0].clip


def test_steps_end_with_the_episode() -> None:
    steps = drawn_steps(Episodes([episode("a", [0.1] * 8)]), 10, 0, every=3)
    assert [(a.clip.start, b.clip.start) for a, b in steps] == [(10, 40), (40, 70)]
    with pytest.raises(ConfigError, match="more than 9 control periods"):
        drawn_steps(Episodes([episode("a", [0.1] * 8)]), 10, 0, every=9)


def test_episodes_without_pictures_are_told() -> None:
    blind = Trajectory("a", np.arange(30, dtype=np.int64), np.zeros((30, 1), np.float32))
    with pytest.raises(ConfigError, match="has no pictures to judge"):
        drawn_pairs(Episodes([blind]), 1, 0)
