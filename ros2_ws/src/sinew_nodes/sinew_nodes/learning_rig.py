"""A graph with an actor and a learner whose processes can be killed and started again, for benches."""

from __future__ import annotations

import itertools
import os
import signal
import threading
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import yaml
from sinew_core.authority import POLICY
from sinew_core.hardware import Pace
from sinew_core.types import NANOSECONDS, Observation, RewardEstimate, Task
from sinew_data.replay import Schema
from sinew_data.replay.layout import BEGIN
from sinew_msgs.action import RunEpisode
from sinew_msgs.msg import ExecutedCommand, PolicyWeights, Transitions, TransitionsAck
from sinew_policies.learned.encoding import STATE, KeypointEncoding
from sinew_policies.learned.tip_actions import TipActionConfig
from sinew_training.learning import replay_schema
from sinew_training.wire import Fragment, decode

from sinew_nodes import qos
from sinew_nodes.domain import choose_domain
from sinew_nodes.fault_graph import graph_arguments, graph_hardware
from sinew_nodes.graph_process import GraphProcess, bringup
from sinew_nodes.launch_command import find_launch_file
from sinew_nodes.launch_file import NodeSpec, resolve
from sinew_nodes.supervisor import Supervisor

HERE = "sinew_nodes.learning_rig"
PATIENCE = 60.0  # s
RETRY = 0.05  # s between two requests for an episode
STEPS = 60  # control periods of an episode
PUBLISH_EVERY = 5  # updates, so that a version soon tells that the learner learns
TRAINING = {
    "agent": {"plugin": "sinew_policies.agents.rlpd:Rlpd", "hidden": [64, 64], "critics": 4, "updates": 1},
    **{"batch": 64, "capacity": 50_000, "demonstrations": 0, "warm_up": 0, "checkpoint_every": 5.0},
    **{"discount": 0.9, "shaping": 0.0},
}

Content = tuple[bytes, bytes, bytes]  # action, reward, and the observation that came of them


class Clock:
    """A reward model that tells the time, so that each transition differs from any other."""

    def reset(self, task: Task) -> None:
        """Nothing is remembered."""

    def estimate(self, observation: Observation) -> RewardEstimate:
        """Return the time in units of 1000 s."""
        return RewardEstimate(observation.stamp, observation.stamp / NANOSECONDS % 1000 / 1000)


class Part:
    """A process that can be killed and started again."""

    def __init__(self, spec: NodeSpec, log: Callable[[str, str], None]) -> None:
        self._spec, self._log = spec, log
        self._supervisor: Supervisor | None = None

    def start(self) -> None:
        """Start it."""
        environment = {"ROS_DOMAIN_ID": str(choose_domain())}
        self._supervisor = Supervisor([self._spec], self._log, environment)
        self._supervisor.start()

    def kill(self) -> None:
        """End it by SIGKILL, and wait until it is gone."""
        assert self._supervisor is not None
        os.kill(self._supervisor.pids()[self._spec.name], signal.SIGKILL)
        self._supervisor.stop(0.0)

    def stop(self) -> None:
        """End it as Ctrl-C does."""
        if self._supervisor is not None:
            self._supervisor.stop()


class LearningRig:
    """Runs episode after episode, and remembers what was sent, acknowledged and published."""

    def __init__(self, folder: Path, pace: Pace) -> None:
        self.spool, self.out = folder / "actor", folder / "learner"
        world = pace == "lockstep"
        station = {"plugin": "sinew_core.fakes:FakeStation", "world": world}
        self._files = folder / "files"
        self._files.mkdir()
        hardware = graph_hardware(self._files, station, pace)
        self.schema: Schema = replay_schema(KeypointEncoding(hardware.robot), TipActionConfig(), hardware)
        training = self._files / "training.yaml"
        training.write_text(
            yaml.safe_dump({**TRAINING, "hardware": str(hardware.path), "task": "pick_place"})
        )
        arguments = graph_arguments(hardware, reward=f"{HERE}:Clock", learn="true", spool=str(self.spool))
        specs = bringup(arguments)
        actor = next(spec for spec in specs if spec.executable == "actor_node")
        given = {"out": str(self.out), "config": str(training), "publish_every": str(PUBLISH_EVERY)}
        (learner,) = resolve(find_launch_file("learner"), {**given, "threads": "1", "log_level": "warn"})
        self.log: list[str] = []
        self.parts = {"actor": Part(actor, self._note), "learner": Part(learner, self._note)}
        self.sent: dict[int, Content] = {}  # by sequence number
        self.acknowledged = 0
        self.acks: list[float] = []  # s, when one came
        self.versions: list[float] = []  # s, when weights came
        self.acted: list[tuple[float, int]] = []  # s, and the episode
        self._stop = threading.Event()
        self._graph = GraphProcess([spec for spec in specs if spec is not actor], "bench")
        self._thread = threading.Thread(target=self._ask, daemon=True)

    def open(self) -> None:
        """Bring everything up, and wait until the actor acts and the learner learns."""
        graph = self._graph
        graph.listen(Transitions, "transitions", self._on_transitions, qos.transitions())
        graph.listen(TransitionsAck, "transitions/acknowledged", self._on_ack, qos.acknowledgements())
        graph.listen(
            PolicyWeights, "weights", lambda _: self.versions.append(time.monotonic()), qos.weights()
        )
        graph.listen(ExecutedCommand, "executed_command", self._on_executed, qos.event())
        graph.spin()
        for part in ("learner", "actor"):
            self.parts[part].start()
        graph.wait_until_up()
        self._thread.start()
        self.until(lambda: len(self.versions) >= 3 and self.acknowledged > 0)

    def close(self) -> None:
        """End every process."""
        self.rest()
        try:
            for part in self.parts.values():
                part.stop()
        finally:
            self._graph.close()

    def rest(self) -> None:
        """Ask for no further episode, and wait for the last one."""
        self._stop.set()
        if self._thread.is_alive():
            self._thread.join(PATIENCE)

    def until(self, ready: Callable[[], bool]) -> float:
        """Wait for something; return the time in s of the monotonic clock. TimeoutError: it does not come."""
        deadline = time.monotonic() + PATIENCE
        while not ready():
            self._graph.check()
            if time.monotonic() > deadline:
                said = "\n".join(self.log[-20:])
                raise TimeoutError(f"nothing within {PATIENCE:g} s; said last:\n{said}")
            time.sleep(0.005)
        return time.monotonic()

    def kill(self, name: str) -> float:
        """Kill a part, start it again, and return after how many s it works as before."""
        episode = self.acted[-1][1]
        began = time.monotonic()
        self.parts[name].kill()
        self.parts[name].start()

        def acts() -> bool:
            return any(at > began and number > episode for at, number in self.acted[-50:])

        def learns() -> bool:  # one version comes at once, the second one after updates
            return sum(at > began for at in self.versions[-50:]) >= 2 and self.acks[-1] > began

        return self.until(acts if name == "actor" else learns) - began

    def produced(self) -> int:
        """Return how many transitions the spool has ever given a number."""
        return max([self.acknowledged, *(int(path.stem.split("-")[1]) for path in self._waiting())])

    def delivered(self) -> bool:
        """Whether nothing waits in the spool."""
        return not self._waiting()

    def learnt(self) -> list[Content]:
        """Return every transition that the learner has, from its files; it must not be running."""
        return [*read_replay(self.out / "replay" / "online", self.schema), *self._letters()]

    def _waiting(self) -> list[Path]:
        return sorted((self.spool / "transitions").glob("*.safetensors"))

    def _letters(self) -> list[Content]:
        paths = sorted((self.out / "inbox").glob("*.safetensors"))
        return [each for path in paths for each in contents(decode(path.read_bytes(), self.schema))]

    def _ask(self) -> None:
        """Ask for episode after episode, also of a station that holds for a dead actor."""
        for seed in itertools.count():
            if self._stop.is_set():
                return
            sent = self._graph.client.send_goal_async(RunEpisode.Goal(seed=seed, max_steps=STEPS))
            while not sent.done() and not self._stop.is_set():
                time.sleep(RETRY)
            if not sent.done():
                return
            answer = sent.result().get_result_async()
            while not answer.done():
                time.sleep(RETRY)

    def _on_transitions(self, message: Transitions) -> None:
        if message.count:
            fragment = decode(bytes(message.data), self.schema)
            for number, content in enumerate(contents(fragment), message.first):
                self.sent[number] = content

    def _on_ack(self, message: TransitionsAck) -> None:
        self.acknowledged = max(self.acknowledged, int(message.sequence))
        self.acks.append(time.monotonic())

    def _on_executed(self, message: ExecutedCommand) -> None:
        if message.source == POLICY and message.episode:
            self.acted.append((time.monotonic(), int(message.episode)))

    def _note(self, name: str, line: str) -> None:
        self.log.append(f"[{name}] {line}")


def contents(fragment: Fragment) -> list[Content]:
    """Return what tells each transition of a fragment from others."""
    columns = fragment.action, fragment.reward, fragment.observation[STATE][1:]
    return [(a.tobytes(), r.tobytes(), o.tobytes()) for a, r, o in zip(*columns, strict=True)]


def read_replay(folder: Path, schema: Schema) -> list[Content]:
    """Return the transitions in a replay's files, which have not been written over."""
    rows = int(np.fromfile(folder / "state.bin", "<i8", 1, offset=8)[0])
    shapes: Mapping[str, tuple[Any, ...]] = {
        "flags": (),
        "reward": (),
        "action": (schema.action,),
        f"observation.{STATE}": schema.observation[STATE].shape,
    }
    columns: dict[str, npt.NDArray[Any]] = {}
    for name, shape in shapes.items():
        kind = np.uint8 if name == "flags" else np.float32
        size = rows * int(np.prod(shape, dtype=int))
        columns[name] = np.fromfile(folder / f"{name}.bin", kind, size).reshape(rows, *shape)
    led = columns["flags"] & BEGIN == 0
    parts = (columns[name][led] for name in ("action", "reward", f"observation.{STATE}"))
    return [(a.tobytes(), r.tobytes(), o.tobytes()) for a, r, o in zip(*parts, strict=True)]
