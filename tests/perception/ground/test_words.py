"""Claims about the lexicon, its held-out part, and the sentences that are made of it."""

from __future__ import annotations

import numpy as np
import pytest
from sinew_perception.grammar import NotUnderstoodError, parse
from sinew_perception.ground.encoding import MAX_WORDS, encode
from sinew_perception.ground.lexicon import FAMILIES, SHAPES, lab, load_frames, load_lexicon
from sinew_perception.ground.questions import ask
from sinew_perception.ground.sentences import SLOTS, Meaning, Sentence, Speaker, pointers
from sinew_sim.paraphrases import COLOUR_NAMES, SENTENCES, SHAPE_NAMES

LEXICON, FRAMES = load_lexicon(), load_frames()
THINGS = [(family, shape) for family in FAMILIES for shape in SHAPES]


def _sentences(split: str, count: int) -> list[Sentence]:
    rng = np.random.default_rng(3)
    speaker = Speaker(rng, LEXICON, FRAMES, split)  # type: ignore[arg-type]
    return [ask(rng, speaker, THINGS) for _ in range(count)]


def test_no_training_sentence_has_a_held_out_word() -> None:
    said = {word.text for sentence in _sentences("train", 3000) for word in sentence.words if word.held_out}
    assert not said
    assert {word.text for sentence in _sentences("held_out", 300) for word in sentence.words if word.held_out}


def test_held_out_frames_are_in_no_training_sentence() -> None:
    for form, frames in FRAMES["held_out"].items():
        assert not set(frames) & set(FRAMES["train"][form])
    assert not set(FRAMES["foreign"]["held_out"]) & set(FRAMES["foreign"]["train"])
    assert not set(FRAMES["absent_nouns"]["held_out"]) & set(FRAMES["absent_nouns"]["train"])


def test_enough_is_held_out_for_a_test_to_mean_something() -> None:
    colours, nouns = LEXICON.colours(), LEXICON.nouns()
    assert 0.25 < np.mean([word.held_out for word in colours if word.family in FAMILIES]) < 0.4
    assert 0.2 < np.mean([word.held_out for word in nouns]) < 0.4
    assert all(LEXICON.colours(family, True) and LEXICON.colours(family, False) for family in FAMILIES)
    assert all(LEXICON.nouns(shape, True) and LEXICON.nouns(shape, False) for shape in SHAPES)


def test_held_out_colours_are_no_training_colours_under_other_names() -> None:
    trained = {word.rgb for word in LEXICON.colours(held_out=False)}
    assert not [word.text for word in LEXICON.colours(held_out=True) if word.rgb in trained]


def test_no_colour_name_stands_on_the_border_of_two_families() -> None:
    colours = [(word, lab(word.rgb)) for word in LEXICON.colours() if word.rgb and word.family in FAMILIES]
    for word, place in colours:
        own = [p for w, p in colours if w.family == word.family and w is not word and not w.held_out]
        others = [p for w, p in colours if w.family != word.family]
        near = min(float(np.linalg.norm(place - p)) for p in others)
        assert near > 20, word.text
        assert near > 1.25 * min(float(np.linalg.norm(place - p)) for p in own), word.text


def test_lab_has_white_at_one_end_and_red_where_the_standard_says() -> None:
    assert lab((1.0, 1.0, 1.0)) == pytest.approx([100, 0, 0], abs=0.02)
    assert lab((1.0, 0.0, 0.0)) == pytest.approx([53.24, 80.09, 67.20], abs=0.05)


def test_a_colour_of_two_words_is_read_as_one() -> None:
    words = LEXICON.read("Put the sky blue cubes in it!")
    assert [word.text for word in words] == ["put", "the", "sky blue", "cube", "in", "it"]


def test_the_slots_of_a_sentence_hold_its_colours_and_nouns() -> None:
    for sentence in _sentences("held_out", 500):
        for slot, places in zip(SLOTS, sentence.slots, strict=True):
            kinds = {sentence.words[place].kind for place in places}
            assert kinds <= (
                {"colour", "unknown"} if slot.endswith("colour") else {"noun", "unknown", "colour"}
            )
    sentence = Speaker(np.random.default_rng(0), LEXICON, FRAMES, "train").say(
        "place_in", [Meaning("red", "cube"), Meaning("blue", "bowl")]
    )
    rows = pointers(sentence, len(sentence.words))
    assert rows.sum(1) == pytest.approx(1)
    assert rows[:, -1] == pytest.approx(0)


def test_nonsense_fits_nothing() -> None:
    assert not [t for t in THINGS if Meaning("red", "cube", "noun").fits(*t)]
    assert [t for t in THINGS if Meaning("red", None).fits(*t)] == [("red", shape) for shape in SHAPES]


def test_a_sentence_without_end_is_cut_off_and_an_empty_one_has_no_words() -> None:
    buckets, vectors, there = encode([LEXICON.read("red " * 100), []], LEXICON)
    assert buckets.shape[1] == vectors.shape[1] == MAX_WORDS
    assert there[0].all()
    assert not there[1].any()


@pytest.mark.parametrize("task", SENTENCES)
def test_the_simulators_paraphrases_are_beyond_the_rules_and_the_training(task: str) -> None:
    for sentence in SENTENCES[task]:
        for colours, shapes in zip(COLOUR_NAMES.values(), SHAPE_NAMES.values(), strict=False):
            things = [f"{colour} {shape}" for colour in colours for shape in shapes]
            with pytest.raises(NotUnderstoodError):
                parse(sentence.format(things[0], things[-1]))
    words = [name for names in (*COLOUR_NAMES.values(), *SHAPE_NAMES.values()) for name in names]
    assert not [name for name in words if not LEXICON.words[name].held_out]
