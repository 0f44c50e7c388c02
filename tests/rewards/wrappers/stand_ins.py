"""Rewards that say what a test has written down, and observations to say it of."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from sinew_core.hardware import Hardware
from sinew_core.models import named_spec
from sinew_core.plugins import build
from sinew_core.protocols import RewardModel
from sinew_core.types import Observation, RewardEstimate, Task

from tests.contract.observations import TASK, observe

HERE = "tests.rewards.wrappers.stand_ins"
HOME = "sinew_rewards.wrappers"


@dataclass(frozen=True, slots=True)
class Config:
    """One entry an observation, the last one for ever."""

    values: tuple[float, ...] = (0.0,)
    success: tuple[float | None, ...] = (None,)
    progress: tuple[float | None, ...] = (None,)
    uncertainty: tuple[float | None, ...] = (None,)
    terms: Mapping[str, tuple[float, ...]] = field(default_factory=dict)


class Told:
    """Says what is written down."""

    def __init__(self, config: Config) -> None:
        self._config, self._count = config, 0

    def reset(self, task: Task) -> None:
        self._count = 0

    def estimate(self, observation: Observation) -> RewardEstimate:
        c, i = self._config, self._count
        self._count += 1

        def at(row: Sequence[Any]) -> Any:
            return row[min(i, len(row) - 1)]

        said = (at(row) for row in (c.values, c.success, c.progress, c.uncertainty))
        return RewardEstimate(observation.stamp, *said, {name: at(row) for name, row in c.terms.items()})


@dataclass(frozen=True, slots=True)
class WrongConfig:
    how: str


class Wrong:
    """Answers something that is no estimate of the observation."""

    def __init__(self, config: WrongConfig) -> None:
        self._how = config.how
        self.needs_frames = config.how == "looking"

    def reset(self, task: Task) -> None:
        if self._how == "reset":
            raise RuntimeError("no episode today")

    def estimate(self, observation: Observation) -> Any:
        stamp = observation.stamp
        if self._how == "raises":
            raise RuntimeError("the network is gone")
        return {
            "late": RewardEstimate(stamp - 1, 0.0),
            "array": RewardEstimate(stamp, np.zeros(3)),  # type: ignore[arg-type]
            "nan": RewardEstimate(stamp, float("nan")),
            "number": 0.5,
            "success": RewardEstimate(stamp, 0.0, success=1.5),
            "progress": RewardEstimate(stamp, 0.0, progress=float("nan")),
            "uncertainty": RewardEstimate(stamp, 0.0, uncertainty=-1.0),
            "term": RewardEstimate(stamp, 0.0, terms={"height": np.zeros((2, 2))}),  # type: ignore[dict-item]
            "reset": RewardEstimate(stamp, 0.0),
        }[self._how]


def told(*values: float, **more: Any) -> dict[str, Any]:
    """Return the plugin that says these values."""
    return {"plugin": f"{HERE}:Told", "values": values or (0.0,), **more}


def wrong(how: str) -> dict[str, Any]:
    return {"plugin": f"{HERE}:Wrong", "how": how}


def named(name: str) -> dict[str, Any]:
    return named_spec("reward", name)


def make(spec: Mapping[str, Any], hardware: Hardware) -> RewardModel:
    """Build a reward in the context of the graph, and begin an episode."""
    context = {"hardware": hardware, "robot": hardware.robot, "cameras": hardware.cameras, "task": TASK.name}
    model = build(spec, RewardModel, "test", **context)
    model.reset(TASK)
    return model


def wrapper(name: str, **fields: Any) -> dict[str, Any]:
    """Return the plugin mapping of a wrapper by its module's name."""
    camel = "".join(part.capitalize() for part in name.split("_"))
    return {"plugin": f"{HOME}.{name}:{camel}", **fields}


def run(spec: Mapping[str, Any], hardware: Hardware, steps: int) -> list[RewardEstimate]:
    """Return the estimates of an episode in which nothing is seen."""
    model = make(spec, hardware)
    return [model.estimate(observe(hardware, step=step)) for step in range(steps)]
