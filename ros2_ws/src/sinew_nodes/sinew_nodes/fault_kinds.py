"""The kinds of faults: when each is felt, what the reaction must be called, and what is drawn at random."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from sinew_core.hardware import Hardware, HardwareConfig, Pace
from sinew_core.sight import visible_motion
from sinew_core.watchdogs import VISIBLE

from sinew_nodes.bench_models import Sway, SwayConfig
from sinew_nodes.fault_station import Fault

Rule = Literal["hold", "last row", "no gap"]
COURSE = 16  # control periods of swaying, of which a camera must see something
BOTH: tuple[Pace, ...] = ("lockstep", "realtime")
REALTIME: tuple[Pace, ...] = ("realtime",)


@dataclass(frozen=True, slots=True)
class FaultKind:
    """What is known of a fault beforehand.

    The rules: `hold`, or the episode ends, with one of the names given as a reason, within two control
    periods of when the fault is felt. `last row`: the same for `late` or a hold, no motion beyond the last
    sound chunk's last row, and a hold (or the end) within `timeout`. `no gap`: every command is of a row
    that is not over, or says `late`, or is a hold.
    """

    name: str
    felt: str  # the definition, in words
    names: tuple[str, ...]
    rule: Rule = "hold"
    paces: tuple[Pace, ...] = BOTH
    delay: Literal["", "max_age"] = (
        ""  # of the hardware file: from what is noted until it is felt, in realtime
    )
    driver: str = "policy"
    low: float = 0.0  # the amount is drawn between these
    high: float = 0.0
    rows: tuple[int, ...] = (1, 12)
    passing: bool = False  # comes and goes, so that the policy may go on meanwhile
    told: bool = False  # even where a rule is kept without a word, one of the names must be said
    outside: bool = False  # happens to a process, whose time goes on while the station's stands still

    def draw(self, hardware: Hardware, random: np.random.Generator) -> Fault:
        """Draw what a kind leaves open; a joint is never the gripper, a jump of it being none."""
        joints = [j for j in range(len(hardware.robot.home)) if j != hardware.robot.gripper_index]
        amount = random.uniform(self.low, self.high)
        if self.name in ("clock", "policy_jump", "human_jump"):
            amount *= random.choice([-1, 1])
        return Fault(
            self.name,
            float(amount),
            int(random.choice(joints)),
            str(random.choice(self._cameras(hardware))),
            int(random.choice(self.rows)),
        )

    def _cameras(self, hardware: Hardware) -> list[str]:
        """Return the cameras that deliver, and where it matters only those that see the arm sway."""
        names = [name for name, camera in hardware.config.cameras.items() if camera.every]
        if self.name != "camera_frozen":
            return names
        return [name for name in names if _sees_sway(hardware, name)]

    def possible(self, hardware: Hardware) -> bool:
        """Whether there is anything to put the fault into: an arm out of all cameras' sight freezes none."""
        return bool(self._cameras(hardware))

    def wait(self, config: HardwareConfig) -> float:
        """Return how many s after what is noted the fault is felt."""
        return config.max_age if self.delay and config.pace == "realtime" else 0.0


HANDED = "the faulty chunk is handed in"
READ = "the device is read"
OVER = "the last sound chunk has no row any more"
SILENCE = ("late:", "stale:", "did not answer", "lies in the future", "s old", "lost:")

KINDS: tuple[FaultKind, ...] = (
    FaultKind("policy_nan", HANDED, ("non-finite",)),
    FaultKind("policy_shape", HANDED, ("shape", "dt ")),
    FaultKind("policy_jump", HANDED, ("jumps to", "begins"), low=0.6, high=5.0, rows=(1,)),
    FaultKind("policy_past", OVER, SILENCE, "last row", low=0.35, high=30.0),
    FaultKind("policy_future", OVER, SILENCE, "last row", low=0.1, high=30.0),
    FaultKind("policy_silent", OVER, SILENCE, "last row"),
    FaultKind("human_nan", HANDED, ("non-finite",), driver="human"),
    FaultKind("human_shape", HANDED, ("shape", "dt "), driver="human"),
    FaultKind("human_jump", HANDED, ("jumps to",), driver="human", low=0.6, high=5.0),
    FaultKind("human_silent", OVER, SILENCE, "last row", driver="human"),
    FaultKind("human_past", OVER, SILENCE, "last row", driver="human", low=0.35, high=30.0),
    FaultKind("human_future", OVER, SILENCE, "last row", driver="human", low=0.1, high=30.0),
    FaultKind(
        "policy_reordered",
        "every other chunk is overtaken by the next one",
        ("lies before the last one", "did not answer"),
        "no gap",
        told=True,
    ),
    FaultKind("drop_chunks", "30 % of the policy's chunks are lost", SILENCE, "no gap"),
    FaultKind("drop_frames", "30 % of the frames are lost", SILENCE, "no gap"),
    FaultKind("drop_joints", "30 % of the joint states are lost", SILENCE, "no gap"),
    FaultKind("camera_frozen", "the joints have moved by frozen_motion, in sight", ("is frozen",)),
    FaultKind("camera_stopped", "the last frame is max_age old", ("has stopped", "behind"), delay="max_age"),
    FaultKind("camera_past", READ, ("camera",), low=0.05, high=5.0, passing=True),
    FaultKind("camera_future", READ, ("camera",), low=0.05, high=5.0, passing=True),
    FaultKind("camera_error", READ, ("unplugged",)),
    FaultKind("joints_stale", "the last reading is max_age old", ("arm",), delay="max_age"),
    FaultKind("joints_nan", READ, ("arm",)),
    FaultKind("joints_short", READ, ("arm",)),
    FaultKind("joints_past", READ, ("arm", "clock"), low=0.05, high=5.0),
    FaultKind("joints_future", READ, ("arm", "clock"), low=0.05, high=5.0),
    FaultKind("joints_error", READ, ("unplugged",)),
    FaultKind("write_error", "the arm is written to", ("unplugged",)),
    FaultKind("arm_unplugged", READ, ("unplugged",)),
    FaultKind("clock", READ, ("clock",), paces=REALTIME, low=0.21, high=20.0),
    FaultKind(
        "joints_block",
        "the arm has not answered for max_age",
        ("control",),
        paces=REALTIME,
        delay="max_age",
        low=0.5,
        high=1.0,
        passing=True,
    ),
    FaultKind(
        "camera_block",
        "the camera has not answered for max_age",
        ("control",),
        paces=REALTIME,
        delay="max_age",
        low=0.5,
        high=1.0,
        passing=True,
    ),
    FaultKind(
        "write_block",
        "the arm has not taken a command for max_age",
        ("control",),
        paces=REALTIME,
        delay="max_age",
        low=0.5,
        high=1.0,
        passing=True,
    ),
    FaultKind("node_dead", "its lifeline breaks", ("the node has died",)),
    FaultKind("rivals", "a second person's first chunk", ("sources publish",), paces=(), driver="human"),
    FaultKind("policy_hung", OVER, SILENCE, "last row", paces=(), rows=(12,)),
    FaultKind("filter_nan", "a safety filter answers", ("non-finite",)),
)
BY_NAME = {kind.name: kind for kind in KINDS}

# What is put into a launched graph, too, in real time.
IN_GRAPH = (
    *("rivals", "policy_hung", "human_nan", "human_jump", "human_silent", "human_past", "human_future"),
    *("camera_frozen", "camera_stopped", "camera_past", "camera_future", "camera_block"),
    *("joints_stale", "joints_nan", "joints_short", "joints_past", "joints_future", "joints_block"),
    *("clock", "write_block"),
)


def _sees_sway(hardware: Hardware, camera: str) -> bool:
    """Whether a camera sees the arm sway, wherever in its course that begins."""
    course = Sway(SwayConfig(COURSE), hardware.robot, hardware).positions(0)
    model = hardware.cameras[camera]
    seen = [[visible_motion(hardware.robot, model, a, b) for b in course] for a in course]
    return float(np.max(seen, axis=1).min()) > 2 * VISIBLE
