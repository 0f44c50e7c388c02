"""Episodes of one camera of 24 x 24 px: a red square comes to lie on a blue one, or it does not."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
from sinew_core.hardware import Hardware
from sinew_core.runtime import Step
from sinew_core.types import (
    CameraFrame,
    ExecutedCommand,
    ImageArray,
    JointState,
    Observation,
    RewardEstimate,
    Task,
)
from sinew_data.episode import start_of
from sinew_data.recording import record_episode
from sinew_rewards.classifier.command import main
from sinew_rewards.classifier.frames import SUFFIX, EpisodeFacts, EpisodeFrames, save_frames
from sinew_rewards.classifier.pictures import CameraView, PictureSpec

EDGE = 24  # px
LENGTH = 16  # frames
STRIDE = 10  # control periods between them in `episode`
SPEC = PictureSpec((CameraView.whole("top", EDGE, EDGE),), EDGE)
ROBOTS = Path(__file__).parents[3] / "hardware_configs" / "robots"
TASK = Task("put", "put the red square on the blue one")
FILE = """
robot: {robots}/{robot}
station: {{plugin: "sinew_core.fakes:FakeStation", world: true}}
control_period: 0.05
pace: lockstep
cameras:
  {camera}:
    {{width: {width}, height: {edge}, fovy: 50.0, position: [0.2, 0.0, 0.6], look_at: [0.2, 0.01, 0.0]}}
safety: {{floor: 0.01, workspace_lower: [-0.5, -0.5, 0.0], workspace_upper: [0.8, 0.5, 0.8]}}
scene: {{lower: [0.15, -0.1], upper: [0.25, 0.1]}}
perception: {{plugin: "tests.nowhere:Nothing"}}
"""


def hardware_file(
    folder: Path, *, robot: str = "so101", camera: str = "top", width: int = EDGE, edge: int = EDGE
) -> Path:
    path = folder / f"fake_{robot}_{camera}_{width}.yaml"
    path.write_text(FILE.format(robots=ROBOTS, robot=robot, camera=camera, width=width, edge=edge))
    return path


def picture(rng: np.random.Generator, *, done: bool) -> ImageArray:
    """A grey table, a blue square, and a red one on it or elsewhere."""
    rgb = np.full((EDGE, EDGE, 3), 150, np.uint8) + rng.integers(0, 12, (EDGE, EDGE, 3), dtype=np.uint8)
    row, column = rng.integers(1, EDGE - 10, size=2)
    rgb[row : row + 8, column : column + 8] = (40, 60, 200)
    if done:
        rgb[row + 2 : row + 6, column + 2 : column + 6] = (220, 40, 40)
    else:
        corner = 1 if row > 10 else EDGE - 5
        rgb[corner : corner + 4, 2:6] = (220, 40, 40)
    return rgb


def episode(
    folder: Path, number: int, *, success: bool, robot: str = "so101", task: str = "put"
) -> EpisodeFrames:
    """An episode with the truth of every frame; where it succeeds, the last third shows it."""
    rng = np.random.default_rng([5, number])
    truth = np.array([success and i >= 2 * LENGTH // 3 for i in range(LENGTH)], np.int8)
    facts = EpisodeFacts(
        name=f"{task}-{number:03d}",
        robot=robot,
        hardware="fake",
        task=task,
        instruction=TASK.instruction,
        outcome="success" if success else "failure",
        steps=STRIDE * LENGTH,
    )
    pictures = np.stack([picture(rng, done=bool(t)) for t in truth])[:, None]
    return EpisodeFrames(
        folder / f"{facts.name}{SUFFIX}",
        facts,
        SPEC,
        STRIDE * np.arange(LENGTH, dtype=np.int32),
        pictures,
        truth,
    )


def make_folder(folder: Path, count: int = 24, *, shuffled: bool = False) -> Path:
    """A folder of frames; shuffled, their labels say nothing."""
    rng = np.random.default_rng(9)
    for number in range(count):
        made = episode(folder, number, success=number % 3 != 2)
        if shuffled:
            assert made.truth is not None
            rng.shuffle(made.truth)
        save_frames(made)
    return folder


def record(
    dataset: Path,
    hardware: Hardware,
    number: int,
    *,
    outcome: str = "success",
    marks: tuple[str, ...] = (),
    task: str = "put",
    camera: str = "top",
) -> Path:
    """Record an episode that ends with the red square on the blue one, whatever is said of it."""
    rng = np.random.default_rng([7, number])
    about = Task(task, TASK.instruction)
    take = record_episode(dataset, hardware, start_of(hardware, about, number), name=f"episode_{number:04d}")
    for index in range(LENGTH):
        stamp = (20 * number + index + 1) * hardware.period
        rgb = picture(rng, done=outcome == "success" and index >= LENGTH // 2)
        seen = replace(observe(hardware, [(camera, rgb)], stamp), task=about)
        command = ExecutedCommand(stamp, seen.joints.position, "policy", (), stamp)
        take.add_step(Step(index, seen, RewardEstimate(stamp, 0.0), command))
    return take.finish(outcome, marks=marks).result(timeout=30)


def train(data: Path, out: Path, *options: str, steps: int = 75) -> int:
    given = ["--steps", str(steps), "--batch", "32", "--threads", "1", *options]
    return main(["train", str(data), "--out", str(out), *given])


def observe(hardware: Hardware, frames: Sequence[tuple[str, ImageArray]], stamp: int = 1) -> Observation:
    home = hardware.robot.home
    joints = JointState(stamp, home.copy(), np.zeros_like(home))
    seen = {name: CameraFrame(stamp, rgb) for name, rgb in frames}
    return Observation(stamp, joints, seen, {}, None, {}, TASK)


def edit_json(path: Path, **changes: object) -> None:
    path.write_text(json.dumps({**json.loads(path.read_text()), **changes}))
