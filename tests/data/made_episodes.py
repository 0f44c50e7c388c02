"""Episodes for the tests of show, export and replay: run on a fake station, or put together step by step."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from sinew_core.hardware import Hardware, load_hardware
from sinew_core.protocols import Policy
from sinew_core.runtime import Brain, Step, run_episode
from sinew_core.types import (
    NANOSECONDS,
    ActionChunk,
    Affordance,
    CameraFrame,
    ExecutedCommand,
    FloatArray,
    JointState,
    Keypoint,
    Observation,
    Percept,
    RewardEstimate,
    Task,
)
from sinew_data.episode import EpisodeStart, start_of
from sinew_data.recording import record_episode

ROBOTS = Path(__file__).parents[2] / "hardware_configs" / "robots"
PERIOD = 50_000_000  # ns
START = 10 * NANOSECONDS
TASK = Task("test", "put the red cube on the blue cube", 400)

HARDWARE = """
robot: {robots}/{robot}
station: {{plugin: "sinew_core.fakes:FakeStation", world: {world}}}
control_period: {period}
pace: {pace}
cameras:
  top: {{width: {width}, height: 48, fovy: 50.0, position: [0.2, 0.0, 0.6], look_at: [0.2, 0.01, 0.0]}}
  side: {{width: 32, height: 32, fovy: 50.0, position: [0.6, 0, 0.4], look_at: [0.2, 0, 0], depth: false}}
safety: {{floor: 0.01, workspace_lower: [-0.5, -0.5, 0.0], workspace_upper: [0.8, 0.5, 0.8]}}
scene: {{lower: [0.15, -0.1], upper: [0.25, 0.1]}}
perception: {{plugin: "tests.nowhere:Nothing"}}
"""


def make_hardware(
    folder: Path,
    name: str = "fake",
    *,
    robot: str | Path = "so101",
    world: bool = True,
    period: float = 0.05,
    width: int = 64,
) -> Hardware:
    text = HARDWARE.format(
        robots=ROBOTS,
        robot=robot,
        world="true" if world else "false",
        period=period,
        pace="lockstep" if world else "realtime",
        width=width,
    )
    if isinstance(robot, Path):
        text = text.replace(f"{ROBOTS}/", "")
    path = folder / f"{name}.yaml"
    path.write_text(text)
    return load_hardware(str(path))


class NoPerception:
    def reset(self, task: Task) -> None:
        pass

    def process(self, frames: Mapping[str, CameraFrame], joints: JointState) -> Percept:
        return Percept(joints.stamp)


class Anywhere:
    def propose(self, observation: Observation, instruction: str) -> Affordance:
        nowhere = np.zeros((0, 3))
        return Affordance(
            observation.stamp, instruction, None, nowhere, None, "test", np.zeros(0, dtype=bool)
        )


class Counting:
    def reset(self, task: Task) -> None:
        pass

    def estimate(self, observation: Observation) -> RewardEstimate:
        return RewardEstimate(observation.stamp, float(observation.joints.position[0]))


@dataclass
class Scripted:
    """Goes to one goal after the other, each for some periods; where there is none it wants nothing."""

    goals: Sequence[FloatArray | None]
    each: int = 10
    asked: int = 0

    def reset(self, task: Task) -> None:
        self.asked = 0

    def infer(self, observation: Observation) -> ActionChunk:
        goal = self.goals[min(self.asked // self.each, len(self.goals) - 1)]
        self.asked += 1
        near = observation.joints.position
        if goal is None:
            return ActionChunk(observation.stamp, 0.0, np.zeros((0, len(near))))
        step = np.clip(goal - near, -0.4, 0.4)  # a jump is refused, a fast motion is cut down
        return ActionChunk(observation.stamp, PERIOD / NANOSECONDS, (near + step)[None])


def record_run(
    dataset: Path,
    hardware: Hardware,
    policy: Policy,
    *,
    seed: int = 7,
    steps: int = 60,
    human: Policy | None = None,
    with_chunks: bool = True,
    task: str = "test",
) -> tuple[Path, list[Step]]:
    """Run an episode in lockstep and record it."""
    brain = Brain(NoPerception(), Anywhere(), Counting(), policy)
    done: list[Step] = []
    station = hardware.open_station(task)
    result = run_episode(
        station, hardware, brain, seed=seed, max_steps=steps, on_step=done.append, human=human
    )
    station.close()
    start = start_of(hardware, done[0].observation.task, seed, policy="scripted")
    take = record_episode(dataset, hardware, start)
    for step in done:
        take.add_step(step if with_chunks else replace(step, chunks={}))
    return take.finish(result.outcome).result(), done


def make_step(hardware: Hardware, index: int, stamp: int) -> Step:
    """A step of which every value follows from its index: joints, frames, reward, command, keypoints."""
    names = hardware.robot.joint_names
    position = np.sin(index / 7 + np.arange(len(names))) / 3
    frames = {name: make_frame(hardware, name, index, stamp) for name in hardware.cameras}
    observation = Observation(
        stamp=stamp,
        joints=JointState(stamp, position, np.cos(index / 7 + np.arange(len(names)))),
        frames=frames,
        keypoints={"cube": Keypoint(np.array([0.2, index / 1000, 0.015]), yaw=0.1)},
        affordance=None,
        features={},
        task=TASK,
    )
    reward = RewardEstimate(stamp, index / 10 - 1, progress=0.5, terms={"near": -index / 3, "held": 1.0})
    return Step(index, observation, reward, ExecutedCommand(stamp, position + 0.01, "policy", (), stamp))


def make_frame(hardware: Hardware, camera: str, index: int, stamp: int) -> CameraFrame:
    """A frame that tells its index: grey on the left, a slope on the right, as a video can carry it."""
    model, config = hardware.cameras[camera], hardware.config.cameras[camera]
    rgb = np.zeros((model.height, model.width, 3), dtype=np.uint8)
    rgb[:] = np.linspace(40, 200, model.width).astype(np.uint8)[None, :, None]
    rgb[:, : model.width // 2] = shade(index)
    depth = (
        np.full((model.height, model.width), 0.4 + index / 1000, dtype=np.float32) if config.depth else None
    )
    return CameraFrame(stamp, rgb, depth)


def shade(index: int) -> int:
    """The grey of the left half of a frame."""
    return 30 + (index * 9) % 200


def next_name(dataset: Path) -> str:
    """A name that sorts after those that are there, also within one second."""
    number = len(list(dataset.glob("*/*.mcap")))
    return f"2026-11-21_03-45-{number:02d}_0001_{number:06x}"


Change = Callable[[Step], Step | None]


def record_steps(
    dataset: Path,
    hardware: Hardware,
    count: int = 20,
    *,
    outcome: str = "success",
    change: Change = lambda step: step,
    stamps: Callable[[int], int] = lambda index: START + index * PERIOD,
    **start: object,
) -> Path:
    """Record made-up steps; `change` may alter each, or leave its step out by None."""
    task = replace(TASK, instruction=str(start.pop("instruction", TASK.instruction)))
    about: EpisodeStart = replace(start_of(hardware, task, 1), **start)
    take = record_episode(dataset, hardware, about, name=next_name(dataset))
    for index in range(count):
        step = change(make_step(hardware, index, stamps(index)))
        if step is not None:
            take.add_step(step)
    return take.finish(outcome, marks=()).result()


def without_frames(step: Step, *cameras: str) -> Step:
    """Return a step without some cameras' frames."""
    frames = {name: frame for name, frame in step.observation.frames.items() if name not in cameras}
    return replace(step, observation=replace(step.observation, frames=frames))
