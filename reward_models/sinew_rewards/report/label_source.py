"""What a user names to relabel by: a reward model, a file of late estimates, or what was recorded."""

from __future__ import annotations

import hashlib
import json
from collections import defaultdict
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from sinew_core.config import from_mapping
from sinew_core.errors import ConfigError
from sinew_core.hardware import Hardware
from sinew_core.models import named_spec
from sinew_core.plugins import build
from sinew_core.protocols import RewardModel
from sinew_core.types import RewardEstimate

from sinew_rewards.classifier.making import versions
from sinew_rewards.files import sha256_of
from sinew_rewards.report.relabelling import OfFile, OfModel, OfRecording, Source

VERSION = 1  # of what is written beside episodes: another one, and labels are made anew
RECORDED = "recorded"


def label_source(name: str, hardware: Hardware, task: str, *, force: bool) -> tuple[Source, dict[str, Any]]:
    """Return a source of estimates and its provenance with a `digest` of all that its numbers depend on.

    ConfigError for an unknown or refused model; a learned one without a passing card wants `force`.
    """
    if name == RECORDED:
        return OfRecording(), _provenance(name, {}, {})
    if name.endswith(".jsonl"):
        path = Path(name)
        return OfFile(late_estimates(path)), _provenance(path.name, {}, {path.name: sha256_of(path)})
    spec = named_spec("reward", name)
    if force and name.endswith(".safetensors"):
        spec["force"] = True
    context = {"hardware": hardware, "robot": hardware.robot, "cameras": hardware.cameras, "task": task}
    model = build(spec, RewardModel, f"reward {name}", **context)
    hashes = {Path(text).name: sha256_of(Path(text)) for text in _files(spec)}
    return OfModel(model), _provenance(Path(name).name, spec, hashes)


def _provenance(model: str, config: Mapping[str, Any], files: Mapping[str, str]) -> dict[str, Any]:
    plain = json.loads(json.dumps(config, default=str))
    facts = {"model": model, "config": plain, "files": dict(files), "versions": versions()}
    text = json.dumps({**facts, "version": VERSION}, sort_keys=True)
    return {**facts, "digest": hashlib.sha256(text.encode()).hexdigest()}


def _files(value: Any) -> Iterator[str]:
    """Yield the weights files that a plugin mapping names, at any depth."""
    if isinstance(value, Mapping):
        for item in value.values():
            yield from _files(item)
    elif isinstance(value, list | tuple):
        for item in value:
            yield from _files(item)
    elif isinstance(value, str | Path) and str(value).endswith(".safetensors") and Path(value).is_file():
        yield str(value)


def late_estimates(path: Path) -> dict[str, list[RewardEstimate]]:
    """Return estimates by episode from JSON Lines: `episode` and the fields of a RewardEstimate each.

    ConfigError names the line that is none.
    """
    found: dict[str, list[RewardEstimate]] = defaultdict(list)
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path}: cannot be read ({error}).") from error
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        episode, estimate = _late(line, f"{path}, line {number}")
        found[episode].append(estimate)
    if not found:
        raise ConfigError(f"{path}: holds no estimate.")
    return dict(found)


def _late(line: str, where: str) -> tuple[str, RewardEstimate]:
    try:
        data = json.loads(line)
        episode = data.pop("episode")
    except (ValueError, AttributeError, KeyError, TypeError) as error:
        raise ConfigError(
            f'{where}: expected an object as {{"episode": "NAME", "stamp": 0, "value": 0.5}}, got {line[:60]}'
        ) from error
    return str(episode), from_mapping(RewardEstimate, data, where)
