from itertools import pairwise

import numpy as np
import pytest
from sinew_core.control import ControlPath
from sinew_core.observations import ObservationBuffer
from sinew_core.runtime import Brain, run_episode
from sinew_core.types import (
    ActionChunk,
    Affordance,
    CameraFrame,
    JointState,
    Keypoint,
    Percept,
    Refusal,
    RewardEstimate,
    Task,
)

TASK = Task("test", "do it")


class Perception:
    def reset(self, task):
        self.calls = 0

    def process(self, frames, joints):
        self.calls += 1
        return Percept(joints.stamp, {"red_cube": Keypoint(np.zeros(3))})


class Asks:
    def __init__(self, refuse=False):
        self.refuse, self.asked = refuse, 0

    def propose(self, observation, instruction):
        self.asked += 1
        if self.refuse:
            return Refusal(observation.stamp, instruction, "I see only red_cube", ("red_cube",), "test")
        return Affordance(
            observation.stamp, instruction, None, np.zeros((1, 3)), None, "test", np.ones(1, bool)
        )


class Reward:
    def reset(self, task): ...

    def estimate(self, observation):
        return RewardEstimate(observation.stamp, 1.0)


class Policy:
    """Answers with what `answer` makes of the observation and its index."""

    def __init__(self, answer=None):
        self.answer = answer or (lambda o, i: ActionChunk(o.stamp, 0.05, o.joints.position[None] + 0.01))
        self.seen = []

    def reset(self, task):
        self.seen = []

    def infer(self, observation):
        self.seen.append(observation)
        return self.answer(observation, len(self.seen) - 1)


@pytest.fixture
def station(hardware):
    station = hardware.open_station("test")
    yield station
    station.close()


def run(station, hardware, policy=None, affordance=None, reward=None, **options):
    brain = Brain(Perception(), affordance or Asks(), reward or Reward(), policy or Policy())
    steps = []
    result = run_episode(station, hardware, brain, seed=1, on_step=steps.append, **options)
    return result, steps, brain


def test_an_episode_ends_when_the_world_says_so(station, hardware):
    result, steps, _ = run(station, hardware)
    assert (result.outcome, result.success, result.steps, len(steps)) == ("success", True, 5, 5)


def test_an_episode_that_takes_too_long_times_out(station, hardware):
    result, _, _ = run(station, hardware, max_steps=3)
    assert (result.outcome, result.steps) == ("timeout", 3)


def test_the_affordance_is_asked_once_and_seen_from_the_first_step_on(station, hardware):
    _, _, brain = run(station, hardware)
    assert brain.affordance.asked == 1
    assert all(observation.affordance is not None for observation in brain.policy.seen)


def test_a_refusal_ends_the_episode_without_a_motion(station, hardware):
    result, steps, _ = run(station, hardware, affordance=Asks(refuse=True))
    assert (result.outcome, result.message, steps) == ("refused", "I see only red_cube", [])
    assert station.arm.stops == 1


@pytest.mark.parametrize(
    ("answer", "sentence"),
    [
        (lambda o, i: ActionChunk(o.stamp, 0.05, np.full((1, 6), np.nan)), "non-finite"),
        (lambda o, i: ActionChunk(o.stamp, 0.05, np.zeros((1, 5))), "expected (horizon, 6)"),
        (lambda o, i: None, "returned NoneType"),
        (lambda o, i: 1 / 0, "ZeroDivisionError"),
    ],
)
def test_a_policy_that_fails_ends_the_episode_with_the_arm_still(station, hardware, answer, sentence):
    result, steps, _ = run(station, hardware, policy=Policy(answer))
    assert result.outcome == "error"
    assert sentence in result.message
    assert steps == []
    assert station.arm.stops == 1


def test_a_reward_that_fails_ends_the_episode(station, hardware):
    class Broken(Reward):
        def estimate(self, observation):
            raise RuntimeError("no weights")

    result, _, _ = run(station, hardware, reward=Broken())
    assert (result.outcome, result.message) == ("error", "Broken: RuntimeError: no weights")


def test_a_reward_of_the_wrong_shape_ends_the_episode(station, hardware):
    class TwoValues(Reward):
        def estimate(self, observation):
            return RewardEstimate(observation.stamp, np.zeros(2))

    result, _, _ = run(station, hardware, reward=TwoValues())
    assert result.outcome == "error"
    assert (
        result.message == "TwoValues answered the value an array of shape (2,), expected a finite number "
        "from -inf to inf"
    )


def test_an_interrupt_leaves_the_arm_held(station, hardware):
    def interrupt(observation, index):
        if index == 2:
            raise KeyboardInterrupt
        return ActionChunk(observation.stamp, 0.05, observation.joints.position[None])

    result, steps, _ = run(station, hardware, policy=Policy(interrupt))
    assert (result.outcome, len(steps), station.arm.stops) == ("interrupted", 2, 1)


def test_the_same_seed_gives_the_same_commands(station, hardware):
    first = [step.executed.position for step in run(station, hardware)[1]]
    second = [step.executed.position for step in run(station, hardware)[1]]
    np.testing.assert_array_equal(first, second)


def test_a_command_outside_the_limits_is_limited_and_named(station, hardware):
    fast = Policy(lambda o, i: ActionChunk(o.stamp, 0.05, o.joints.position[None] + 0.4))
    _, steps, _ = run(station, hardware, policy=fast)
    assert any(reason.startswith("velocity:") for reason in steps[0].executed.reasons)
    for before, after in pairwise(steps):
        moved = np.abs(after.executed.position - before.executed.position)
        assert (moved <= hardware.robot.velocity * 0.05 + 1e-9).all()


def test_a_policy_that_wants_to_be_elsewhere_at_once_is_refused_and_the_result_says_so(station, hardware):
    wild = Policy(lambda o, i: ActionChunk(o.stamp, 0.05, np.full((1, 6), 50.0)))
    result, steps, _ = run(station, hardware, policy=wild, max_steps=4)
    assert {step.executed.source for step in steps} == {"hold"}
    assert result.outcome == "timeout"
    assert "4 commands were refused, at last: policy: " in result.message


class Helper(Policy):
    """A person who drives from one step to another."""

    def __init__(self, first, last):
        self.first, self.last = first, last

    def reset(self, task):
        self.index = -1
        self.targets = []

    def infer(self, observation):
        self.index += 1
        self.targets.append(observation.features["target"])
        rows = 1 if self.first <= self.index <= self.last else 0
        return ActionChunk(observation.stamp, 0.05, observation.joints.position[None].repeat(rows, 0))


def test_a_person_takes_over_and_gives_back_to_a_policy_that_begins_anew(station, hardware):
    policy = Policy()
    resets = []
    policy.reset = resets.append
    result, steps, _ = run(station, hardware, policy=policy, human=Helper(1, 2))
    assert [step.executed.source for step in steps] == ["policy", "human", "human", "policy", "policy"]
    assert len(resets) == 1 + 2, "at the beginning, and afresh after every step that was not its own"
    assert result.success


def test_a_person_is_told_the_present_target(station, hardware):
    helper = Helper(9, 9)
    _, steps, _ = run(station, hardware, human=helper)
    for told, step in zip(helper.targets[1:], steps, strict=False):
        np.testing.assert_array_equal(told, step.executed.position)


def test_without_commands_the_arm_decelerates_and_then_stays(station, hardware):
    path = ControlPath(station, hardware)
    path.reset(station.arm.read())
    sent = []
    for i in range(60):
        state = station.arm.read()
        if i < 10:
            path.offer("policy", ActionChunk(state.stamp, 0.05, state.position[None] + 0.1), state.stamp)
        executed = path.execute(state)
        sent.append(executed.position)
    assert executed.source == "hold"
    np.testing.assert_array_equal(sent[-1], sent[-10])


def test_the_arm_moves_only_through_the_control_path_and_hold_stops_it(station, hardware):
    path = ControlPath(station, hardware)
    state = station.arm.read()
    path.offer("policy", ActionChunk(state.stamp, 0.05, state.position[None] + 0.1), state.stamp)
    path.hold()
    executed = path.execute(station.arm.read())
    assert executed.source == "hold"
    np.testing.assert_array_equal(executed.position, state.position)


def joints(stamp):
    return JointState(stamp, np.zeros(6), np.zeros(6))


def frame(stamp):
    return CameraFrame(stamp, np.zeros((4, 4, 3), np.uint8))


def test_what_is_too_old_is_absent_from_an_observation():
    buffer = ObservationBuffer(TASK, max_age=100)
    buffer.add_joints(joints(1000))
    buffer.add_frames({"top": frame(1000)})
    buffer.add_percept(Percept(1000, {"red_cube": Keypoint(np.zeros(3))}))
    buffer.add_joints(joints(1100))
    assert "red_cube" in buffer.build().keypoints
    buffer.add_joints(joints(1101))
    assert buffer.build().keypoints == {}
    assert buffer.build().frames == {}


@pytest.mark.parametrize("what", ["joints", "frames", "percept"])
def test_a_stamp_from_the_past_is_an_error(what):
    buffer = ObservationBuffer(TASK, max_age=100)
    add = {
        "joints": lambda stamp: buffer.add_joints(joints(stamp)),
        "frames": lambda stamp: buffer.add_frames({"top": frame(stamp)}),
        "percept": lambda stamp: buffer.add_percept(Percept(stamp)),
    }[what]
    add(1000)
    with pytest.raises(ValueError, match="before the last one"):
        add(999)


def test_there_is_no_observation_before_any_joints():
    assert ObservationBuffer(TASK, 100).build() is None
