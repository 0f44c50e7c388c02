"""The follower on the MuJoCo station: keypoints from a detector or from the truth, as a test needs."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field

import numpy as np
import pytest
from sinew_core.hardware import Hardware, load_hardware
from sinew_core.plugins import build, plugin_spec
from sinew_core.protocols import AffordanceModel, PerceptionModel, RewardModel
from sinew_core.runtime import Brain, EpisodeResult, Step, run_episode
from sinew_core.types import CameraFrame, JointState, Keypoint, Percept, Task
from sinew_policies.affordance_follower import AffordanceFollower, Config
from sinew_sim.mujoco_station import MujocoStation

HARDWARE = {name: load_hardware(name).with_pace("lockstep") for name in ("sim_mujoco", "sim_mujoco_fr3")}


class TruePlaces:
    """Reports every object where the simulator has it, except while `hides` says that it cannot."""

    def __init__(self, station: MujocoStation) -> None:
        self._world = station.world
        self.hides: Callable[[], bool] = lambda: False

    def reset(self, task: Task) -> None:
        """Nothing to forget."""

    def process(self, frames: Mapping[str, CameraFrame], joints: JointState) -> Percept:
        state = {} if self.hides() else self._world.state().objects
        keypoints = {}
        for name, there in state.items():
            spec = self._world.scene.spec(name)
            w, _, _, z = there.quaternion
            yaw = (2 * np.arctan2(z, w) + np.pi / 2) % np.pi - np.pi / 2 if spec.shape == "cube" else None
            keypoints[name.replace(" ", "_")] = Keypoint(there.position, yaw=yaw, extent=np.array(spec.size))
        return Percept(joints.stamp, keypoints)


@dataclass
class Bench:
    """A station and its follower, and what happened in the last episode."""

    hardware: Hardware
    station: MujocoStation
    brain: Brain
    steps: list[Step] = field(default_factory=list)
    at_step: Callable[[Step], None] = lambda step: None

    def run(self, seed: int, max_steps: int = 0) -> EpisodeResult:
        self.steps.clear()

        def on_step(step: Step) -> None:
            self.steps.append(step)
            self.at_step(step)

        return run_episode(
            self.station, self.hardware, self.brain, seed=seed, max_steps=max_steps, on_step=on_step
        )

    @property
    def moved(self) -> str:
        name = self.station.world.scene.moved
        assert name is not None
        return name

    def closings(self) -> int:
        """How often the gripper was told to close."""
        closed = [self.hardware.robot.aperture(step.executed.position) < 0.7 for step in self.steps]
        return int(np.diff(np.array([False, *closed]).astype(int)).clip(0).sum())


@contextmanager
def bench(task: str, name: str = "sim_mujoco", seeing: bool = False) -> Iterator[Bench]:
    hardware = HARDWARE[name]
    station = hardware.open_station(task)
    assert isinstance(station, MujocoStation)
    context = {"hardware": hardware, "robot": hardware.robot, "cameras": hardware.cameras, "task": task}
    detector = build(hardware.config.perception, PerceptionModel, "perception", **context)
    grounding = plugin_spec("rule_grounding", "sinew_perception", "affordance model")
    reward = plugin_spec("affordance_path", "sinew_rewards", "reward model")
    brain = Brain(
        detector if seeing else TruePlaces(station),
        build(grounding, AffordanceModel, "affordance", **context),
        build(reward, RewardModel, "reward", **context),
        AffordanceFollower(Config(), hardware),
    )
    try:
        yield Bench(hardware, station, brain)
    finally:
        station.close()


@pytest.mark.parametrize("name", ["sim_mujoco", "sim_mujoco_fr3"])
@pytest.mark.parametrize("task", ["pick_place", "stack", "push", "reach"])
def test_tasks_are_done_from_camera_images(task: str, name: str) -> None:
    with bench(task, name, seeing=True) as b:
        for seed in (1, 2):
            result = b.run(seed)
            assert result.outcome == "success", result


def test_the_reward_sees_the_success_and_rises_towards_it() -> None:
    with bench("pick_place", seeing=True) as b:
        assert b.run(3).success
        values = [step.reward.value for step in b.steps]
        assert max(values[:10]) < -0.9
        assert values[-1] == 0.0 or max(values) > -0.55
        progress = [step.reward.progress for step in b.steps]
        assert progress[0] is not None and progress[0] < 0.05
        assert max(p for p in progress if p is not None) > 0.95


def test_a_missed_grasp_is_tried_again() -> None:
    with bench("pick_place") as b:
        done = []

        def snatch(step: Step) -> None:
            world = b.station.world
            if not done and world.state().tip[2] < 0.05:
                there = world.state().objects[b.moved].position
                world.place(b.moved, there + np.array([0.0, 0.05 if there[1] < 0 else -0.05, 0.0]))
                done.append(step.index)

        b.at_step = snatch
        assert b.run(4).success
        assert done
        assert b.closings() >= 2


def test_an_object_that_moves_before_the_descent_is_grasped_where_it_is() -> None:
    with bench("pick_place") as b:

        def nudge(step: Step) -> None:
            if step.index == 5:
                there = b.station.world.state().objects[b.moved].position
                b.station.world.place(b.moved, there + np.array([0.0, 0.04 if there[1] < 0 else -0.04, 0.0]))

        b.at_step = nudge
        assert b.run(4).success
        assert b.closings() == 1


def test_an_object_lost_on_the_way_is_picked_up_again() -> None:
    with bench("pick_place") as b:
        done = []

        def drop(step: Step) -> None:
            world = b.station.world
            if not done and world.state().objects[b.moved].position[2] > 0.06:
                x = (b.hardware.config.scene.lower[0] + b.hardware.config.scene.upper[0]) / 2
                world.place(b.moved, np.array([x, 0.0, 0.02]))
                done.append(step.index)

        b.at_step = drop
        assert b.run(4).success
        assert done
        assert b.closings() >= 2
        robot, target = b.hardware.robot, b.station.world.scene.target
        assert target is not None
        opened = next(s for s in b.steps[done[0] :] if robot.aperture(s.executed.position) > 0.5)
        tip = robot.chain.pose(robot.tip_link, opened.observation.joints.position)[:3, 3]
        there = b.station.world.state().objects[target].position
        assert np.linalg.norm(tip[:2] - there[:2]) > 0.05, "it carried nothing all the way"


def test_keypoints_that_are_hidden_half_way_are_remembered() -> None:
    with bench("pick_place") as b:
        perception = b.brain.perception
        assert isinstance(perception, TruePlaces)
        perception.hides = lambda: len(b.steps) >= 3
        assert b.run(2).success


def test_an_object_that_vanishes_for_ever_is_no_error() -> None:
    with bench("pick_place") as b:
        perception = b.brain.perception
        assert isinstance(perception, TruePlaces)
        perception.hides = lambda: len(b.steps) >= 3
        b.at_step = lambda step: (
            b.station.world.place(b.moved, np.array([1.0, 1.0, 0.02])) if step.index == 3 else None
        )
        result = b.run(2, max_steps=250)
        assert result.outcome == "timeout"
        assert all(np.isfinite(step.executed.position).all() for step in b.steps)


def test_an_object_pushed_too_far_aside_is_pushed_again() -> None:
    with bench("push") as b:
        done = []

        def shove(step: Step) -> None:
            world = b.station.world
            state = world.state()
            target = world.scene.target
            assert target is not None
            there = state.objects[b.moved].position
            if not done and np.linalg.norm(there - state.objects[target].position) < 0.06:
                world.place(b.moved, there + np.array([0.0, 0.03 if there[1] < 0 else -0.03, 0.0]))
                done.append(step.index)

        b.at_step = shove
        assert b.run(4).success
        assert done


def test_the_same_seed_gives_the_same_commands() -> None:
    with bench("pick_place", seeing=True) as b:
        b.run(5, max_steps=40)
        first = np.array([step.executed.position for step in b.steps])
        b.run(5, max_steps=40)
        np.testing.assert_array_equal(first, [step.executed.position for step in b.steps])
