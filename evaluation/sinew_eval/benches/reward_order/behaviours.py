"""Scripted behaviours from very good to useless, made of the policy and of affordances that are off."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import numpy as np
from sinew_core.hardware import Hardware
from sinew_core.types import ActionChunk, Affordance, FloatArray, Keypoint, Observation, Refusal, Task
from sinew_perception.rule_grounding import Config as RuleConfig
from sinew_perception.rule_grounding import RuleGrounding
from sinew_perception.waypoints import Margins, place_waypoints
from sinew_policies.affordance_follower import AffordanceFollower
from sinew_policies.affordance_follower import Config as FollowerConfig

ORDER = ("success", "near", "wrong_object", "idle", "loitering")  # the best first
BESIDE = 0.02  # m between a target and what is dropped beside it
SHORT = 0.05  # m from the target, where a push ends too early
AIMED_OFF = 0.04  # m from where the tip should be
REACHED = 0.02  # m from a waypoint, where loitering begins
CLOSED = 0.62  # aperture under which the hand is not empty
LANE = 0.06  # m beside the way of a push
SENTENCES = {
    "pick_place": "put the {0} in the {1}",
    "push": "push the {0} to the {1}",
    "stack": "stack the {0} on the {1}",
    "reach": "go to the {0}",
}


class UnfitSceneError(Exception):
    """A scene in which a behaviour cannot be shown, with why."""


@dataclass(frozen=True, slots=True)
class Scenery:
    """What a scene is about, and what it would look like to perception without error."""

    task: str
    moved: str  # the simulator's names: "red cube"
    target: str | None
    objects: Mapping[str, Keypoint]
    movable: Sequence[str]


Amend = Callable[[Observation], Affordance]


class Scripted:
    """The follower, given another affordance than the reward's, and told where to stop for good."""

    def __init__(self, hardware: Hardware, amend: Amend | None, loiter_at: int | None = None) -> None:
        self._policy = AffordanceFollower(FollowerConfig(), hardware)
        self._robot, self._amend, self._loiter_at = hardware.robot, amend, loiter_at
        self._amended: Affordance | None = None
        self._joints: FloatArray | None = None  # (1, n) where it stays
        self.staying = False

    def reset(self, task: Task) -> None:
        """Begin an episode."""
        self._policy.reset(task)
        self._amended, self._joints, self.staying = None, None, False

    def infer(self, observation: Observation) -> ActionChunk:
        """Return what the follower makes of the amended affordance, or the joints to stay at."""
        affordance = observation.affordance
        if affordance is not None and self._loiter_at is not None and self._joints is None:
            self.staying = self._is_at(self._loiter_at, affordance, observation)
        if affordance is not None and self._amend is not None and self._amended is None:
            self._amended = self._amend(observation)
        seen = observation if self._amended is None else replace(observation, affordance=self._amended)
        if self._joints is not None:
            return ActionChunk(observation.stamp, 0.05, self._joints.copy())
        chunk = self._policy.infer(seen)
        if self.staying:
            self._joints = chunk.position[:1].copy()
        return chunk

    def _is_at(self, place: int, affordance: Affordance, observation: Observation) -> bool:
        tip = self._robot.chain.pose(self._robot.tip_link, observation.joints.position)[:3, 3]
        if affordance.grasp is None:
            return _near_to(tip, affordance.waypoints[place])
        seen = observation.keypoints.get(str(affordance.grasp))
        if place == 0:
            return seen is not None and _near_to(tip, seen.position)
        closed = self._robot.aperture(observation.joints.position) < CLOSED
        return closed == (place > 1) and _near_to(tip, affordance.waypoints[max(place - 2, 0)])


def _near_to(tip: FloatArray, place: FloatArray) -> bool:
    return float(np.linalg.norm(tip - place)) <= REACHED


class Idle:
    """Stays where the arm is at first."""

    def __init__(self) -> None:
        self._joints: FloatArray | None = None  # (1, n)

    def reset(self, task: Task) -> None:
        """Begin an episode."""
        self._joints = None

    def infer(self, observation: Observation) -> ActionChunk:
        """Return the first joints again."""
        if self._joints is None:
            self._joints = observation.joints.position[None].copy()
        return ActionChunk(observation.stamp, 0.05, self._joints.copy())


def shown(task: str) -> list[str]:
    """Return the behaviours that a task knows, the best first.

    To reach for something has one waypoint, the goal, so there is none to loiter at; and no other object
    is ever handled: a hand that goes to one merely goes away from the goal.
    """
    return ["success", "near", "idle"] if task == "reach" else list(ORDER)


def loitering_places(task: str) -> int:
    """Return how many places of a task's path there are to loiter at, the last waypoint apart.

    To grasp: at the object, over it with an empty hand, over it with the object, and over the target.
    To push: over the place behind the object, and behind it.
    """
    return {"pick_place": 4, "stack": 4, "push": 2}[task]


def make_behaviour(name: str, scenery: Scenery, hardware: Hardware, place: int) -> Any:
    """Return the policy of a behaviour; raises UnfitSceneError where the scene has no room for it.

    `place` says where to loiter.
    """
    if name == "idle":
        return Idle()
    if name == "success":
        return Scripted(hardware, None)
    if name == "loitering":
        return Scripted(hardware, None, loiter_at=place % loitering_places(scenery.task))
    if name == "near":
        return Scripted(hardware, _near(scenery, hardware))
    return Scripted(hardware, _wrong(scenery, hardware))


def _near(scenery: Scenery, hardware: Hardware) -> Amend:
    if scenery.target is None:
        robot = hardware.robot
        return partial(_aimed_off, robot.chain.pose(robot.tip_link, robot.home)[:3, 3])
    item, target = scenery.objects[scenery.moved], scenery.objects[scenery.target]
    if scenery.task == "push":
        way = target.position - item.position
        short = target.position - SHORT * way / np.linalg.norm(way[:2])
        return lambda observation: _retargeted(observation, short, None)
    point = _beside(scenery, item, target)

    def beside(observation: Observation) -> Affordance:
        seen = observation.keypoints
        moved = seen[_affordance(observation).moves or ""]
        table = Keypoint(point, extent=np.array([0.03, 0.03, 0.0]))
        waypoints = place_waypoints(moved, table, seen.values(), inside=False, margins=Margins())
        return _retargeted(observation, point, waypoints)

    return beside


def _aimed_off(tip: FloatArray, observation: Observation) -> Affordance:
    """Aim beside the goal as seen from the tip, so that it does not pass through it on its way."""
    affordance = _affordance(observation)
    way = affordance.waypoints[-1] - tip
    beside = np.cross(way, (0.0, 0.0, 1.0) if np.hypot(way[0], way[1]) > abs(way[2]) else (1.0, 0.0, 0.0))
    return replace(affordance, waypoints=affordance.waypoints + AIMED_OFF * beside / np.linalg.norm(beside))


def _retargeted(observation: Observation, point: FloatArray, waypoints: FloatArray | None) -> Affordance:
    affordance = _affordance(observation)
    waypoints = affordance.waypoints if waypoints is None else waypoints
    return replace(affordance, target=point, waypoints=waypoints)


def _affordance(observation: Observation) -> Affordance:
    assert observation.affordance is not None
    return observation.affordance


def _beside(scenery: Scenery, item: Keypoint, target: Keypoint) -> FloatArray:
    """Return the point (3,) on the table beside the target that is the farthest from everything else."""
    reach = _half(target) + _half(item) + BESIDE
    angles = np.arange(16) * np.pi / 8
    points = target.position[:2] + reach * np.stack([np.cos(angles), np.sin(angles)], axis=1)
    others = [thing for name, thing in scenery.objects.items() if name not in (scenery.moved, scenery.target)]

    def room(point: FloatArray) -> float:
        gaps = [np.linalg.norm(point - o.position[:2]) - _half(o) - _half(item) for o in others]
        return float(min(gaps, default=1.0))

    best = max(points, key=lambda point: (round(min(room(point), 0.05), 3), -float(np.linalg.norm(point))))
    if room(best) < 0.01:
        raise UnfitSceneError("no room beside the target")
    return np.array([*best, 0.0])


def _half(thing: Keypoint) -> float:
    assert thing.extent is not None
    return (
        float(np.hypot(*thing.extent[:2])) / 2 if thing.yaw is not None else float(max(thing.extent[:2])) / 2
    )


def _wrong(scenery: Scenery, hardware: Hardware) -> Amend:
    other = _other(scenery)
    sentence = SENTENCES[scenery.task].format(other, scenery.target)
    grounding = RuleGrounding(RuleConfig())

    def wrong(observation: Observation) -> Affordance:
        answer = grounding.propose(observation, sentence)
        if isinstance(answer, Refusal):
            raise UnfitSceneError(f"{sentence}: {answer.reason}")
        return replace(answer, instruction=sentence)

    return wrong


def _other(scenery: Scenery) -> str:
    """Return another thing than the one that is meant; for a push, one with a free way."""
    others = [name for name in scenery.movable if name not in (scenery.moved, scenery.target)]
    if scenery.task == "push" and scenery.target is not None:
        end = scenery.objects[scenery.target].position[:2]
        spared = scenery.objects[scenery.moved].position[:2]
        others = [o for o in others if _distance(spared, scenery.objects[o].position[:2], end) > LANE]
    if not others:
        raise UnfitSceneError("no other object to act on")
    return others[0]


def _distance(point: FloatArray, start: FloatArray, end: FloatArray) -> float:
    """Return the distance of a point from a segment that begins a little before its start, m."""
    way = end - start
    start = start - 0.05 * way / np.linalg.norm(way)
    way = end - start
    share = np.clip((point - start) @ way / (way @ way), 0.0, 1.0)
    return float(np.linalg.norm(point - start - share * way))
