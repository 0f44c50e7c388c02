"""Faults of emulated devices: what goes wrong on the wire, in a servo or a camera, and what must follow."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from sinew_core.authority import HOLD, POLICY, STOPPED
from sinew_core.errors import ConfigError
from sinew_core.hardware import find_hardware, load_hardware
from sinew_core.protocols import attendant_of

from sinew_nodes.fault_rig import MOVED, Rig
from sinew_nodes.fault_trials import Trial

Follows = Literal["goes on", "hold", "stop"]
NOTICED = 1.5  # s, within which a fault that is more than a nuisance must be named
SOUND = 20  # commands of the policy, that a nuisance must not keep from the arm


@dataclass(frozen=True, slots=True)
class DeviceFault:
    """One kind: what is asked of the emulator, and how what follows must be called."""

    kind: str
    ask: str
    rule: Follows  # what must follow
    names: tuple[str, ...] = ()
    servo: bool = False  # of one that is drawn
    camera: bool = False
    share: float = 1.0
    seconds: tuple[float, float] = (0.5, 1.5)  # drawn between; a stop outlasts its fault
    felt: str = "the emulator is asked for it"

    def words(
        self, servos: Sequence[int], cameras: Sequence[str], random: np.random.Generator
    ) -> dict[str, Any]:
        """Draw what is left open; return what the emulator is asked."""
        words: dict[str, Any] = {"kind": self.ask, "share": self.share}
        words["seconds"] = float(random.uniform(*self.seconds))
        if self.servo:
            words["servo"] = int(random.choice(servos))
        if self.camera:
            words["camera"] = str(random.choice(cameras))
        return words


LONG = (1.5, 2.5)  # s
DEVICE_FAULTS = (
    DeviceFault("bytes lost now and then", "lost_byte", "goes on", share=0.02),
    DeviceFault("checksums wrong now and then", "bad_checksum", "goes on", share=0.02),
    DeviceFault("a servo skips an answer", "silent", "goes on", servo=True, share=0.05),
    DeviceFault("every packet spoilt", "lost_byte", "stop", ("answer",), seconds=LONG),
    DeviceFault("every checksum wrong", "bad_checksum", "stop", ("garbled", "answer"), seconds=LONG),
    DeviceFault("a servo falls silent", "silent", "stop", ("does not answer",), servo=True, seconds=LONG),
    DeviceFault("the whole bus falls silent", "silent", "stop", ("does not answer",), seconds=LONG),
    DeviceFault(
        "a second servo with the same id", "twin", "stop", ("garbled", "answer"), servo=True, seconds=LONG
    ),
    DeviceFault("a servo is overloaded", "overload", "stop", ("reports overload",), servo=True),
    DeviceFault("a servo has too little voltage", "wrong voltage", "stop", ("wrong voltage",), servo=True),
    DeviceFault("a servo is too hot", "overheating", "stop", ("overheating",), servo=True),
    DeviceFault("the cable is unplugged", "unplugged", "stop", ("cable",)),
    DeviceFault("the power is cut for a moment", "power_cut", "stop", ("lost its torque",)),
    DeviceFault(
        "a camera repeats its picture", "frozen_camera", "hold", ("is frozen",), camera=True, seconds=LONG
    ),
    DeviceFault("a camera stops", "stopped_camera", "hold", ("has stopped",), camera=True, seconds=LONG),
)


def rig_of_devices(name: str, seed: int) -> Rig:
    """Open a rig on an emulated station; raises ConfigError for any other."""
    path = find_hardware(name)
    if "emulator" not in load_hardware(str(path)).config.station:
        raise ConfigError(f"{path}: expected a station with an emulator, as so101_emulated has.")
    return Rig(path, "realtime", "pick_place", seed)


def device_trials(rig: Rig, count: int, seed: int) -> Iterator[Trial]:
    """Put in so many faults, each kind as often as the others, in random order."""
    random = np.random.default_rng(seed)
    kinds = [DEVICE_FAULTS[number % len(DEVICE_FAULTS)] for number in range(count)]
    random.shuffle(kinds)
    for kind in kinds:
        yield run_device_trial(rig, kind, random)


def run_device_trial(rig: Rig, fault: DeviceFault, random: np.random.Generator) -> Trial:
    """Let one fault begin at a random moment of an episode, see what follows, mend it, and go on."""
    attendant: Any = attendant_of(rig.hardware.opened[-1])
    if not rig.start_episode(1):
        return Trial(
            fault.kind, "realtime", 0.0, "", f"no episode began before the fault: {_last_words(rig)}"
        )
    time.sleep(float(random.uniform(0, 0.4)))
    servos = range(1, len(rig.hardware.robot.joint_names) + 1)
    cameras = [name for name, camera in rig.hardware.config.cameras.items() if camera.every]
    begun, before = time.monotonic(), len(rig.trace.commands)
    attendant.talk("fault", **fault.words(servos, cameras, random))
    if fault.rule == "goes on":
        problem, said = _goes_on(rig, before), ""
    else:
        problem, said = _named(rig, fault)
    took = (time.monotonic() - begun) / rig.hardware.config.control_period
    problem = problem or (f"the loop broke: {rig.trace.broke[0]}" if rig.trace.broke else "")
    attendant.talk("clear")
    left = _go_on_after(rig, fault)
    return Trial(fault.kind, "realtime", 0.0 if fault.rule == "goes on" else took, said, problem or left)


def _goes_on(rig: Rig, before: int) -> str:
    trace = rig.trace

    def moved() -> bool:
        return sum(command.source == POLICY for _, command in trace.commands[before:]) >= SOUND

    return "" if rig.until(moved) and not trace.endings else f"the arm did not go on: {_last_words(rig)}"


def _named(rig: Rig, fault: DeviceFault) -> tuple[str, str]:
    """Wait for the owner that must follow, for the right reason; return what is wrong, and what was said."""
    authority = rig.loop.path.authority
    owner = STOPPED if fault.rule == "stop" else HOLD

    def sentences() -> list[str]:
        state = authority.state
        return [cause.sentence for cause in (state.causes if owner == STOPPED else state.holds)]

    def right() -> str:
        if authority.state.owner != owner:
            return ""
        return next((s for s in sentences() if any(name in s for name in fault.names)), "")

    if rig.until(right, NOTICED + max(0.0, rig.hardware.config.max_age)):
        return "", right()
    return f"expected {owner} for {fault.names}, is {authority.state.owner}: {_last_words(rig)}", ""


def _go_on_after(rig: Rig, fault: DeviceFault) -> str:
    """See the arm go on once the fault is over: by itself after a hold, by a person's word after a stop."""
    trace = rig.trace
    if fault.rule == "hold" and not trace.endings:
        before = len(trace.commands)

        def moves() -> bool:
            return sum(command.source == POLICY for _, command in trace.commands[before:]) >= MOVED

        if not rig.until(lambda: moves() or trace.endings):
            return f"the arm did not go on by itself: {_last_words(rig)}"
    return rig.recover()


def _last_words(rig: Rig) -> str:
    state, endings = rig.loop.path.authority.state, rig.trace.endings
    return endings[-1][1].message if endings else state.reason
