"""Learns from what actors send and publishes weights; beside the graph, here or on another machine.

It has no part in the arm's life: it may come, go and fail as it likes, and the actors go on.
"""

from __future__ import annotations

import contextlib
import os
import signal
import sys
import threading
import time
import traceback
from array import array
from collections.abc import Sequence
from pathlib import Path
from types import FrameType
from typing import Any

import rclpy
import torch
from rclpy.executors import ExternalShutdownException, SingleThreadedExecutor
from rclpy.node import Node
from rclpy.signals import SignalHandlerOptions
from sinew_core.config import load_yaml
from sinew_core.errors import ConfigError
from sinew_msgs.msg import PolicyWeights, Transitions
from sinew_msgs.msg import TransitionsAck as Ack
from sinew_training.config import TrainConfig
from sinew_training.inbox import Letter
from sinew_training.learner import Learner, Receipt
from sinew_training.learner_run import LearnerConfig, training_asked_for
from sinew_training.weights import Weights
from sinew_training.wire import FORMAT

from sinew_nodes import qos
from sinew_nodes.parameters import LearnerParameters, read_parameters
from sinew_nodes.transport import set_up_transport

NICENESS = 5  # where control runs on the same machine
PAUSE = 0.05  # s between looks for something to do
TELL = 5.0  # s between two complaints


def training_of(parameters: LearnerParameters) -> TrainConfig:
    """Return the training that the parameters ask for; raises ConfigError."""
    asked = load_yaml(Path(parameters.config)) if parameters.config else {}
    asked |= {name: value for name in ("hardware", "task") if (value := getattr(parameters, name))}
    out = Path(parameters.out).expanduser().absolute()
    return training_asked_for(out, asked, parameters.config or "learner_node: parameters")


class LearnerNode(Node):  # type: ignore[misc]  # rclpy ships no types
    """Hands what comes to a learner, and on what it answers. `work` runs in another thread."""

    def __init__(self) -> None:
        super().__init__("learner_node", automatically_declare_parameters_from_overrides=True)
        self.parameters = parameters = read_parameters(self, LearnerParameters)
        config = LearnerConfig(
            parameters.actors, parameters.silence, parameters.publish_every, parameters.pace
        )
        out = Path(parameters.out).expanduser().absolute()
        log = self.get_logger()
        self.learner = Learner(training_of(parameters), config, out, parameters.run, log.info)
        self.failure: BaseException | None = None
        self._came = threading.Event()
        self._weights = self.create_publisher(PolicyWeights, "weights", qos.weights())
        self._acks = self.create_publisher(Ack, "transitions/acknowledged", qos.acknowledgements())
        self.create_subscription(Transitions, "transitions", self._on_transitions, qos.transitions())
        for actor, sequence in self.learner.actors.items():
            self._answer(Receipt(actor, sequence))
        counters = self.learner.counters
        log.info(
            f"run '{parameters.run}' in {out}: {counters.transitions} transitions, "
            f"{self.learner.learning.updates} updates"
        )

    def work(self, stop: threading.Event) -> None:
        """Learn until it is time to stop, or receiving has failed."""
        while not stop.is_set() and self.failure is None:
            weights = self.learner.weights()
            if weights is not None:
                self._publish(weights)
            if not self.learner.turn():
                self._came.wait(PAUSE)
                self._came.clear()
        if self.failure is not None:
            raise self.failure

    def _on_transitions(self, message: Transitions) -> None:
        run = self.parameters.run
        if message.run != run:
            self._complain(
                f"actor {message.actor[:80]} belongs to the run '{message.run[:80]}', this is '{run}'"
            )
            return
        if message.format != FORMAT:
            told = f"its transitions are of format {message.format}; this learner reads {FORMAT}"
            self._answer(Receipt(message.actor[:80], 0, told))
            return
        letter = Letter(
            message.actor, int(message.first), int(message.count), int(message.oldest), bytes(message.data)
        )
        try:
            self._answer(self.learner.receive(letter, time.monotonic()))
        except Exception as error:  # noqa: BLE001 - the thread's boundary
            self.failure = error
        self._came.set()

    def _answer(self, receipt: Receipt) -> None:
        if receipt.news:
            self.get_logger().info(receipt.news)
        if receipt.refusal:
            self._complain(receipt.refusal)
        message = Ack(run=self.parameters.run, actor=receipt.actor, sequence=receipt.sequence)
        message.refusal = receipt.refusal
        message.header.stamp = self.get_clock().now().to_msg()
        self._acks.publish(message)

    def _publish(self, weights: Weights) -> None:
        message = PolicyWeights(run=self.parameters.run, version=weights.version, updates=weights.updates)
        message.header.stamp = self.get_clock().now().to_msg()
        message.sheet, message.data = weights.sheet, array("B", weights.data)
        self._weights.publish(message)

    def _complain(self, sentence: str) -> None:
        self.get_logger().warning(sentence, throttle_duration_sec=TELL)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the learner until SIGINT or SIGTERM, which leave a checkpoint: 0.

    2 for a mistake in the configuration, 1 for a failure.
    """
    set_up_transport()
    rclpy.init(
        args=list(sys.argv if arguments is None else arguments),
        signal_handler_options=SignalHandlerOptions.NO,
    )
    stop = threading.Event()

    def ask_to_stop(number: int, frame: FrameType | None) -> None:
        stop.set()

    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, ask_to_stop)
    try:
        node = LearnerNode()
    except ConfigError as error:
        print(f"learner_node: {error}", file=sys.stderr)
        rclpy.try_shutdown()
        return 2
    torch.set_num_threads(node.parameters.threads)
    return _run(node, stop)


def _run(node: LearnerNode, stop: threading.Event) -> int:
    executor = SingleThreadedExecutor()
    executor.add_node(node)
    thread = threading.Thread(target=_spin, args=(executor,), name="executor", daemon=True)
    thread.start()
    os.nice(NICENESS)  # this thread and those of the arithmetic; what comes is acknowledged at once
    code = 0
    try:
        node.work(stop)
    except Exception as error:  # noqa: BLE001 - the process's boundary
        node.get_logger().fatal("".join(traceback.format_exception(error)).rstrip())
        code = 1
    executor.shutdown(timeout_sec=0.5)
    thread.join(timeout=1.0)
    if code == 0:  # else the last checkpoint and the inbox are what to go on from
        node.learner.close()
    node.destroy_node()
    rclpy.try_shutdown()
    return code


def _spin(executor: Any) -> None:
    with contextlib.suppress(ExternalShutdownException):
        executor.spin()


if __name__ == "__main__":
    sys.exit(main())
