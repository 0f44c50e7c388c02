"""What the control loop tells the graph: its outlet, as topics, diagnostics and answers to goals."""

from __future__ import annotations

import math
import time

from rclpy.action.server import ServerGoalHandle
from rosgraph_msgs.msg import Clock
from sensor_msgs.msg import CameraInfo, Image
from sensor_msgs.msg import JointState as JointStateMsg
from sinew_core.authority import Authority
from sinew_core.hardware import Hardware
from sinew_core.types import CameraFrame, ExecutedCommand, JointState, RewardEstimate, Task
from sinew_data.messages import AuthorityChange
from sinew_msgs.action import RunEpisode
from sinew_msgs.msg import Authority as AuthorityMsg
from sinew_msgs.msg import EpisodeEvent
from sinew_msgs.msg import ExecutedCommand as ExecutedCommandMsg

from sinew_nodes import convert, qos
from sinew_nodes.component_node import ComponentNode
from sinew_nodes.frames import color_topic, depth_topic, info_topic
from sinew_nodes.mailbox import Goal
from sinew_nodes.outlet import Ending
from sinew_nodes.parameters import StationParameters

Result = RunEpisode.Result
BY_CAUSE = {
    "timeout": Result.TIMEOUT,
    "device": Result.DEVICE_FAILED,
    "node": Result.NODE_FAILED,
    "cancelled": Result.CANCELED,
    "halted": Result.STOPPED,
    "stopped": Result.STOPPED,
}


def answer_goal(handle: ServerGoalHandle, result: RunEpisode.Result) -> None:
    """Give a goal its result, from any thread; the goal's execution is that one act."""

    def finish(handle: ServerGoalHandle) -> RunEpisode.Result:
        if handle.is_cancel_requested:
            handle.canceled()
        elif result.error_code in (Result.NONE, Result.REFUSED):
            handle.succeed()
        else:
            handle.abort()
        return result

    handle.execute(finish)


class StationTopics:
    """Publishes for the control loop, in its thread."""

    def __init__(self, node: ComponentNode[StationParameters], hardware: Hardware) -> None:
        self._node, self._hardware = node, hardware
        self._meter = node.meter
        self._pace = hardware.config.pace
        self._names = hardware.robot.joint_names
        sensor = qos.sensor(self._pace)
        self._joints = node.create_publisher(JointStateMsg, "joint_states", sensor)
        self._time = node.create_publisher(Clock, "/clock", qos.command("realtime"))
        self._executed = node.create_publisher(ExecutedCommandMsg, "executed_command", qos.event())
        self._authority = node.create_publisher(AuthorityMsg, "authority", qos.latched())
        self._event = node.create_publisher(EpisodeEvent, "episode", qos.latched())
        cameras = self._hardware.config.cameras
        self._color = {name: node.create_publisher(Image, color_topic(name), sensor) for name in cameras}
        self._depth = {
            name: node.create_publisher(Image, depth_topic(name), sensor)
            for name, camera in cameras.items()
            if camera.depth
        }
        self._info = {name: node.create_publisher(CameraInfo, info_topic(name), sensor) for name in cameras}

    def observed(self, joints: JointState, *, simulated: bool) -> None:
        """Publish the time and the joints."""
        if simulated:
            self._time.publish(Clock(clock=convert.stamp_to_msg(joints.stamp)))
        self._joints.publish(convert.joints_to_msg(joints, self._names))

    def captured(self, name: str, frame: CameraFrame) -> None:
        """Publish a camera's images, in real time only what somebody listens to."""
        self._meter.counts["frames"] += 1
        always = self._pace == "lockstep"
        optical = f"{name}_optical_frame"
        if always or self._color[name].get_subscription_count():
            self._color[name].publish(convert.rgb_to_wire(frame.stamp, frame.rgb, optical))
        if frame.depth is not None and (always or self._depth[name].get_subscription_count()):
            self._depth[name].publish(convert.depth_to_wire(frame.stamp, frame.depth, optical))
        if self._info[name].get_subscription_count():
            model = self._hardware.cameras[name]
            self._info[name].publish(convert.camera_info_to_msg(frame.stamp, model, optical))

    def wanted(self, name: str) -> bool:
        """Whether anybody listens to a camera."""
        publishers = (self._color.get(name), self._depth.get(name))
        return any(publisher is not None and publisher.get_subscription_count() for publisher in publishers)

    def rewarded(self) -> bool:
        """Whether there is a reward model in the graph."""
        return bool(self._node.count_publishers("reward"))

    def executed(self, command: ExecutedCommand, written: int, episode: int) -> None:
        """Publish what was sent."""
        self._executed.publish(convert.executed_to_msg(command, written, episode, self._names))
        if command.observation_stamp == command.stamp:
            self._meter.done((time.time_ns() - command.observation_stamp) / 1e9, command.observation_stamp)
        self._meter.counts["commands"] += 1

    def owned(self, state: Authority, took: float, stamp: int) -> None:
        """Publish that the arm has another owner."""
        self._node.get_logger().info(f"{state.previous} -> {state.owner}: {state.reason}")
        change = AuthorityChange(
            stamp,
            state.owner,
            state.previous,
            state.reason,
            took,
            tuple(f"{cause.name}: {cause.sentence}" for cause in state.causes),
            tuple(f"{cause.name}: {cause.sentence}" for cause in state.holds),
        )
        self._authority.publish(convert.authority_to_msg(change))

    def read(self, seconds: float) -> None:
        """Note how long it took to read and publish everything."""
        self._meter.note("capture", seconds)

    def overran(self, seconds: float) -> None:
        """Count a control period that took too long."""
        self._meter.counts["overruns"] += 1

    def started(self, episode: int, start: int, task: Task, seed: int) -> None:
        """Publish that an episode has begun."""
        self._node.get_logger().info(f"episode {episode} (seed {seed}): {task.instruction}")
        self._meter.counts["frames"] = 0
        self._event.publish(self._event_of(episode, EpisodeEvent.STARTED, start, task, seed))

    def progressed(self, goal: Goal, steps: int, reward: RewardEstimate | None) -> None:
        """Tell whoever asked for the episode."""
        handle: ServerGoalHandle = goal.token
        value = math.nan if reward is None else reward.value
        handle.publish_feedback(RunEpisode.Feedback(step=steps, reward=value))

    def ended(self, goal: Goal, episode: int, stamp: int, task: Task, ending: Ending, steps: int) -> None:
        """Publish that an episode is over and give its result."""
        said = f": {ending.message}" if ending.message else ""
        self._node.get_logger().info(f"episode {episode} ended after {steps} steps: {ending.outcome}{said}")
        event = self._event_of(episode, EpisodeEvent.ENDED, stamp, task, goal.seed)
        event.success, event.outcome = ending.outcome == "success", ending.outcome
        event.message = ending.message
        self._event.publish(event)
        code = Result.REFUSED if ending.outcome == "refused" else BY_CAUSE.get(ending.cause, Result.NONE)
        result = Result(
            error_code=code,
            error_msg=ending.message,
            episode=episode,
            success=event.success,
            outcome=ending.outcome,
            steps=steps,
            instruction=task.instruction,
        )
        handle: ServerGoalHandle = goal.token
        answer_goal(handle, result)

    def broke(self, error: Exception) -> None:
        """Fail; the arm is held already."""
        self._node.post(self._node.fail, error)

    def _event_of(self, episode: int, kind: int, stamp: int, task: Task, seed: int) -> EpisodeEvent:
        return EpisodeEvent(
            header=convert.header(stamp),
            episode=episode,
            kind=kind,
            task=task.name,
            instruction=task.instruction,
            seed=seed,
            max_steps=task.max_steps,
        )
