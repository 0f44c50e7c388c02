"""Node parameters: one frozen dataclass per node, its defaults being the only ones."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import TypeVar

from rclpy.node import Node
from sinew_core.config import from_mapping

T = TypeVar("T")

# What rclpy itself reads from the same overrides.
STANDARD = ("use_sim_time", "start_type_description_service")


@dataclass(frozen=True, slots=True)
class GraphParameters:
    """What every node of the graph needs to know."""

    hardware: str
    task: str
    pace: str = "hardware"  # realtime | lockstep | hardware: as the hardware file says


@dataclass(frozen=True, slots=True)
class StationParameters(GraphParameters):
    """Of station_node."""

    max_steps: int = 400  # control periods, for a station without a world and a goal that names none
    answer_timeout: float = 10.0  # s that the policy and the reward may take in one control period
    affordance_timeout: float = 120.0  # s
    success_threshold: float = 0.9  # of RewardEstimate.success, on a station without a world


@dataclass(frozen=True, slots=True)
class AffordanceParameters(GraphParameters):
    """Of affordance_node."""

    affordance: str = "rule_grounding"
    affordance_timeout: float = 100.0  # s that an answer may take; sooner than the station's own

    def __post_init__(self) -> None:
        """Check that there is time for an answer."""
        if self.affordance_timeout <= 0:
            raise ValueError(f"affordance_timeout: expected more than 0 s, got {self.affordance_timeout}.")


@dataclass(frozen=True, slots=True)
class RewardParameters(GraphParameters):
    """Of reward_node."""

    reward: str = "affordance_path"
    reward_timeout: float = 2.0  # s that one estimate may take before the episode ends with an error

    def __post_init__(self) -> None:
        """Check that there is time for an estimate."""
        if self.reward_timeout <= 0:
            raise ValueError(f"reward_timeout: expected more than 0 s, got {self.reward_timeout}.")


@dataclass(frozen=True, slots=True)
class PolicyParameters(GraphParameters):
    """Of policy_node."""

    policy: str = "affordance_follower"


@dataclass(frozen=True, slots=True)
class ActorParameters(PolicyParameters):
    """Of actor_node."""

    policy: str = ""  # that acts until the first weights come; empty: the arm is held
    run: str = "run"  # the training that it acts for
    spool: str = "actor"  # folder of what the learner has not acknowledged, and of the last weights
    limit: float = 2.0  # GB that may wait there
    fragment: int = 1  # transitions a file; those that fill none yet die with the process
    greedy: bool = False  # the most likely action, instead of a drawn one
    images: bool = False  # take in camera frames, for weights that see them

    def __post_init__(self) -> None:
        """Check the ranges."""
        if self.limit <= 0 or not 1 <= self.fragment <= 1024:
            raise ValueError("limit: expected more than 0 GB; fragment: 1 to 1024 transitions.")


@dataclass(frozen=True, slots=True)
class LearnerParameters:
    """Of learner_node."""

    out: str  # directory of the training
    run: str = "run"  # its name, which the actors are given, too
    config: str = ""  # YAML file with fields of a training, as for `sinew train --config`
    hardware: str = ""  # instead of the one there; only its description is read
    task: str = ""  # likewise
    actors: int = 1  # that may act at a time
    silence: float = 10.0  # s, after which an actor may be replaced
    publish_every: int = 50  # update calls between two versions of the weights
    pace: float = 1.0  # update calls for each transition that has come; 0: as many as the machine makes
    threads: int = 2  # of the arithmetic


@dataclass(frozen=True, slots=True)
class RecorderParameters(GraphParameters):
    """Of recorder_node."""

    dataset: str = "dataset"  # folder
    policy: str = ""  # as the policy node was given it, for the recording to say; likewise the others
    reward: str = ""
    affordance: str = ""
    minimum_free: float = 1.0  # GB of disk without which no episode is begun


@dataclass(frozen=True, slots=True)
class TeleopParameters(GraphParameters):
    """Of teleop_node."""

    source: str = "keyboard"
    rate: float = 50.0  # Hz, at which the device is asked for stops and marks


@dataclass(frozen=True, slots=True)
class ManagerParameters:
    """Of lifecycle_manager."""

    nodes: tuple[str, ...]  # in the order in which they come up
    record: bool = False  # whether there is a recorder_node, which comes up first and goes last
    learn: bool = False  # whether an actor stands for policy_node; it brings itself up, and may come and go
    service_timeout: float = 30.0  # s until a node's services are there
    transition_timeout: float = 120.0  # s; loading a large model takes its time


def read_parameters(node: Node, kind: type[T], free: tuple[str, ...] = ()) -> T:
    """Read the parameters that a node was started with; an unknown or missing one is a ConfigError.

    The node must declare parameters from overrides. What begins with one of `free` is left alone.
    """
    others = ("qos_overrides.", *free)
    names = [name for name in node.get_parameters_by_prefix("") if not name.startswith(others)]
    given = {name: node.get_parameter(name).value for name in names if name not in STANDARD}
    # YAML infers a whole number where a float was meant.
    floats = {field.name for field in dataclasses.fields(kind) if field.type == "float"}  # type: ignore[arg-type]
    values = {
        name: float(value) if name in floats and isinstance(value, int) else value
        for name, value in given.items()
    }
    return from_mapping(kind, values, f"{node.get_fully_qualified_name()}: parameters")
