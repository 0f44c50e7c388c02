"""Two who command at once are noticed, and only these."""

from __future__ import annotations

from sinew_nodes.rivals import Rivals

MS = 1_000_000


def test_one_who_commands_has_no_rival() -> None:
    rivals = Rivals("human/chunk", 250 * MS)
    assert [rivals.look("a", at * MS, wants=True) for at in (0, 30, 500)] == ["", "", ""]


def test_two_at_once_are_both_refused_until_one_is_silent() -> None:
    rivals = Rivals("human/chunk", 250 * MS)
    rivals.look("a", 0, wants=True)
    sentence = "2 sources publish human/chunk at once; end all but one"
    assert rivals.look("b", 10 * MS, wants=True) == sentence
    assert rivals.look("a", 30 * MS, wants=True) == sentence
    assert rivals.look("a", 261 * MS, wants=True) == ""


def test_who_gives_back_makes_room_at_once() -> None:
    rivals = Rivals("human/chunk", 250 * MS)
    rivals.look("a", 0, wants=True)
    assert rivals.look("a", 10 * MS, wants=False) == ""
    assert rivals.look("b", 20 * MS, wants=True) == ""
