"""Weights on their way from learner to actor, and on the actor's disk: the same bytes as a policy's file.

A message that is cut short, of another robot or of another network is a WeightsError that says so; the
weights that were held before stay in use.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from pathlib import Path

import torch
from safetensors import SafetensorError
from safetensors.torch import load
from sinew_core.config import from_mapping
from sinew_core.errors import ConfigError
from sinew_core.files import replace_whole
from sinew_core.hardware import Hardware
from sinew_policies.learned.checkpoint import FORMAT, MEAN, STD, Acting, Sheet, checked_encoding, make_agent

from sinew_training.config import AGENTS
from sinew_training.grading import Grading, make_grading

FILE = "weights.safetensors"
LARGEST = 1 << 30  # bytes


class WeightsError(ConfigError, ValueError):
    """Weights that cannot be acted with; the text says why."""


@dataclass(frozen=True, slots=True)
class Weights:
    """A policy as it travels."""

    version: int
    updates: int
    sheet: str  # JSON
    data: bytes  # safetensors


@dataclass(frozen=True, slots=True)
class Held:
    """A policy that is acted with."""

    version: int
    sheet: Sheet
    acting: Acting
    mean: torch.Tensor
    std: torch.Tensor
    grading: Grading  # what a decision is worth to the learner


def unpack(weights: Weights, hardware: Hardware, held: Held | None) -> Held:
    """Return the policy; where only numbers differ from the one held, its agent takes them over.

    Agent and frozen network must be Sinew's own: what comes by the network never chooses what is imported
    or which file is opened.
    """
    where = Path(f"weights {weights.version}")
    try:
        sheet = _sheet(weights.sheet, where)
        if len(weights.data) > LARGEST:
            raise WeightsError(f"{where}: {len(weights.data)} bytes; expected at most {LARGEST}.")
        tensors = load(weights.data)
        mean, std = tensors.pop(MEAN), tensors.pop(STD)
        policy = {name.removeprefix("policy."): tensor for name, tensor in tensors.items()}
        _check_finite({**policy, MEAN: mean, STD: std}, where)
        grading = _grading(sheet, where)
        if held is not None and _same(held, sheet, mean, std):
            held.acting.agent.load_policy(policy)
            return Held(weights.version, sheet, held.acting, mean, std, grading)
        encoding = checked_encoding(where, sheet, hardware)
        agent = make_agent(sheet.agent, encoding, mean, std, 0, f"{where}: agent")
        agent.load_policy(policy)
    except (SafetensorError, KeyError, ValueError, ConfigError) as error:
        if isinstance(error, WeightsError):
            raise
        raise WeightsError(f"{where}: refused: {error}") from error
    return Held(weights.version, sheet, Acting(agent, encoding, sheet.actions), mean, std, grading)


def keep(folder: Path, weights: Weights) -> None:
    """Write weights to a folder, for a restart; the file is an ordinary `policy:=`."""
    folder.mkdir(parents=True, exist_ok=True)
    for path, data in (
        (folder / FILE, weights.data),
        ((folder / FILE).with_suffix(".json"), weights.sheet.encode()),
    ):
        replace_whole(path, path.with_name(f"{path.name}.part"), data)


def recall(folder: Path) -> Weights | None:
    """Return the weights that were kept in a folder; None if there are none. WeightsError: unreadable."""
    path = folder / FILE
    beside = path.with_suffix(".json")
    if not path.is_file() or not beside.is_file():
        return None
    try:
        sheet = beside.read_text(encoding="utf-8")
        provenance = _sheet(sheet, beside).provenance
        version, updates = int(provenance["version"]), int(provenance["updates"])
        return Weights(version, updates, sheet, path.read_bytes())
    except (OSError, KeyError, TypeError, ValueError) as error:
        if isinstance(error, WeightsError):
            raise
        raise WeightsError(f"{beside}: not a sheet of weights: {error!r}") from error


def _sheet(text: str, where: Path) -> Sheet:
    try:
        data = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise WeightsError(f"{where}: its sheet is no JSON: {error}") from error
    if not isinstance(data, dict) or data.get("format") != FORMAT:
        given = data.get("format") if isinstance(data, dict) else None
        raise WeightsError(f"{where}: format {given}; this version reads format {FORMAT}.")
    sheet = from_mapping(Sheet, data, str(where))
    plugin = str(sheet.agent.get("plugin", ""))
    if not plugin.startswith(f"{AGENTS}."):
        raise WeightsError(f"{where}: agent '{plugin}'; an actor takes agents of {AGENTS} only.")
    foreign = sheet.seeing.frozen.timm or sheet.seeing.frozen.plugin
    if foreign:
        raise WeightsError(f"{where}: frozen network '{foreign}'; an actor takes Sinew's own only.")
    return sheet


def _grading(sheet: Sheet, where: Path) -> Grading:
    """Return the grading of the training that the sheet tells of."""
    try:
        training = sheet.provenance["training"]
        return make_grading(float(training["shaping"]), float(training["discount"]))
    except (KeyError, TypeError, ValueError) as error:
        raise WeightsError(f"{where}: its provenance tells no shaping and discount: {error!r}") from error


def _check_finite(tensors: dict[str, torch.Tensor], where: Path) -> None:
    for name, tensor in tensors.items():
        if tensor.is_floating_point() and not bool(torch.isfinite(tensor).all()):
            raise WeightsError(f"{where}: {name} holds values that are not finite.")


def _same(held: Held, sheet: Sheet, mean: torch.Tensor, std: torch.Tensor) -> bool:
    """Tell whether all but the weights is as it was, the robot included."""
    alike = replace(held.sheet, provenance={}) == replace(sheet, provenance={})
    return alike and torch.equal(held.mean, mean) and torch.equal(held.std, std)
