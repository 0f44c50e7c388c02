"""The directory of a training: everything that is needed to go on with it, or to do it again.

config.yaml            what was asked for
versions.json          what it ran on
progress.jsonl         one line an episode and an evaluation
checkpoint.safetensors the agent, optimisers and generators in it, and the counters in its header
replay/                the transitions, as they were added
policy.safetensors     the best policy so far, with its JSON beside it; give it as `policy:=`
tensorboard/           curves
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml
from safetensors import SafetensorError, safe_open
from safetensors.torch import save
from sinew_core.config import from_mapping, load_yaml, to_mapping
from sinew_core.errors import ConfigError
from sinew_core.files import replace_whole, write_whole
from sinew_data.episode import versions
from torch import Tensor

from sinew_training.config import TrainConfig

FORMAT = "sinew-training/1"


@dataclass(frozen=True, slots=True)
class RunDirectory:
    """The places in a training's directory."""

    path: Path

    @property
    def config(self) -> Path:
        """What was asked for."""
        return self.path / "config.yaml"

    @property
    def progress(self) -> Path:
        """One line an episode."""
        return self.path / "progress.jsonl"

    @property
    def checkpoint(self) -> Path:
        """Where to go on from."""
        return self.path / "checkpoint.safetensors"

    @property
    def replay(self) -> Path:
        """The transitions."""
        return self.path / "replay"

    @property
    def policy(self) -> Path:
        """The best policy so far."""
        return self.path / "policy.safetensors"


def create_run(path: Path, config: TrainConfig) -> RunDirectory:
    """Make the directory of a new training; ConfigError where one is already, or nothing can be written."""
    run = RunDirectory(path)
    if path.exists() and (not path.is_dir() or any(path.iterdir())):
        raise ConfigError(
            f"{path} exists and is not empty. Go on with it by --resume, or give another --out."
        )
    write_whole(run.config, yaml.safe_dump(to_mapping(config), sort_keys=False).encode())
    facts = json.dumps({"format": FORMAT, **versions()}, indent=1)
    write_whole(path / "versions.json", f"{facts}\n".encode())
    return run


def open_run(path: Path) -> tuple[RunDirectory, TrainConfig]:
    """Open the directory of a training; ConfigError if it is none."""
    run = RunDirectory(path)
    if not run.config.is_file():
        raise ConfigError(f"{path} is no training: it has no {run.config.name}.")
    return run, from_mapping(TrainConfig, load_yaml(run.config), str(run.config))


def save_checkpoint(path: Path, tensors: Mapping[str, Tensor], state: Mapping[str, Any]) -> None:
    """Write tensors and counters as one file, whole or not at all; OSError where it cannot be written."""
    header = {"format": FORMAT, "state": json.dumps(state)}
    data = save({name: tensor.contiguous() for name, tensor in tensors.items()}, header)
    replace_whole(path, path.with_suffix(".part"), data)


def load_checkpoint(path: Path) -> tuple[dict[str, Tensor], dict[str, Any]]:
    """Return the tensors and counters of a checkpoint; ConfigError if it is none or of another version."""
    try:
        with safe_open(path, framework="pt") as stream:
            header = stream.metadata() or {}
            if header.get("format") != FORMAT:
                raise ConfigError(f"{path}: format {header.get('format')}; this version reads {FORMAT}.")
            return {name: stream.get_tensor(name) for name in stream.keys()}, json.loads(header["state"])  # noqa: SIM118 - no mapping
    except (OSError, SafetensorError, KeyError, ValueError) as error:
        if isinstance(error, ConfigError):
            raise
        raise ConfigError(f"{path}: cannot be read as a checkpoint: {error}") from error


class Progress:
    """The lines of progress.jsonl; those after a checkpoint can be taken back."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def write(self, record: Mapping[str, Any]) -> None:
        """Append one line."""
        with self._path.open("a", encoding="utf-8") as stream:
            stream.write(json.dumps(record) + "\n")

    def read(self) -> Iterator[dict[str, Any]]:
        """Yield the lines; one that a kill cut short is left out."""
        if not self._path.is_file():
            return
        for line in self._path.read_text(encoding="utf-8").splitlines():
            try:
                record = json.loads(line)
            except ValueError:
                continue
            yield record

    def keep(self, steps: int, evaluated: int) -> list[dict[str, Any]]:
        """Drop what was written after a step, and evaluations after another; return the rest."""
        kept = [
            record
            for record in self.read()
            if record["steps"] <= (evaluated if record["kind"] == "evaluation" else steps)
        ]
        text = "".join(json.dumps(record) + "\n" for record in kept)
        replace_whole(self._path, self._path.with_suffix(".part"), text.encode())
        return kept
