"""Rollouts of scripted behaviours through simulator, perception and affordance; rewards come afterwards."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from sinew_core.hardware import Hardware
from sinew_core.protocols import RewardModel, Station
from sinew_core.runtime import Brain, Step, run_episode
from sinew_core.types import FloatArray, JointState, Keypoint, Observation, RewardEstimate, Task

from sinew_eval.benches.reward_order.behaviours import Scenery, UnfitSceneError

STILL = 20  # control periods without a new command, after which nothing happens any more
SAME = 1e-3  # rad or m, by which commands may differ: solving the inverse kinematics anew is not exact
STRAYED = 0.01  # m that the object that is meant may move while another one is handled
HANDLED = 0.02  # m that the other one has to move
STEADY = 80  # control periods of one value before a sight that does not change: longer than any patience


@dataclass(frozen=True, slots=True)
class Rollout:
    """What was observed, without images, and whether it ended in success."""

    observations: Sequence[Observation]
    success: bool


class _AtRest(Exception):  # noqa: N818 - it is no error, only the way out of the loop
    """Nothing will change any more."""


class _NoReward:
    """Rewards are computed from the observations afterwards, for many models at once."""

    def reset(self, task: Task) -> None:
        """Nothing to remember."""

    def estimate(self, observation: Observation) -> RewardEstimate:
        """Return nothing of interest."""
        return RewardEstimate(observation.stamp, 0.0)


def roll_out(
    station: Station, hardware: Hardware, brain: Brain, policy: Any, seed: int, horizon: int
) -> Rollout:
    """Run a behaviour until success, rest or the horizon."""
    kept: list[Observation] = []
    commands: list[FloatArray] = []

    def on_step(step: Step) -> None:
        kept.append(replace(step.observation, frames={}))
        commands.append(step.executed.position)
        still = commands[-STILL:]
        if len(still) == STILL and float(np.ptp(still, axis=0).max()) < SAME:
            raise _AtRest

    success = False
    try:
        result = run_episode(
            station,
            hardware,
            Brain(brain.perception, brain.affordance, _NoReward(), policy),
            seed=seed,
            max_steps=horizon,
            on_step=on_step,
        )
    except _AtRest:
        pass
    else:
        if result.outcome not in ("success", "timeout"):
            raise UnfitSceneError(f"{result.outcome}: {result.message}")
        success = result.success
    return Rollout(kept, success)


def discounted_return(
    rollout: Rollout, model: RewardModel, period: int, horizon: int, discount: float
) -> float:
    """Return the sum of discounted rewards over the horizon, as a learner sees it.

    Success ends the episode: nothing is paid after it. A behaviour at rest goes on as it is: its last
    observation is graded again and again, at later stamps.
    """
    model.reset(rollout.observations[0].task)
    rewards = [model.estimate(observation).value for observation in rollout.observations]
    if not rollout.success:
        rewards += _at_rest(rollout.observations[-1], model, period, horizon - len(rewards))
    return float(np.array(rewards) @ discount ** np.arange(len(rewards)))


def _at_rest(observation: Observation, model: RewardModel, period: int, steps: int) -> list[float]:
    """Return what a sight that does not change pays in `steps` control periods."""
    rewards: list[float] = []
    same = 0
    while len(rewards) < steps and same < STEADY:
        observation = later(observation, period)
        rewards.append(model.estimate(observation).value)
        same = same + 1 if rewards[-1] == rewards[max(len(rewards) - 2, 0)] else 0
    return rewards + [rewards[-1]] * (steps - len(rewards)) if rewards else []


def later(observation: Observation, period: int) -> Observation:
    """Return the same sight a control period later."""
    stamp = observation.stamp + period
    joints = JointState(stamp, observation.joints.position, np.zeros_like(observation.joints.velocity))
    return replace(observation, stamp=stamp, joints=joints)


def scenery_of(station: Station, task: str, seed: int) -> Scenery:
    """Lay out the scene of a seed and return what it is about."""
    world: Any = station.world
    world.reset(seed)
    scene, state = world.scene, world.state()
    objects = {}
    for placed in scene.objects:
        yaw = placed.yaw if placed.spec.shape == "cube" else None
        position = state.objects[placed.spec.name].position
        objects[placed.spec.name] = Keypoint(position, yaw=yaw, extent=np.array(placed.spec.size))
    movable = [placed.spec.name for placed in scene.objects if not placed.spec.static]
    return Scenery(task, scene.moved, scene.target, objects, movable)


def check(name: str, scenery: Scenery, station: Station, rollout: Rollout) -> None:
    """Raise UnfitSceneError unless a behaviour did what its name says, by the simulator's truth."""
    world: Any = station.world
    moved = {
        thing: float(np.linalg.norm(state.position - scenery.objects[thing].position))
        for thing, state in world.state().objects.items()
    }
    if rollout.success != (name == "success"):
        raise UnfitSceneError(f"{name}: it {'succeeded' if rollout.success else 'did not succeed'}")
    if scenery.task == "reach":
        return
    if name == "wrong_object":
        others = [d for thing, d in moved.items() if thing not in (scenery.moved, scenery.target)]
        if moved[scenery.moved] > STRAYED or max(others) < HANDLED:
            raise UnfitSceneError("wrong_object: it moved the right object, or none")
    if name == "near" and moved[scenery.moved] < HANDLED:
        raise UnfitSceneError("near: it did not move the object")
