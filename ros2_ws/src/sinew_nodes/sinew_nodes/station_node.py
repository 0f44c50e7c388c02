"""The station: arm, cameras, arbiter and safety in one node, so that nothing can go around them."""

from __future__ import annotations

import sys
import time
from functools import partial

from diagnostic_msgs.msg import DiagnosticStatus
from rclpy.action import ActionServer, CancelResponse
from rclpy.action.server import ServerGoalHandle
from rclpy.subscription import MessageInfo
from sinew_core.authority import HUMAN, POLICY, Authority
from sinew_core.types import NANOSECONDS
from sinew_msgs.action import RunEpisode
from sinew_msgs.msg import Affordance as AffordanceMsg
from sinew_msgs.msg import RewardEstimate as RewardEstimateMsg
from trajectory_msgs.msg import JointTrajectory

from sinew_nodes import convert, qos
from sinew_nodes.authority_desk import SAFETY, AuthorityDesk
from sinew_nodes.claim import Claim
from sinew_nodes.component_node import ComponentNode, run_node
from sinew_nodes.control_loop import ControlLoop
from sinew_nodes.episode_node import hardware_for
from sinew_nodes.lifeline import LifelineServer
from sinew_nodes.mailbox import Goal, Mailbox
from sinew_nodes.parameters import StationParameters
from sinew_nodes.rivals import Rivals
from sinew_nodes.station_topics import StationTopics, answer_goal

Result = RunEpisode.Result


class StationNode(ComponentNode[StationParameters]):
    """Hands what comes by topics, services and goals to the control loop; `StationTopics` goes back."""

    Parameters = StationParameters
    free_parameters = (SAFETY,)

    def __init__(self) -> None:
        super().__init__("station_node")
        self._claim = Claim(self, "station")
        self._loop: ControlLoop | None = None
        self._server: ActionServer | None = None
        self._lifelines: LifelineServer | None = None
        self._dead: set[str] = set()  # nodes whose lifelines broke

    def setup(self) -> None:
        """Open the station and the topics."""
        self._hardware = hardware_for(self.parameters)
        self._names = self._hardware.robot.joint_names
        self._claim.settle()
        self._mailbox = Mailbox()
        topics = StationTopics(self, self._hardware)
        loop = ControlLoop(self._hardware, self.parameters, self._mailbox, topics)
        loop.open()
        self._loop = loop
        AuthorityDesk(self, loop.path.authority, self._mailbox, loop.path.safety, self._forget_dead)
        self._open_subscriptions()
        self._lifelines = LifelineServer(self.lifeline_address, self._on_death, self._on_birth)

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

    def _open_subscriptions(self) -> None:
        command = qos.command(self._hardware.config.pace)
        self.listen(JointTrajectory, f"{POLICY}/chunk", partial(self._on_chunk, POLICY), command)
        silence = round(self._hardware.config.authority.human_timeout * NANOSECONDS)
        self._rivals = Rivals(f"{HUMAN}/chunk", silence)
        self.listen(JointTrajectory, f"{HUMAN}/chunk", self._on_human_chunk, command)
        self.listen(AffordanceMsg, "affordance", self._on_affordance, qos.latched())
        self.listen(RewardEstimateMsg, "reward", self._on_reward, qos.event())
        self.listen(DiagnosticStatus, "fault", self._on_fault, qos.fault())

    def _on_human_chunk(self, message: JointTrajectory, info: MessageInfo) -> None:
        publisher = str(info["publisher_gid"])
        rivals = self._rivals.look(publisher, time.monotonic_ns(), wants=bool(message.points))
        self._on_chunk(HUMAN, message, rivals)

    def _on_chunk(self, source: str, message: JointTrajectory, refused: str = "") -> None:
        try:
            chunk = convert.chunk_from_msg(message, self._names)
        except ValueError as error:
            self._distrust(f"{source}/chunk", str(error))
            return
        self._mailbox.put_chunk(source, chunk, refused)

    def _on_affordance(self, message: AffordanceMsg) -> None:
        self._mailbox.put_answer(message.episode, convert.affordance_from_msg(message))

    def _on_reward(self, message: RewardEstimateMsg) -> None:
        self._mailbox.put_reward(message.episode, convert.reward_from_msg(message))

    def _on_fault(self, status: DiagnosticStatus) -> None:
        if status.name != self.get_name():
            self._distrust(status.name, status.message)

    def _on_death(self, name: str) -> None:
        """Hold at once; the lifecycle manager, which learns of it later, takes the graph down."""
        self._dead.add(name)
        self._distrust(name, "the node has died")

    def _on_birth(self, name: str) -> None:
        if name in self._dead and self._loop is not None:
            self._dead.remove(name)
            self._loop.path.authority.release(name)

    def _forget_dead(self) -> None:
        """Somebody who clears goes on without them."""
        for name in list(self._dead):
            self._on_birth(name)

    def _distrust(self, name: str, message: str) -> None:
        if self._loop is not None:
            self._loop.distrust(name, message)

    def _on_goal(self, handle: ServerGoalHandle) -> None:
        request = handle.request
        goal = Goal(
            int(request.seed), request.instruction, int(request.max_steps), handle, bool(request.again)
        )
        why = self._stopped()
        if not why and not self._mailbox.offer_goal(goal):
            why = "an episode is already running" if self.active else "the station is not active"
        if why:
            answer_goal(handle, Result(error_code=Result.INVALID_GOAL, error_msg=why, outcome="error"))

    def _stopped(self) -> str:
        """Return why no episode can begin while a stop is latched or a node is dead, or ''."""
        if self._dead:
            return f"{', '.join(sorted(self._dead))}: the node has died. Start it again, or clear."
        state = Authority() if self._loop is None else self._loop.path.authority.state
        return f"the station is stopped: {state.reason}. Clear, then arm." if state.stopped else ""

    def _on_cancel(self, handle: ServerGoalHandle) -> CancelResponse:
        self._mailbox.cancel(handle)
        return CancelResponse.ACCEPT


def main() -> int:
    """Run the node."""
    return run_node(StationNode)


if __name__ == "__main__":
    sys.exit(main())
