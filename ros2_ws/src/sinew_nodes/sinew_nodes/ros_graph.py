"""Episodes through the real ROS 2 graph, for `sinew run --graph ros`."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar

from rclpy.action.client import ClientGoalHandle
from sensor_msgs.msg import Image
from sinew_core.hardware import load_hardware
from sinew_core.runtime import EpisodeResult
from sinew_core.types import ExecutedCommand, ImageArray, RewardEstimate
from sinew_eval.records import OnRecord, RunConfig, StepRecord
from sinew_msgs.action import RunEpisode
from sinew_msgs.msg import ExecutedCommand as ExecutedCommandMsg
from sinew_msgs.msg import RewardEstimate as RewardEstimateMsg

from sinew_nodes import convert, qos
from sinew_nodes.after_stop import AfterStop
from sinew_nodes.frames import color_topic
from sinew_nodes.graph_pictures import GraphPictures
from sinew_nodes.graph_process import GraphProcess, GraphProcessError, bringup

T = TypeVar("T")
Result = RunEpisode.Result
LATE = 1.0  # s that the last steps of an episode may arrive after its result
SLACK = 2  # control periods that a reward may lie before the last step, in real time
BROKEN = (Result.NODE_FAILED, Result.DEVICE_FAILED, Result.INVALID_GOAL)


@dataclass(slots=True)
class _Collected:
    """What has arrived of one episode, by stamp; filled by the executor's thread."""

    executed: list[tuple[ExecutedCommand, float]] = field(default_factory=list)  # and s, of arrival
    rewards: dict[int, RewardEstimate] = field(default_factory=dict)
    frames: dict[int, ImageArray] = field(default_factory=dict)
    emitted: int = 0

    def records(self, start: float, *, last: bool) -> Iterator[tuple[StepRecord, RewardEstimate | None]]:
        """Yield the steps that are complete, in order; a step's frame may come as late as the next step."""
        while self.emitted < len(self.executed) - (0 if last else 1):
            executed, arrival = self.executed[self.emitted]
            # In real time a reward model may skip a period; a later reward tells that it did.
            if not last and not any(stamp >= executed.stamp for stamp in self.rewards):
                return
            reward = _newest(self.rewards, executed.stamp)
            record = StepRecord(
                index=self.emitted,
                stamp=executed.stamp,
                position=executed.position,
                source=executed.source,
                reasons=executed.reasons,
                reward=float("nan") if reward is None else reward.value,
                terms={} if reward is None else reward.terms,
                frame=_newest(self.frames, executed.stamp),
                wall=arrival - start,
            )
            yield record, reward
            self.emitted += 1

    def is_rewarded(self, slack: int) -> bool:
        """Tell whether the last step's reward is there, or one that lies at most `slack` ns before it."""
        newest = max(self.rewards, default=0)
        return self.emitted >= len(self.executed) or newest + slack >= self.executed[-1][0].stamp


def _newest(store: dict[int, T], stamp: int) -> T | None:
    """Take the newest value up to a stamp, and drop those before it: devices have stamps of their own."""
    past = sorted(known for known in store if known <= stamp)
    values = [store.pop(known) for known in past]
    return values[-1] if values else None


class RosGraph:
    """Launches the nodes and runs episodes through their action; a graph that broke is launched anew."""

    def __init__(self, config: RunConfig) -> None:
        self._config = config
        self._hardware = load_hardware(config.hardware)
        self._pictures = GraphPictures(config, self._hardware)
        self._graph: GraphProcess | None = None
        self._after_stop: AfterStop | None = None  # on devices
        self._changed = threading.Condition()
        self._collected = _Collected()
        self._episode = 0  # number of the last finished episode
        self._open()

    def run_episode(self, seed: int, on_record: OnRecord, again: str | None = None) -> EpisodeResult:
        """Run one episode to its end; Ctrl-C ends it as `interrupted`, with the arm held."""
        goal: ClientGoalHandle | None = None
        try:
            graph = self._graph or self._open()
            with self._changed:
                self._collected = _Collected()
            self._pictures.forget()
            if self._after_stop is not None:
                self._after_stop.wait()
            sent = graph.client.send_goal_async(
                RunEpisode.Goal(
                    seed=seed,
                    instruction=self._config.instruction if again is None else again,
                    max_steps=self._config.max_steps,
                    again=again is not None,
                )
            )
            start = time.monotonic()
            self._await(sent, start, on_record)
            goal = sent.result()
            answer = goal.get_result_async()
            self._await(answer, start, on_record)
            return self._finish(seed, answer.result().result, start, on_record)
        except KeyboardInterrupt:
            self._cancel(goal)
            return self._unfinished(seed, "interrupted", "interrupted by the user")
        except GraphProcessError as error:
            self.close()
            return self._unfinished(seed, "error", str(error))

    def picture(self) -> ImageArray | None:
        """Return the affordance model's picture of the last episode, if it draws one."""
        return self._pictures.answer()

    def close(self) -> None:
        """Leave the arm held and no process behind."""
        graph, self._graph = self._graph, None
        if graph is not None:
            graph.close()

    def _open(self) -> GraphProcess:
        config = self._config
        arguments = {
            "hardware": str(self._hardware.path),
            "task": config.task,
            "policy": config.policy,
            "reward": config.reward,
            "affordance": config.affordance,
            "pace": config.pace,
        }
        if config.record:
            arguments |= {"record": "true", "dataset": str(Path(config.record).absolute())}
        graph = GraphProcess(bringup(arguments), "sinew_run")
        self._graph, self._episode = graph, 0
        try:
            graph.listen(ExecutedCommandMsg, "executed_command", self._on_executed, qos.event())
            graph.listen(RewardEstimateMsg, "reward", self._on_reward, qos.event())
            self._pictures.listen_to_answers(graph)
            if self._hardware.config.real:
                self._after_stop = AfterStop(graph, self._hardware)
            if config.video_camera in self._hardware.cameras:
                topic = color_topic(config.video_camera)
                graph.listen(Image, topic, self._on_frame, qos.sensor(config.pace))
                if not config.plain_video:
                    self._pictures.listen(graph, config.pace)
            graph.spin()
            graph.wait_until_up()
        except BaseException:
            self.close()
            raise
        return graph

    def _await(self, future: object, start: float, on_record: OnRecord) -> None:
        """Hand on what arrives until a future is done; raises GraphProcessError if the graph goes down."""
        assert self._graph is not None
        while not future.done():  # type: ignore[attr-defined]
            with self._changed:
                self._changed.wait(0.05)
                ready = list(self._collected.records(start, last=False))
            for record, reward in ready:
                on_record(self._pictures.draw(record, reward))
            if not future.done():  # type: ignore[attr-defined]
                self._graph.check()

    def _finish(
        self, seed: int, result: RunEpisode.Result, start: float, on_record: OnRecord
    ) -> EpisodeResult:
        deadline = time.monotonic() + LATE
        with self._changed:
            self._changed.wait_for(lambda: self._complete(result.steps), deadline - time.monotonic())
            ready = list(self._collected.records(start, last=True))
        for record, reward in ready:
            on_record(self._pictures.draw(record, reward))
        self._episode = int(result.episode)
        message = result.error_msg
        if result.error_code in BROKEN:
            assert self._graph is not None
            self._graph.failed = True
            message = f"{message} (log: {self._graph.log})"
            self.close()
        return EpisodeResult(seed, result.instruction, result.outcome, int(result.steps), message)

    def _complete(self, steps: int) -> bool:
        collected = self._collected
        slack = SLACK * self._hardware.period if self._config.pace == "realtime" else 0
        return len(collected.executed) >= steps and collected.is_rewarded(slack)

    def _cancel(self, goal: ClientGoalHandle | None) -> None:
        """End the running episode, or failing that the graph: in any case the arm is held."""
        if goal is not None and self._graph is not None:
            ended = goal.get_result_async()
            goal.cancel_goal_async()
            deadline = time.monotonic() + LATE
            while not ended.done() and time.monotonic() < deadline:
                time.sleep(0.01)
            if ended.done():
                self._episode = int(ended.result().result.episode)
                return
        self.close()

    def _unfinished(self, seed: int, outcome: str, message: str) -> EpisodeResult:
        with self._changed:
            steps = self._collected.emitted
        return EpisodeResult(seed, self._config.instruction, outcome, steps, message)

    def _on_executed(self, message: ExecutedCommandMsg) -> None:
        if message.episode > self._episode:
            with self._changed:
                self._collected.executed.append((convert.executed_from_msg(message), time.monotonic()))
                self._changed.notify()

    def _on_reward(self, message: RewardEstimateMsg) -> None:
        if message.episode > self._episode:
            reward = convert.reward_from_msg(message)
            with self._changed:
                self._collected.rewards[reward.stamp] = reward

    def _on_frame(self, message: Image) -> None:
        frame = convert.rgb_from_msg(message)
        with self._changed:
            self._collected.frames[convert.header_stamp(message)] = frame
