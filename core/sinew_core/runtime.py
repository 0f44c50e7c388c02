"""The loop in one process: the same objects that the nodes hold, called in the same order."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import TypeVar

from sinew_core.arbiter import PRIORITY, REFUSED, chunk_fault
from sinew_core.authority import HUMAN, POLICY
from sinew_core.control import ControlPath
from sinew_core.errors import InferenceError
from sinew_core.estimates import answer_fault
from sinew_core.hardware import Hardware, due_cameras
from sinew_core.homing import way_home
from sinew_core.observations import ObservationBuffer
from sinew_core.protocols import AffordanceModel, PerceptionModel, Policy, RewardModel, Station
from sinew_core.types import (
    NANOSECONDS,
    ActionChunk,
    CameraFrame,
    ExecutedCommand,
    JointState,
    Observation,
    Refusal,
    RewardEstimate,
    Task,
)

T = TypeVar("T")
logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Brain:
    """What sits between the cameras and the arm."""

    perception: PerceptionModel
    affordance: AffordanceModel
    reward: RewardModel
    policy: Policy


@dataclass(frozen=True, slots=True)
class Step:
    """One control period as it happened."""

    index: int
    observation: Observation
    reward: RewardEstimate
    executed: ExecutedCommand
    chunks: Mapping[str, ActionChunk] = field(default_factory=dict)  # what was asked for, by source


@dataclass(frozen=True, slots=True)
class EpisodeResult:
    """How an episode ended.

    success, timeout, refused, stopped, error or interrupted; by a person's mark also failure or discarded.
    """

    seed: int
    instruction: str
    outcome: str
    steps: int
    message: str = ""

    @property
    def success(self) -> bool:
        """Whether the task was done."""
        return self.outcome == "success"


OnStep = Callable[[Step], None]
OnEnd = Callable[[Observation, RewardEstimate, bool], None]


def run_episode(
    station: Station,
    hardware: Hardware,
    brain: Brain,
    *,
    seed: int,
    instruction: str = "",
    max_steps: int = 0,
    on_step: OnStep | None = None,
    on_end: OnEnd | None = None,
    human: Policy | None = None,
    again: bool = False,
) -> EpisodeResult:
    """Run one episode on a simulated station in lockstep; whatever happens, the arm ends held.

    With `again` nothing is reset: the arm goes home on its own, and the instruction is about the scene as
    it lies; an empty one undoes the last.

    `human` is whoever may take over, a person or a script: it drives while its chunks have rows, and sees
    the last target sent as `features["target"]`. After that the policy begins anew. An exception of a
    model becomes the outcome `error` with its message; Ctrl-C becomes `interrupted`.

    `on_end` is given what is seen after the last command, its reward, and whether the task was done, as
    learners want it; it is not called where the episode ended otherwise than by success or timeout.
    """
    assert station.world is not None, "run_episode needs a simulated station"
    task = station.world.ask(instruction) if again else station.world.reset(seed, instruction)
    task = replace(task, max_steps=max_steps) if max_steps else task
    episode = _Episode(station, hardware, brain, task, human)
    try:
        if again:
            episode.go_home()
        outcome, message = episode.run(on_step)
        if on_end is not None and outcome in ("success", "timeout"):
            episode.finish(on_end, done=outcome == "success")
    except KeyboardInterrupt:
        outcome, message = "interrupted", "interrupted by the user"
    except InferenceError as error:
        logger.exception("the episode with seed %d ended with an error", seed)
        outcome, message = "error", str(error)
    finally:
        episode.path.hold()
    return EpisodeResult(seed, task.instruction, outcome, episode.steps, message)


class _Episode:
    """The state of one episode."""

    def __init__(
        self, station: Station, hardware: Hardware, brain: Brain, task: Task, human: Policy | None
    ) -> None:
        self.station, self.hardware, self.brain, self.task = station, hardware, brain, task
        self.human = human
        self.path = ControlPath(station, hardware)
        self.steps = 0
        self._buffer = ObservationBuffer(task, round(hardware.config.max_age * NANOSECONDS))
        self._refused: list[str] = []  # commands, and why
        state = station.arm.read()
        self.path.reset(state)
        self._last = ExecutedCommand(state.stamp, state.position, self.path.authority.state.owner)
        for part in (brain.perception, brain.reward, brain.policy, human):
            if part is not None:
                guarded(part, part.reset, task)

    def go_home(self) -> None:
        """Bring the arm home through the control path, so that it hides nothing and begins as ever."""
        joints = self.station.arm.read()
        chunk = way_home(self.hardware.robot, joints, self.hardware.config.control_period)
        self.path.offer(POLICY, chunk, joints.stamp)
        for _ in chunk.position:
            self._last = self.path.execute(self.station.arm.read())
        self.path.reset(self.station.arm.read())

    def run(self, on_step: OnStep | None) -> tuple[str, str]:
        """Return the outcome and its message."""
        world = self.station.world
        assert world is not None
        for index in range(self.task.max_steps):
            observation = self.observe(index)
            if observation.affordance is None:
                answer = guarded(
                    self.brain.affordance, self.brain.affordance.propose, observation, self.task.instruction
                )
                if isinstance(answer, Refusal):
                    return "refused", answer.reason
                self._buffer.affordance = answer
                observation = replace(observation, affordance=answer)
            self.act(index, observation, on_step)
            if world.success():
                return "success", ""
        return "timeout", f"not done after {self.task.max_steps} steps{self._refusals()}"

    def finish(self, on_end: OnEnd, done: bool) -> None:
        """Look once more and grade it."""
        observation = self.observe(self.steps)
        on_end(observation, checked_estimate(self.brain.reward, observation), done)

    def _refusals(self) -> str:
        if not self._refused:
            return ""
        return f"; {len(self._refused)} commands were refused, at last: {self._refused[-1]}"

    def observe(self, index: int) -> Observation:
        """Read what this control period delivers and return what is known in it."""
        joints = self.station.arm.read()
        frames = {
            name: self.station.cameras[name].read()
            for name in due_cameras(self.hardware.config.cameras, index)
        }
        return perceive(self._buffer, self.brain.perception, joints, frames)

    def act(self, index: int, observation: Observation, on_step: OnStep | None) -> None:
        """Grade the observation, ask the policy and send one command."""
        reward = checked_estimate(self.brain.reward, observation)
        policy, joints = self.brain.policy, len(self.hardware.robot.joint_names)
        if self._last.source == HUMAN:  # what it had planned is void, should it be its turn again
            guarded(policy, policy.reset, self.task)
        chunks = {POLICY: checked_infer(policy, observation, joints)}
        if self.human is not None:
            features = {**observation.features, "target": self._last.position.copy()}
            seen = replace(observation, features=features)
            chunks[HUMAN] = checked_infer(self.human, seen, joints, least_rows=0)
        for source in PRIORITY:
            if source in chunks:
                self.path.offer(source, chunks[source], observation.stamp)
        executed = self._last = self.path.execute(observation.joints)
        self._refused += [r.removeprefix(REFUSED) for r in executed.reasons if r.startswith(REFUSED)]
        self.steps = index + 1
        if on_step is not None:
            on_step(Step(index, observation, reward, executed, chunks))


def perceive(
    buffer: ObservationBuffer,
    perception: PerceptionModel,
    joints: JointState,
    frames: Mapping[str, CameraFrame],
) -> Observation:
    """Put one control period's joints and frames, and what is seen in them, into the buffer."""
    buffer.add_joints(joints)
    buffer.add_frames(frames)
    if frames:
        buffer.add_percept(guarded(perception, perception.process, frames, joints))
    observation = buffer.build()
    assert observation is not None
    return observation


def guarded(model: object, call: Callable[..., T], *arguments: object) -> T:
    """Call a model's method; whatever it raises becomes an InferenceError that names the model."""
    try:
        return call(*arguments)
    except Exception as error:
        raise InferenceError(f"{type(model).__name__}: {type(error).__name__}: {error}") from error


def checked_estimate(model: RewardModel, observation: Observation) -> RewardEstimate:
    """Ask a reward model; anything but a finite estimate of this observation is an InferenceError."""
    estimate = guarded(model, model.estimate, observation)
    fault = answer_fault(estimate, observation.stamp)
    if fault:
        raise InferenceError(f"{type(model).__name__} answered {fault}")
    return estimate


def checked_infer(policy: Policy, observation: Observation, joints: int, least_rows: int = 1) -> ActionChunk:
    """Ask a policy; anything but a usable chunk for `joints` joints is an InferenceError.

    With `least_rows` 0 a chunk may be empty, which means that nothing is wanted now.
    """
    chunk = guarded(policy, policy.infer, observation)
    if not isinstance(chunk, ActionChunk):
        raise InferenceError(
            f"{type(policy).__name__}: returned {type(chunk).__name__}, expected ActionChunk"
        )
    if least_rows == 0 and chunk.position.shape == (0, joints):
        return chunk
    fault = chunk_fault(chunk, joints)
    if fault is not None:
        raise InferenceError(f"{type(policy).__name__}: {fault}")
    return chunk
