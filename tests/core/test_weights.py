"""Which files a model is made of, from its plugin's configuration alone."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from sinew_core.errors import ConfigError
from sinew_core.weights import weights_of


@dataclass(frozen=True, slots=True)
class Part:
    table: Path = Path("nowhere.bin")


@dataclass(frozen=True, slots=True)
class PolicyConfig:
    weights: Path
    name: str = "not-a-file"
    part: Part = field(default_factory=Part)
    members: tuple[Path, ...] = ()
    inner: dict[str, Any] = field(default_factory=dict)


class WeightyPolicy:
    def __init__(self, config: PolicyConfig) -> None: ...


class PlainPolicy:
    """Takes no configuration, and so has no files."""


def digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


@pytest.fixture
def files(tmp_path: Path) -> dict[str, Path]:
    paths = {name: tmp_path / f"{name}.bin" for name in ("a", "b", "c")}
    for name, path in paths.items():
        path.write_bytes(name.encode() * 1000)
    return paths


def test_every_path_to_a_file_counts_wherever_it_stands(tmp_path: Path, files: dict[str, Path]) -> None:
    spec = tmp_path / "policy.yaml"
    inner = f'{{plugin: "{__name__}:WeightyPolicy", weights: {files["c"]}}}'
    spec.write_text(
        f'plugin: "{__name__}:WeightyPolicy"\nweights: {files["a"]}\nname: {files["b"]}\n'
        f"part: {{table: {files['b']}}}\nmembers: [{files['c']}, /does/not/exist]\ninner: {inner}\n"
    )
    assert weights_of("policy", str(spec)) == {
        "weights": digest(files["a"]),
        "part.table": digest(files["b"]),
        "members.0": digest(files["c"]),
        "inner.weights": digest(files["c"]),
    }


def test_changed_weights_have_another_fingerprint(tmp_path: Path, files: dict[str, Path]) -> None:
    spec = tmp_path / "policy.yaml"
    spec.write_text(f'{{plugin: "{__name__}:WeightyPolicy", weights: {files["a"]}}}')
    before = weights_of("policy", str(spec))
    files["a"].write_bytes(b"trained further")
    assert weights_of("policy", str(spec)) != before


def test_models_without_files_have_none() -> None:
    assert weights_of("policy", "") == {}
    assert weights_of("policy", f"{__name__}:PlainPolicy") == {}


def test_an_unknown_field_is_refused_as_it_is_when_the_model_is_built(tmp_path: Path) -> None:
    spec = tmp_path / "policy.yaml"
    spec.write_text(f'{{plugin: "{__name__}:WeightyPolicy", weigths: x}}')
    with pytest.raises(ConfigError, match="unknown key 'weigths'. Did you mean 'weights'"):
        weights_of("policy", str(spec))
