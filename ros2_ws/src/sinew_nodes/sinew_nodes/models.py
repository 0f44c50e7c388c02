"""Builds the models that the nodes hold, just as a run in one process builds them."""

from __future__ import annotations

from sinew_core.hardware import Hardware
from sinew_core.plugins import build, plugin_spec
from sinew_core.protocols import AffordanceModel, PerceptionModel, Policy, RewardModel

from sinew_nodes.parameters import (
    AffordanceParameters,
    GraphParameters,
    PolicyParameters,
    RewardParameters,
)


def make_perception(parameters: GraphParameters, hardware: Hardware) -> PerceptionModel:
    """Build the perception model that the hardware file names."""
    where = f"{hardware.path}: perception"
    return build(hardware.config.perception, PerceptionModel, where, **_context(parameters, hardware))


def make_affordance(parameters: AffordanceParameters, hardware: Hardware) -> AffordanceModel:
    """Build the affordance model."""
    name = parameters.affordance
    spec = plugin_spec(name, "sinew_perception", "affordance model")
    return build(spec, AffordanceModel, f"affordance {name}", **_context(parameters, hardware))


def make_reward(parameters: RewardParameters, hardware: Hardware) -> RewardModel:
    """Build the reward model."""
    spec = plugin_spec(parameters.reward, "sinew_rewards", "reward model")
    return build(spec, RewardModel, f"reward {parameters.reward}", **_context(parameters, hardware))


def make_policy(parameters: PolicyParameters, hardware: Hardware) -> Policy:
    """Build the policy."""
    spec = plugin_spec(parameters.policy, "sinew_policies", "policy")
    return build(spec, Policy, f"policy {parameters.policy}", **_context(parameters, hardware))


def _context(parameters: GraphParameters, hardware: Hardware) -> dict[str, object]:
    return {
        "hardware": hardware,
        "robot": hardware.robot,
        "cameras": hardware.cameras,
        "task": parameters.task,
    }
