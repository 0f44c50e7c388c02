"""Which shapes a barrier keeps apart, and which it leaves out, each with its reason."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from functools import lru_cache

import mujoco
import numpy as np
from sinew_core.robot import Robot
from sinew_core.types import FloatArray

from sinew_safety.collision_model import CollisionModel, Indices
from sinew_safety.shapes import OBSTACLE, TABLE, TIP, WALL

SAMPLES = 400  # random joint positions from which the search for the nearest approach begins
STARTS = 3  # of these, the nearest, from which on it goes down
DESCENT = 15  # steps down
LONGEST = 0.4  # rad or m, of such a step
NEVER_NEAR = 0.01  # m, above which what was found counts as out of reach of one another
STILL = 1e-6  # m, below which a distance counts as constant


@dataclass(frozen=True, slots=True)
class Pairs:
    """Shapes that are kept apart."""

    first: Indices  # (k,)
    second: Indices  # (k,)
    constraint: tuple[str, ...]  # (k,)
    label: tuple[str, ...]  # (k,) what a reason says: the link, the obstacle, or the two links
    left_out: dict[str, str]  # links that are not watched, and why


@dataclass(frozen=True, slots=True)
class _Candidate:
    first: int
    second: int
    constraint: str
    label: str


@dataclass(frozen=True, slots=True)
class _Search:
    """A search for pairs; two of the same robot among the same shapes are equal."""

    key: bytes
    robot: Robot = field(compare=False)
    collision: CollisionModel = field(compare=False)


def find_pairs(robot: Robot, collision: CollisionModel) -> Pairs:
    """Return every pair that a barrier has to watch; the same arrays again for the same shapes.

    Left out are links that a joint joins, the gripper's fingers among themselves, what touches in every
    pose, and what cannot come near; the last two are searched for, from the same random poses each time.
    """
    return _find(_Search(_key(robot, collision), robot, collision))


def _key(robot: Robot, collision: CollisionModel) -> bytes:
    """Return what the pairs depend on: the shapes with all their numbers, the gripper, how far joints go."""
    model = np.empty(mujoco.mj_sizeModel(collision.model), np.uint8)
    mujoco.mj_saveModel(collision.model, None, model)
    seen = hashlib.sha256(model.tobytes())
    for part in (robot.lower, robot.upper):
        seen.update(part.tobytes())
    seen.update(repr((robot.joint_names, robot.gripper, robot.mimic)).encode())
    return seen.digest()


@lru_cache(maxsize=8)  # every episode asks anew, and the search takes longer than a short episode
def _find(search: _Search) -> Pairs:
    robot, collision = search.robot, search.collision
    kept, reasons = [], {}
    candidates, left_out = _candidates(robot, collision)
    first, second = _ends(candidates)
    distances = _sampled(robot, collision, first, second)
    for k, candidate in enumerate(candidates):
        why = _why_not(robot, collision, candidate, distances[:, k])
        if why:
            reasons[candidate.label] = why
        else:
            kept.append(candidate)
    first, second = _ends(kept)
    labels = tuple(candidate.label for candidate in kept)
    left_out.update({label: why for label, why in reasons.items() if label not in labels})
    return Pairs(first, second, tuple(candidate.constraint for candidate in kept), labels, left_out)


def _ends(candidates: list[_Candidate]) -> tuple[Indices, Indices]:
    first = np.array([candidate.first for candidate in candidates], dtype=np.intp)
    return first, np.array([candidate.second for candidate in candidates], dtype=np.intp)


def _candidates(robot: Robot, collision: CollisionModel) -> tuple[list[_Candidate], dict[str, str]]:
    """Return the pairs that joints move, and what the robot's structure leaves out."""
    pairs: list[_Candidate] = []
    left_out: dict[str, str] = {}
    fingers = _fingers(robot, collision)
    names, links, moved = collision.names, collision.links, collision.moving
    for a, name in enumerate(names):
        for b, other in enumerate(names):
            if other == TIP:
                if name.startswith(WALL):
                    pairs.append(_Candidate(a, b, "walls", name.removeprefix(WALL)))
            elif name == TABLE and moved[b]:
                pairs.append(_Candidate(a, b, "table", links[b]))
            elif name.startswith(OBSTACLE) and moved[b]:
                pairs.append(_Candidate(a, b, "obstacle", name.removeprefix(OBSTACLE)))
            elif not name and not other and a < b and links[a] != links[b]:
                label = f"{links[b]}/{links[a]}"
                why = _structural(collision, fingers, a, b)
                if why:
                    left_out[label] = why
                else:
                    pairs.append(_Candidate(a, b, "self", label))
    return pairs, left_out


def _structural(collision: CollisionModel, fingers: set[str], a: int, b: int) -> str:
    model = collision.model
    one, other = model.geom_bodyid[a], model.geom_bodyid[b]
    if model.body_parentid[one] == other or model.body_parentid[other] == one:
        return "joined by a joint"
    if collision.links[a] in fingers and collision.links[b] in fingers:
        return "fingers are there to close"
    return ""


def _fingers(robot: Robot, collision: CollisionModel) -> set[str]:
    """Return the links that the gripper's joint, or one that follows it, moves."""
    model = collision.model
    followers = {name for name, (leader, _, _) in robot.mimic.items() if leader == robot.gripper.joint}
    columns = [i for i in range(model.njnt) if model.joint(i).name in followers | {robot.gripper.joint}]
    return {
        link for link, moved in zip(collision.links, collision.joints, strict=True) if moved[columns].any()
    }


def _poses(robot: Robot) -> FloatArray:
    """Return random joint positions (SAMPLES, n) inside the limits, the same ones each time."""
    return np.random.default_rng(0).uniform(robot.lower, robot.upper, (SAMPLES, len(robot.lower)))


def _sampled(robot: Robot, collision: CollisionModel, first: Indices, second: Indices) -> FloatArray:
    """Return the distances (SAMPLES, k) m at the random poses."""
    distances = np.empty((SAMPLES, len(first)))
    for i, position in enumerate(_poses(robot)):
        collision.pose(position)
        distances[i] = collision.distances(first, second)
    return distances


def _why_not(robot: Robot, collision: CollisionModel, pair: _Candidate, distances: FloatArray) -> str:
    """Return why a pair need not be watched, or nothing; obstacles and walls are always watched."""
    if pair.constraint in ("obstacle", "walls"):
        return ""
    if pair.constraint == "table":
        return "turns level with the table" if np.ptp(distances) < STILL else ""
    if distances.max() <= 0:
        return "touches in every pose"
    starts = _poses(robot)[np.argsort(distances)[:STARTS]]
    if distances.min() <= NEVER_NEAR or any(_comes_near(robot, collision, pair, q) for q in starts):
        return ""
    return "cannot come near"


def _comes_near(robot: Robot, collision: CollisionModel, pair: _Candidate, position: FloatArray) -> bool:
    """Tell whether going down the distance from a pose (n,), inside the limits, brings a pair together."""
    first, second = _ends([pair])
    for _ in range(DESCENT):
        collision.pose(position)
        near = collision.witnesses(first, second)
        if near.distance[0] <= NEVER_NEAR:
            return True
        slope = collision.gradients(first, second, near)[0]
        step = -slope * near.distance[0] / max(float(slope @ slope), 1e-9)
        step *= min(1.0, LONGEST / max(float(np.abs(step).max()), 1e-9))
        position = np.clip(position + step, robot.lower, robot.upper)
    return False
