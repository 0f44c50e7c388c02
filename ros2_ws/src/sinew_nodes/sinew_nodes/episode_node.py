"""What perception, affordance, reward and policy nodes share: the hardware file and the episodes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Generic, TypeVar

from sinew_core.errors import ConfigError, did_you_mean
from sinew_core.hardware import Hardware, Pace, load_hardware
from sinew_core.types import NANOSECONDS, Task
from sinew_msgs.msg import EpisodeEvent

from sinew_nodes import convert, qos
from sinew_nodes.assembly import Assembler
from sinew_nodes.component_node import ComponentNode
from sinew_nodes.parameters import GraphParameters

P = TypeVar("P", bound=GraphParameters)
AS_CONFIGURED = "hardware"
PACES: tuple[Pace, ...] = ("realtime", "lockstep")


@dataclass(frozen=True, slots=True)
class Episode:
    """A running episode."""

    number: int
    start: int  # ns, stamp
    task: Task


def hardware_for(parameters: GraphParameters) -> Hardware:
    """Load the hardware file that a node was given, at the pace it was given; raises ConfigError."""
    hardware = load_hardware(parameters.hardware)
    if parameters.pace == AS_CONFIGURED:
        return hardware
    for pace in PACES:
        if parameters.pace == pace:
            return hardware.with_pace(pace)
    known = (*PACES, AS_CONFIGURED)
    raise ConfigError(f"parameter pace: got '{parameters.pace}'.{did_you_mean(parameters.pace, known)}")


class EpisodeNode(ComponentNode[P], Generic[P]):
    """A node that works within episodes, on the parts that its assembler hands out."""

    hardware: Hardware
    assembler: Assembler

    def open_episodes(self) -> None:
        """Load the hardware and begin to follow the episodes; a subclass's setup calls it first."""
        self.hardware = hardware_for(self.parameters)
        self.pace = self.hardware.config.pace
        self.max_age = round(self.hardware.config.max_age * NANOSECONDS)
        self.joint_names = self.hardware.robot.joint_names
        self.base = self.hardware.robot.base_link
        self.episode: Episode | None = None

    def follow_episodes(self) -> None:
        """Subscribe to the episodes; a subclass's setup calls it last."""
        self.listen(EpisodeEvent, "episode", self._on_episode, qos.latched())

    def start(self) -> None:
        """Join the episode that is running, if one is."""
        if self.episode is not None:
            self.begin(self.episode.task)
            self.work()

    def begin(self, task: Task) -> None:
        """Reset the model; whatever it raises makes the node fail."""
        raise NotImplementedError

    def work(self) -> None:
        """Work on whatever is complete."""
        raise NotImplementedError

    def take_part(self, name: str, stamp: int, value: object) -> None:
        """Hand a part to the assembler and work if it was the last one missing."""
        if not self.assembler.add(name, stamp, value):
            self.meter.counts["stamps_from_the_past"] += 1
            self.get_logger().warning(
                f"{name}: dropped a message whose stamp, {stamp}, lies before the last one "
                f"({self.meter.counts['stamps_from_the_past']} so far).",
                throttle_duration_sec=1.0,
            )
            return
        if self.active and self.episode is not None:
            self.work()

    def _on_episode(self, event: EpisodeEvent) -> None:
        if event.kind == EpisodeEvent.ENDED:
            self.episode = None
            self.assembler.end()
            return
        task = Task(event.task, event.instruction, int(event.max_steps))
        self.episode = Episode(event.episode, convert.header_stamp(event), task)
        self.assembler.begin(self.episode.start)
        if self.active:
            self.begin(task)
            self.work()
