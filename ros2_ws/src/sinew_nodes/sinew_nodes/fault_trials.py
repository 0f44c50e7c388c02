"""Injects faults into a rig, one after the other, and judges what happens."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from sinew_core.authority import HOLD, HUMAN, POLICY, STOPPED
from sinew_core.hardware import Hardware
from sinew_core.types import NANOSECONDS, ActionChunk, ExecutedCommand

from sinew_nodes.fault_kinds import FaultKind
from sinew_nodes.fault_sources import Trace
from sinew_nodes.fault_station import Culprit, Fault

ALLOWED = 2.0  # control periods
AFTER = 4  # control periods that are watched after the reaction
STRETCH = 20  # control periods of a fault without a moment of its own


@dataclass(frozen=True, slots=True)
class Trial:
    """One injected fault and what came of it."""

    kind: str
    pace: str
    reaction: float  # control periods from when the fault was felt to the named hold, stop or end
    said: str
    problem: str = ""  # why it counts as unexplained


class Scene(Protocol):
    """Where a fault is put in."""

    @property
    def hardware(self) -> Hardware:
        """What is moved."""

    @property
    def culprit(self) -> Culprit:
        """What is wrong, and since when it is felt."""

    @property
    def trace(self) -> Trace:
        """What was said since the episode was asked for."""


class Stage(Scene, Protocol):
    """Where faults are put in one after the other: a control loop in this process, or a launched graph."""

    def start_episode(self, rows: int, driver: str) -> bool:
        """Begin an episode, its policy giving `rows`, and wait until `driver` moves the arm."""

    def inject(self, fault: Fault) -> None:
        """Let a fault begin."""

    def until(self, ready: Callable[[], object], timeout: float) -> bool:
        """Wait until something is so; False if it is not within `timeout` s."""

    def recover(self) -> str:
        """End the fault and what it has led to; return what stands against going on, or ''."""


def run_trial(stage: Stage, kind: FaultKind, random: np.random.Generator) -> Trial:
    """Inject one fault at a random moment of a running episode."""
    fault = kind.draw(stage.hardware, random)
    pace, period = stage.hardware.config.pace, stage.hardware.config.control_period
    if not stage.start_episode(fault.rows, kind.driver):
        return Trial(kind.name, pace, 0.0, "", "no episode began before the fault")
    time.sleep(float(random.uniform(0, 8 if pace == "realtime" else 1)) * period)
    trace = stage.trace
    judge = Judge(stage, kind, fault, time.monotonic_ns())
    stage.inject(fault)
    stage.until(judge.settled, judge.limit)
    problem, reaction, said = judge.verdict()
    left = stage.recover()
    if problem and trace.broke:
        problem += f" (the loop: {trace.broke[0]})"
    return Trial(kind.name, pace, reaction, said, problem or left)


class Judge:
    """Looks at what is said after a fault."""

    def __init__(self, scene: Scene, kind: FaultKind, fault: Fault, injected: int) -> None:
        self._scene, self._kind, self._fault, self._injected = scene, kind, fault, injected
        self._trace: Trace = scene.trace
        config = scene.hardware.config
        self._period = config.control_period
        self._lockstep = config.pace == "lockstep" and not kind.outside
        silence = config.authority.human_timeout if kind.driver == HUMAN else config.command_timeout
        self._silence = silence if kind.rule == "last row" else 0.0
        rows = fault.rows * self._period
        self.limit = 1.5 + kind.wait(config) + self._silence + rows + fault.amount * (kind.high <= 1.0)

    def settled(self) -> bool:
        """Whether there is nothing more to wait for."""
        if self._kind.rule == "no gap":
            since = [at for at, _ in self._trace.commands if at > self._injected]
            return len(since) >= STRETCH or bool(self._trace.endings)
        reaction = self._named()
        if reaction is None or self._felt() is None or (self._silence and self._held() is None):
            return False
        if self._trace.endings:
            return True
        later = [at for at, _ in self._trace.commands if at > (self._held() or reaction)]
        return len(later) >= AFTER

    def verdict(self) -> tuple[str, float, str]:
        """Return why the fault is unexplained, or '', the reaction in control periods, and what was said."""
        if self._kind.rule == "no gap":
            return self._gaps()
        named, felt = self._named(), self._felt()
        if felt is None:
            return "the fault was never felt", 0.0, self._said()
        if named is None:
            return "no named hold, stop or end", float("inf"), self._said()
        reaction = self._periods(felt, named)
        problem = f"took {reaction:.2f} periods" if reaction > ALLOWED else self._motion(felt, named)
        return problem, reaction, self._said()

    def _felt(self) -> int | None:
        """Return when the fault was felt, in ns of the monotonic clock."""
        noted = self._scene.culprit.felt
        if self._kind.felt.startswith("the last sound chunk"):
            return self._rows_over()
        wait = round(self._kind.wait(self._scene.hardware.config) * NANOSECONDS)
        return None if noted is None else noted + wait

    def _rows_over(self) -> int | None:
        """Return when the last sound chunk had no row any more; in lockstep time may stop before."""
        chunk = self._trace.sound[self._kind.driver]
        over = _end(chunk)
        after = [at for at, stamp in self._trace.observed if stamp >= over]
        return after[0] if after else self._trace.observed[-1][0]

    def _named(self) -> int | None:
        """Return when a hold, a stop or the end came with one of the right names."""
        return min(self._naming(), default=None)

    def _naming(self) -> Iterator[int]:
        trace = self._trace
        for at, command in trace.commands:
            if at >= self._injected and self._stands(command) and self._is_name(" ".join(command.reasons)):
                yield at
                break
        for at, state in trace.changes:
            sentences = [state.reason, *(f"{c.name}: {c.sentence}" for c in (*state.holds, *state.causes))]
            if at >= self._injected and state.owner in (HOLD, STOPPED) and self._is_name(" ".join(sentences)):
                yield at
                break
        for at, ending in trace.endings:
            if self._is_name(ending.message):
                yield at

    def _is_name(self, text: str) -> bool:
        return any(name in text for name in self._kind.names)

    def _stands(self, command: ExecutedCommand) -> bool:
        """Whether a command leaves the arm where it is, or lets it reach the last row that was wanted."""
        late = self._kind.rule == "last row" and any(r.startswith("late:") for r in command.reasons)
        return command.source in (HOLD, STOPPED) or late

    def _held(self) -> int | None:
        """Return when the arm was held, by a command or the end of the episode."""
        holds = [at for at, c in self._trace.commands if at >= self._injected and c.source in (HOLD, STOPPED)]
        return min([*holds, *(at for at, _ in self._trace.endings)], default=None)

    def _periods(self, felt: int, named: int) -> float:
        """Return the reaction: in lockstep the commands that moved the arm meanwhile, else the time."""
        if self._lockstep:
            moving = [c for at, c in self._trace.commands if felt < at < named and not self._stands(c)]
            return float(len(moving))
        return max(0.0, (named - felt) / NANOSECONDS / self._period)

    def _motion(self, felt: int, named: int) -> str:
        """Return what is wrong with the commands after the reaction, or ''."""
        for at, command in self._trace.commands:
            if at > named and not self._stands(command) and not self._kind.passing:
                return f"{command.source} commands again although the fault persists"
        if not self._silence:
            return ""
        held = self._held()
        allowed = self._silence / self._period + ALLOWED + 1  # it is noticed one period and told the next
        if held is None or self._periods(felt, held) > allowed:
            took = float("inf") if held is None else self._periods(felt, held)
            return f"held after {took:.1f} periods, {allowed:.1f} allowed"
        return self._beyond_last_row(felt)

    def _beyond_last_row(self, felt: int) -> str:
        """Return whether the arm has gone further from the last row than braking makes it go, or ''."""
        robot = self._scene.hardware.robot
        row = self._trace.sound[self._kind.driver].position[-1]
        before = [c.position for at, c in self._trace.commands if at <= felt][-2:]
        after = [c.position for at, c in self._trace.commands if at > felt and c.source in (POLICY, HUMAN)]
        if len(before) < 2 or not after:
            return ""
        speed = np.abs(before[1] - before[0]) / self._period
        brake = speed**2 / (2 * robot.acceleration) + speed * self._period
        room = np.abs(before[1] - row) + brake + 1e-6
        worst = np.max([np.abs(position - row) - room for position in after], axis=0)
        return "the arm went beyond the last row" if (worst > 0).any() else ""

    def _gaps(self) -> tuple[str, float, str]:
        """Judge commands by the chunks that they are of."""
        late = 0.0
        for at, command in self._trace.commands:
            if at < self._injected or command.source != POLICY:
                continue
            over = command.observation_stamp + self._fault.rows * round(self._period * NANOSECONDS)
            if any(r.startswith("late:") for r in command.reasons):
                continue
            late = max(late, (command.stamp - over) / NANOSECONDS / self._period)
        ends = [ending.message for _, ending in self._trace.endings]
        if ends and not self._is_name(ends[0]):
            return f"ended without a name: {ends[0]!r}", late, self._said()
        if self._kind.told and not self._said():
            return "nothing was said", late, ""
        count = sum(at > self._injected for at, _ in self._trace.commands)
        if count < STRETCH and not ends:
            return f"only {count} commands", late, self._said()
        return (f"{late:.2f} periods without a row" if late > ALLOWED else ""), late, self._said()

    def _said(self) -> str:
        """Return the sentences that were said about it."""
        trace = self._trace
        said = [r for at, c in trace.commands if at >= self._injected for r in c.reasons]
        said += [s.reason for at, s in trace.changes if at >= self._injected]
        said += [ending.message for _, ending in trace.endings]
        return "; ".join(dict.fromkeys(s for s in said if self._is_name(s)))[:200]


def _end(chunk: ActionChunk) -> int:
    return chunk.stamp + len(chunk.position) * round(chunk.dt * NANOSECONDS)
