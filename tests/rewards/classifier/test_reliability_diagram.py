"""The picture of how often what was said turned out true."""

from xml.etree import ElementTree

import pytest
from sinew_rewards.classifier.calibration import Bin
from sinew_rewards.classifier.reliability_diagram import PLOT, TALLEST, reliability_diagram

BINS = [Bin(0.0, 0.1, 100, 0.05, 0.0), Bin(0.7, 0.8, 25, 0.75, 0.5)]


def drawn(tag: str, said: str = "said") -> list[ElementTree.Element]:
    return list(ElementTree.fromstring(reliability_diagram(BINS, said, "true")).iter(tag))


def test_a_dot_stands_at_what_was_said_and_what_was_true():
    places = [(float(dot.attrib["cx"]) / PLOT, 1 - float(dot.attrib["cy"]) / PLOT) for dot in drawn("circle")]
    assert places == [pytest.approx((0.05, 0.0), abs=1e-3), pytest.approx((0.75, 0.5), abs=1e-3)]


def test_bars_go_with_the_root_of_how_many_there_are():
    assert [float(bar.attrib["height"]) for bar in drawn("rect")] == [TALLEST, TALLEST / 2]


def test_names_of_axes_are_text_whatever_they_hold():
    assert "a < b, %" in [text.text for text in drawn("text", "a < b")]


def test_without_bins_there_is_nothing_to_draw():
    with pytest.raises(ValueError, match="at least one bin"):
        reliability_diagram([], "said", "true")
