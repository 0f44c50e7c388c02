"""What scripted episodes are made of: a shaken policy, plans that miss, worlds that linger."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Literal

import numpy as np
from sinew_core.hardware import Hardware
from sinew_core.protocols import AffordanceModel, Arm, Camera, Policy, Station, World
from sinew_core.types import ActionChunk, Affordance, FloatArray, Observation, Refusal, Task

# Done as planned; put down beside the target; done with an empty, open hand.
Behaviour = Literal["follow", "off_target", "empty"]
BEHAVIOURS: tuple[Behaviour, ...] = ("follow", "off_target", "empty")
CALM = 0.5  # s in which noise forgets itself
OFF = (0.03, 0.09)  # m, how far beside the target


class Shaken:
    """A policy whose joint targets are moved about smoothly, the gripper's left as they are.

    The noise is an Ornstein-Uhlenbeck process with the standard deviation that `spread` returns.
    """

    def __init__(
        self, policy: Policy, hardware: Hardware, rng: np.random.Generator, spread: Callable[[], float]
    ) -> None:
        self._policy, self._robot, self._rng, self._spread = policy, hardware.robot, rng, spread
        self._keep = np.exp(-hardware.config.control_period / CALM)
        self._off: FloatArray = np.zeros(len(hardware.robot.joint_names))
        self.keeps_open = False  # the gripper, whatever the policy wants

    def reset(self, task: Task) -> None:
        """Begin an episode."""
        self._policy.reset(task)
        self._off = np.zeros_like(self._off)

    def infer(self, observation: Observation) -> ActionChunk:
        """Return the policy's chunk, moved about."""
        chunk, robot = self._policy.infer(observation), self._robot
        fresh = self._rng.normal(size=len(self._off)) * self._spread()
        self._off = self._keep * self._off + np.sqrt(1 - self._keep**2) * fresh
        self._off[robot.gripper_index] = 0.0
        position = np.clip(chunk.position + self._off, robot.lower, robot.upper)
        if self.keeps_open:
            position[:, robot.gripper_index] = robot.gripper_position(1.0)
        return replace(chunk, position=position)


class OffTarget:
    """An affordance model whose answers aim a few centimetres beside what they should aim at."""

    def __init__(self, model: AffordanceModel, rng: np.random.Generator) -> None:
        self._model, self._rng = model, rng

    def propose(self, observation: Observation, instruction: str) -> Affordance | Refusal:
        """Return the model's answer with waypoints and target moved sideways."""
        answer = self._model.propose(observation, instruction)
        if isinstance(answer, Refusal):
            return answer
        angle, length = self._rng.uniform(0, 2 * np.pi), self._rng.uniform(*OFF)
        off = length * np.array([np.cos(angle), np.sin(angle), 0.0])
        target = answer.target
        if isinstance(target, str):
            target = observation.keypoints[target].position if target in observation.keypoints else None
        if target is None:
            return replace(answer, waypoints=answer.waypoints + off)
        return replace(answer, waypoints=answer.waypoints + off, target=target + off)


class Lingering:
    """A simulated station whose world keeps a success to itself for some control periods."""

    def __init__(self, station: Station, periods: int) -> None:
        assert station.world is not None
        self._station, self._world = station, _LingeringWorld(station.world, periods)

    @property
    def arm(self) -> Arm:
        """The arm."""
        return self._station.arm

    @property
    def cameras(self) -> Mapping[str, Camera]:
        """The cameras by name."""
        return self._station.cameras

    @property
    def world(self) -> World:
        """The simulator, which keeps its success to itself for a while."""
        return self._world

    @property
    def truth(self) -> bool:
        """Whether the task was done at the end of the last control period."""
        return self._world.truth

    @property
    def since(self) -> int:
        """Control periods from the first success of this episode on, itself counted; 0 before it."""
        return self._world.since

    def close(self) -> None:
        """Stop the arm and release every device."""
        self._station.close()


class _LingeringWorld:
    """The world of a Lingering station."""

    def __init__(self, world: World, periods: int) -> None:
        self._world, self._periods = world, periods
        self.truth, self.since = False, 0  # control periods from the first success on

    @property
    def stamp(self) -> int:
        """The simulated time, in ns."""
        return self._world.stamp

    def reset(self, seed: int, instruction: str = "") -> Task:
        """Lay out a new scene."""
        self.truth, self.since = False, 0
        return self._world.reset(seed, instruction)

    def ask(self, instruction: str = "") -> Task:
        """Ask for something else in the scene as it lies."""
        self.truth, self.since = False, 0
        return self._world.ask(instruction)

    def step(self, duration: int) -> None:
        """Advance the physics by `duration` ns."""
        self._world.step(duration)

    def success(self) -> bool:
        """Tell whether the task was done for the first time that many control periods ago."""
        self.truth = self._world.success()
        self.since += self.truth or self.since > 0
        return self.since > self._periods
