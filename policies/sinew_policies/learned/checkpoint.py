"""The file of a trained policy: tensors as safetensors, everything else as JSON beside it.

Nothing is unpickled. The JSON says which agent acts, how its input and output are laid out, for which
robot and task it was trained, and how it was made.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save
from sinew_core.config import from_mapping, to_mapping
from sinew_core.errors import ConfigError, did_you_mean
from sinew_core.files import replace_whole
from sinew_core.hardware import Hardware
from sinew_core.plugins import build
from sinew_core.robot import Robot
from torch import Tensor

from sinew_policies.agents.agent import Agent, AgentError, Spaces
from sinew_policies.learned.encoding import STATE, Encoding, KeypointEncoding
from sinew_policies.learned.seeing import SeeingConfig, make_encoder, make_encoding
from sinew_policies.learned.tip_actions import ACTION, TipActionConfig

FORMAT = 1
SHIPPED = Path(__file__).with_name("shipped")
MEAN, STD = "observation_mean", "observation_std"  # (d,) what standardises it


@dataclass(frozen=True, slots=True)
class Sheet:
    """What the JSON beside the tensors says."""

    agent: Mapping[str, Any]  # the plugin mapping that builds it
    robot: str
    joint_names: tuple[str, ...]
    task: str
    observation: int  # numbers of the encoded observation
    encoding: str = KeypointEncoding.name
    seeing: SeeingConfig = field(default_factory=SeeingConfig)
    actions: TipActionConfig = field(default_factory=TipActionConfig)
    format: int = FORMAT
    provenance: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Acting:
    """An agent that can act, what it sees, and how its actions are meant."""

    agent: Agent[Any]
    encoding: Encoding
    actions: TipActionConfig


def make_agent(
    spec: Mapping[str, Any],
    encoding: Encoding,
    mean: Tensor,
    std: Tensor,
    seed: int,
    where: str,
    *,
    noise: float = 0.0,
) -> Agent[Any]:
    """Build an agent that sees by an encoding, whose numbers have a mean and standard deviation (d,).

    `noise` is that of the numbers in updates, in standard deviations.
    """
    spaces = Spaces({STATE: (encoding.size,), **encoding.images}, ACTION)
    encoder = make_encoder(encoding, mean, std, seed, noise)
    return build(spec, Agent, where, spaces=spaces, encoder=encoder, seed=seed)


def save_acting(path: Path, sheet: Sheet, tensors: Mapping[str, Tensor], mean: Tensor, std: Tensor) -> None:
    """Write `path` (.safetensors) and the JSON beside it, each whole or not at all."""
    everything = {f"policy.{name}": tensor.contiguous() for name, tensor in tensors.items()}
    everything |= {MEAN: mean.contiguous(), STD: std.contiguous()}
    text = json.dumps(to_mapping(sheet), indent=1) + "\n"
    for whole, data in ((path, save(everything)), (path.with_suffix(".json"), text.encode())):
        replace_whole(whole, whole.with_name(f"{whole.name}.part"), data)


def load_acting(path: Path, hardware: Hardware) -> Acting:
    """Load a policy for a robot and its cameras; raises ConfigError naming what does not fit."""
    sheet = read_sheet(path)
    encoding = checked_encoding(path, sheet, hardware)
    try:
        tensors = load_file(path)
        mean, std = tensors.pop(MEAN), tensors.pop(STD)
        agent = make_agent(sheet.agent, encoding, mean, std, 0, f"{path.with_suffix('.json')}: agent")
        agent.load_policy({name.removeprefix("policy."): tensor for name, tensor in tensors.items()})
    except (OSError, SafetensorError, KeyError, AgentError) as error:
        raise ConfigError(f"{path}: not the weights that its JSON speaks of: {error}") from error
    return Acting(agent, encoding, sheet.actions)


def read_sheet(path: Path) -> Sheet:
    """Read the JSON beside a policy's tensors; raises ConfigError."""
    if path.suffix != ".safetensors":
        raise ConfigError(f"{path}: expected a policy as a .safetensors file, with its JSON beside it.")
    beside = path.with_suffix(".json")
    for there in (path, beside):
        if not there.is_file():
            raise ConfigError(
                f"{there}: no such file; a policy is a .safetensors file with its JSON beside it."
            )
    try:
        data = json.loads(beside.read_text(encoding="utf-8"))
    except (ValueError, OSError) as error:
        raise ConfigError(f"{beside}: cannot be read as JSON: {error}") from error
    if not isinstance(data, dict) or data.get("format") != FORMAT:
        given = data.get("format") if isinstance(data, dict) else None
        raise ConfigError(f"{beside}: format {given}; this version reads format {FORMAT}.")
    return from_mapping(Sheet, data, str(beside))


def checked_encoding(path: Path, sheet: Sheet, hardware: Hardware) -> Encoding:
    """Return how the policy sees; ConfigError if it belongs to another robot or sees otherwise."""
    robot = hardware.robot
    if sheet.robot != robot.name or sheet.joint_names != robot.joint_names:
        raise ConfigError(
            f"{path}: trained on robot '{sheet.robot}' with joints {', '.join(sheet.joint_names)}; this is "
            f"'{robot.name}' with {', '.join(robot.joint_names)}."
        )
    encoding = make_encoding(sheet.seeing, hardware)
    if (sheet.encoding, sheet.observation) != (encoding.name, encoding.size):
        raise ConfigError(
            f"{path}: sees {sheet.observation} values of encoding '{sheet.encoding}'; this version encodes "
            f"{encoding.size} values of '{encoding.name}'."
        )
    return encoding


def find_shipped(task: str, robot: Robot) -> Path:
    """Return the policy that comes with Sinew for a task (by name or YAML file) and a robot."""
    name = f"{Path(task).stem.split(':')[-1]}_{robot.name}"
    path = SHIPPED / f"{name}.safetensors"
    if not path.is_file():
        there = [item.stem for item in sorted(SHIPPED.glob("*.safetensors"))]
        raise ConfigError(
            f"no trained policy '{name}' comes with Sinew.{did_you_mean(name, there)} Train one with "
            "`sinew train`, or give the .safetensors file of one."
        )
    return path


def statistics(states: Tensor, floor: float = 1e-2) -> tuple[Tensor, Tensor]:
    """Return the mean and standard deviation (d,) of states (k, d), the latter at least `floor`."""
    deviation, mean = torch.std_mean(states, dim=0, correction=0)
    return mean, deviation.clamp_min(floor)
