from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

import pytest
from sinew_core.config import from_mapping, load_yaml, to_mapping
from sinew_core.errors import ConfigError


@dataclass(frozen=True)
class Inner:
    gain: float = 1.0
    names: tuple[str, ...] = ()


@dataclass(frozen=True)
class OneOfEverything:
    count: int
    inner: Inner = field(default_factory=Inner)
    pair: tuple[float, float] = (0.0, 1.0)
    mode: Literal["fast", "slow"] = "fast"
    parts: dict[str, Inner] = field(default_factory=dict)
    limit: float | None = None
    path: Path = Path("x")
    on: bool = False

    def __post_init__(self) -> None:
        if self.count < 0:
            raise ValueError("count must not be negative")


FULL = {
    "count": 3,
    "inner": {"gain": 2, "names": ["a", "b"]},
    "pair": [1, 2.5],
    "mode": "slow",
    "parts": {"left": {"gain": 0.5}},
    "limit": None,
    "path": "a/b",
    "on": True,
}


def test_every_kind_of_field_is_read():
    config = from_mapping(OneOfEverything, FULL, "file")
    assert config.inner == Inner(2.0, ("a", "b"))
    assert config.pair == (1.0, 2.5)
    assert config.parts["left"].gain == 0.5
    assert config.path == Path("a/b")


def test_what_is_written_is_read_back():
    config = from_mapping(OneOfEverything, FULL, "file")
    assert from_mapping(OneOfEverything, to_mapping(config), "file") == config


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"cuont": 1}, "unknown key 'cuont'. Did you mean 'count'?"),
        ({"inner": {"gian": 1}}, "file: inner: unknown key 'gian'. Did you mean 'gain'?"),
        ({"parts": {"left": {"gain": "much"}}}, "parts.left: gain: expected a finite number, got 'much'"),
        ({"count": 1.5}, "count: expected a whole number, got 1.5"),
        ({"count": True}, "count: expected a whole number"),
        ({"count": -1}, "file: count must not be negative"),
        ({"pair": [1, 2, 3]}, "pair: expected 2 values, got 3"),
        ({"pair": [1, float("nan")]}, "pair[1]: expected a finite number"),
        ({"mode": "fats"}, "mode: got 'fats'. Did you mean 'fast'?"),
        ({"inner": 3}, "inner: expected Mapping, got 3"),
        ({"on": "yes"}, "on: expected bool, got 'yes'"),
    ],
)
def test_a_mistake_is_named_with_its_place(change, sentence):
    with pytest.raises(ConfigError) as error:
        from_mapping(OneOfEverything, {**FULL, **change}, "file")
    assert sentence in str(error.value)


def test_a_missing_key_is_named():
    with pytest.raises(ConfigError, match="missing key count"):
        from_mapping(OneOfEverything, {}, "file")


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("a: 1\na: 2\n", ":2: key 'a' is given twice"),
        ("a: [1", "not valid YAML"),
        ("- 1\n", "expected a mapping"),
    ],
)
def test_a_bad_file_is_named(tmp_path, text, sentence):
    path = tmp_path / "bad.yaml"
    path.write_text(text)
    with pytest.raises(ConfigError) as error:
        load_yaml(path)
    assert sentence in str(error.value)
    assert "bad.yaml" in str(error.value)


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(ConfigError, match=r"absent\.yaml"):
        load_yaml(tmp_path / "absent.yaml")
