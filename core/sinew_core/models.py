"""Builds the models between cameras and arm from the names that users give; the same for every graph."""

from __future__ import annotations

from typing import Any, TypeVar

from sinew_core.hardware import Hardware
from sinew_core.plugins import build, plugin_spec
from sinew_core.protocols import AffordanceModel, PerceptionModel, Policy, RewardModel

T = TypeVar("T")

# Where the short names of each kind live.
HOMES = {
    "task": "sinew_sim.tasks",
    "policy": "sinew_policies",
    "reward": "sinew_rewards",
    "affordance": "sinew_perception",
}

LEARNED = "sinew_policies.learned.policy:Learned"  # what the weights of a trained policy belong to

LEARNED_REWARD = "sinew_rewards.learned.reward:LearnedReward"  # likewise, of a learned reward
WEIGHED = {"policy": LEARNED, "reward": LEARNED_REWARD}

# Short names of models that are folders of their own in their home.
NAMED = {
    "policy": {"learned": LEARNED},
    "reward": {"success_classifier": "sinew_rewards.classifier.model:SuccessClassifier"},
    "affordance": {
        "sinew_ground": "sinew_perception.ground.model:SinewGround",
        "visual_prompting": "sinew_perception.visual_prompting.model:VisualPrompting",
    },
}


def named_spec(kind: str, name: str) -> dict[str, Any]:
    """Return the plugin mapping of a `task`, `policy`, `reward` or `affordance`; raises ConfigError.

    A policy or a reward may be given as the `.safetensors` file that a training left.
    """
    if name.endswith(".safetensors") and kind in WEIGHED:
        return {"plugin": WEIGHED[kind], "weights": name}
    named = NAMED.get(kind, {})
    return plugin_spec(named.get(name, name), HOMES[kind], kind, also=named)


def make_perception(hardware: Hardware, task: str) -> PerceptionModel:
    """Build the perception model that the hardware file names."""
    where = f"{hardware.path}: perception"
    return build(hardware.config.perception, PerceptionModel, where, **_context(hardware, task))


def make_affordance(name: str, hardware: Hardware, task: str) -> AffordanceModel:
    """Build an affordance model by short name, `module:Class` or YAML file."""
    return _make("affordance", name, AffordanceModel, hardware, task)


def make_reward(name: str, hardware: Hardware, task: str) -> RewardModel:
    """Build a reward model by short name, `module:Class` or YAML file."""
    return _make("reward", name, RewardModel, hardware, task)


def make_policy(name: str, hardware: Hardware, task: str) -> Policy:
    """Build a policy by short name, `module:Class` or YAML file."""
    return _make("policy", name, Policy, hardware, task)


def _make(kind: str, name: str, protocol: type[T], hardware: Hardware, task: str) -> T:
    return build(named_spec(kind, name), protocol, f"{kind} {name}", **_context(hardware, task))


def _context(hardware: Hardware, task: str) -> dict[str, object]:
    """Return what a constructor may ask for by name."""
    return {"hardware": hardware, "robot": hardware.robot, "cameras": hardware.cameras, "task": task}
