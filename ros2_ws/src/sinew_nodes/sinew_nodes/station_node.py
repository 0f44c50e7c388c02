"""The station: arm, cameras, arbiter and safety in one node, so that nothing can go around them."""

from __future__ import annotations

import math
import sys
import time
from functools import partial

from diagnostic_msgs.msg import DiagnosticStatus
from rclpy.action import ActionServer, CancelResponse
from rclpy.action.server import ServerGoalHandle
from rosgraph_msgs.msg import Clock
from sensor_msgs.msg import CameraInfo, Image
from sensor_msgs.msg import JointState as JointStateMsg
from sinew_core.authority import HUMAN, POLICY, Authority
from sinew_core.types import CameraFrame, ExecutedCommand, JointState, RewardEstimate, Task
from sinew_msgs.action import RunEpisode
from sinew_msgs.msg import Affordance as AffordanceMsg
from sinew_msgs.msg import EpisodeEvent
from sinew_msgs.msg import ExecutedCommand as ExecutedCommandMsg
from sinew_msgs.msg import RewardEstimate as RewardEstimateMsg
from trajectory_msgs.msg import JointTrajectory

from sinew_nodes import convert, qos
from sinew_nodes.authority_desk import SAFETY, AuthorityDesk
from sinew_nodes.claim import Claim
from sinew_nodes.component_node import ComponentNode, run_node
from sinew_nodes.control_loop import ControlLoop
from sinew_nodes.episode_node import hardware_for
from sinew_nodes.frames import color_topic, depth_topic, info_topic
from sinew_nodes.lifeline import LifelineServer
from sinew_nodes.mailbox import Goal, Mailbox
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


class StationNode(ComponentNode[StationParameters]):
    """Translates between topics and the control loop, in both directions."""

    Parameters = StationParameters
    free_parameters = (SAFETY,)

    def __init__(self) -> None:
        super().__init__("station_node")
        self._claim = Claim(self, "station")
        self._loop: ControlLoop | None = None
        self._server: ActionServer | None = None
        self._lifelines: LifelineServer | None = None

    def setup(self) -> None:
        """Open the station and the topics."""
        self._hardware = hardware_for(self.parameters)
        self._pace = self._hardware.config.pace
        self._names = self._hardware.robot.joint_names
        self._claim.settle()
        self._mailbox = Mailbox()
        self._open_publishers()
        loop = ControlLoop(self._hardware, self.parameters, self._mailbox, self)
        loop.open()
        self._loop = loop
        self._desk = AuthorityDesk(self, loop.path.authority, self._mailbox, loop.path.safety)
        self._open_subscriptions()
        self._lifelines = LifelineServer(self.lifeline_address, self._on_death)

    def start(self) -> None:
        """Allow motion."""
        self._mailbox.set_active(True)
        if self._server is None:  # so late that who finds it may use it
            self._server = ActionServer(
                self,
                RunEpisode,
                "run_episode",
                execute_callback=lambda handle: Result(),
                handle_accepted_callback=self._on_goal,
                cancel_callback=self._on_cancel,
            )

    def halt(self) -> None:
        """End motion and hold."""
        if self._loop is not None:
            self._loop.halt()

    def teardown(self) -> None:
        """Close the station."""
        lifelines, self._lifelines = self._lifelines, None
        if lifelines is not None:
            lifelines.close()
        loop, self._loop = self._loop, None
        if loop is not None:
            loop.close()

    def _open_publishers(self) -> None:
        sensor = qos.sensor(self._pace)
        self._joints = self.create_publisher(JointStateMsg, "joint_states", sensor)
        self._time = self.create_publisher(Clock, "/clock", qos.command("realtime"))
        self._executed = self.create_publisher(ExecutedCommandMsg, "executed_command", qos.event())
        self._event = self.create_publisher(EpisodeEvent, "episode", qos.latched())
        cameras = self._hardware.config.cameras
        self._color = {name: self.create_publisher(Image, color_topic(name), sensor) for name in cameras}
        self._depth = {
            name: self.create_publisher(Image, depth_topic(name), sensor)
            for name, camera in cameras.items()
            if camera.depth
        }
        self._info = {name: self.create_publisher(CameraInfo, info_topic(name), sensor) for name in cameras}

    def _open_subscriptions(self) -> None:
        command = qos.command(self._pace)
        for source in (POLICY, HUMAN):
            self.listen(JointTrajectory, f"{source}/chunk", partial(self._on_chunk, source), command)
        self.listen(AffordanceMsg, "affordance", self._on_affordance, qos.latched())
        self.listen(RewardEstimateMsg, "reward", self._on_reward, qos.event())
        self.listen(DiagnosticStatus, "fault", self._on_fault, qos.fault())

    # From topics to the control loop.

    def _on_chunk(self, source: str, message: JointTrajectory) -> None:
        try:
            chunk = convert.chunk_from_msg(message, self._names)
        except ValueError as error:
            self._distrust(f"{source}/chunk", str(error))
            return
        self._mailbox.put_chunk(source, chunk)

    def _on_affordance(self, message: AffordanceMsg) -> None:
        self._mailbox.put_answer(message.episode, convert.affordance_from_msg(message))

    def _on_reward(self, message: RewardEstimateMsg) -> None:
        self._mailbox.put_reward(message.episode, convert.reward_from_msg(message))

    def _on_fault(self, status: DiagnosticStatus) -> None:
        if status.name != self.get_name():
            self._distrust(status.name, status.message)

    def _on_death(self, name: str) -> None:
        """Hold at once; the lifecycle manager, which learns of it later, takes the graph down."""
        self._distrust(name, "the node has died")

    def _distrust(self, name: str, message: str) -> None:
        """Do what is declared for a failed node, and end the episode."""
        if self._loop is not None:
            action = self._hardware.config.authority.watchdogs.dead_node
            self._loop.path.authority.trip(action, name, message, time.monotonic_ns())
        self._mailbox.put_fault(f"{name}: {message}", name)

    def _on_goal(self, handle: ServerGoalHandle) -> None:
        request = handle.request
        goal = Goal(int(request.seed), request.instruction, int(request.max_steps), handle)
        why = self._stopped()
        if not why and not self._mailbox.offer_goal(goal):
            why = "an episode is already running" if self.active else "the station is not active"
        if why:
            self._answer(handle, Result(error_code=Result.INVALID_GOAL, error_msg=why, outcome="error"))

    def _stopped(self) -> str:
        """Return why no episode can begin while a stop is latched, or ''."""
        state = Authority() if self._loop is None else self._loop.path.authority.state
        return f"the station is stopped: {state.reason}. Clear, then arm." if state.stopped else ""

    def _on_cancel(self, handle: ServerGoalHandle) -> CancelResponse:
        self._mailbox.cancel(handle)
        return CancelResponse.ACCEPT

    def _answer(self, handle: ServerGoalHandle, result: RunEpisode.Result) -> None:
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

    # From the control loop to topics; called in the loop's thread.

    def observed(self, joints: JointState, *, simulated: bool) -> None:
        """Publish the time and the joints."""
        if simulated:
            self._time.publish(Clock(clock=convert.stamp_to_msg(joints.stamp)))
        self._joints.publish(convert.joints_to_msg(joints, self._names))

    def captured(self, name: str, frame: CameraFrame) -> None:
        """Publish a camera's images, in real time only what somebody listens to."""
        self.meter.counts["frames"] += 1
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
        return bool(self.count_publishers("reward"))

    def executed(self, command: ExecutedCommand, written: int, episode: int) -> None:
        """Publish what was sent."""
        self._executed.publish(convert.executed_to_msg(command, written, episode, self._names))
        if command.observation_stamp == command.stamp:
            self.meter.done((time.time_ns() - command.observation_stamp) / 1e9, command.observation_stamp)
        self.meter.counts["commands"] += 1

    def owned(self, state: Authority, took: float, stamp: int) -> None:
        """Publish that the arm has another owner."""
        self.get_logger().info(f"{state.previous} -> {state.owner}: {state.reason}")
        self._desk.publish(state, took, stamp)

    def read(self, seconds: float) -> None:
        """Note how long it took to read and publish everything."""
        self.meter.note("capture", seconds)

    def overran(self, seconds: float) -> None:
        """Count a control period that took too long."""
        self.meter.counts["overruns"] += 1

    def started(self, episode: int, start: int, task: Task, seed: int) -> None:
        """Publish that an episode has begun."""
        self.get_logger().info(f"episode {episode} (seed {seed}): {task.instruction}")
        self.meter.counts["frames"] = 0
        self._event.publish(self._event_of(episode, EpisodeEvent.STARTED, start, task, seed))

    def progressed(self, goal: Goal, steps: int, reward: RewardEstimate | None) -> None:
        """Tell whoever asked for the episode."""
        handle: ServerGoalHandle = goal.token
        value = math.nan if reward is None else reward.value
        handle.publish_feedback(RunEpisode.Feedback(step=steps, reward=value))

    def ended(self, goal: Goal, episode: int, stamp: int, task: Task, ending: Ending, steps: int) -> None:
        """Publish that an episode is over and give its result."""
        said = f": {ending.message}" if ending.message else ""
        self.get_logger().info(f"episode {episode} ended after {steps} steps: {ending.outcome}{said}")
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
        self._answer(handle, result)

    def broke(self, error: Exception) -> None:
        """Fail; the arm is held already."""
        self.post(self.fail, error)

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


def main() -> int:
    """Run the node."""
    return run_node(StationNode)


if __name__ == "__main__":
    sys.exit(main())
