"""One control period: read and publish, wait for what answers it, send one command, keep the pace."""

from __future__ import annotations

import time
from collections.abc import Callable

from sinew_core.authority import HOLD, HUMAN, POLICY
from sinew_core.control import ControlPath
from sinew_core.hardware import Hardware, due_cameras
from sinew_core.homing import is_home, way_home
from sinew_core.protocols import Station
from sinew_core.types import NANOSECONDS, JointState, Refusal

from sinew_nodes.assembly import period_index
from sinew_nodes.devices import ARM, CLOCK, DeviceReader
from sinew_nodes.mailbox import Mailbox, Parcel
from sinew_nodes.outlet import Ending, EpisodeEndError, Outlet
from sinew_nodes.parameters import StationParameters

CONTROL = "control"  # the cause that stands for the loop itself
ON_DEMAND_INTERVAL = NANOSECONDS // 10  # ns between frames of a camera that delivers only when asked


class ControlPeriod:
    """Runs control periods, within an episode or (number 0) between them. One thread uses it."""

    def __init__(
        self,
        station: Station,
        hardware: Hardware,
        parameters: StationParameters,
        mailbox: Mailbox,
        outlet: Outlet,
    ) -> None:
        self.path = ControlPath(station, hardware)
        self.reader = DeviceReader(station, hardware, self.path.authority)
        self._station, self._hardware, self._parameters = station, hardware, parameters
        self._mailbox, self._outlet = mailbox, outlet
        self._lockstep = hardware.config.pace == "lockstep"
        self._period = hardware.config.control_period  # s
        self._on_demand = [name for name, camera in hardware.config.cameras.items() if not camera.every]
        self._arrivals: dict[str, int] = {}  # ns, of the newest chunk by the owner it leads to
        self._read_at = 0  # ns, monotonic; when the joints were
        self._begun: float | None = None  # s, monotonic; when the present control period was
        self.begin(0, 0)

    def begin(self, episode: int, start: int) -> None:
        """Begin an episode (0: the time between episodes) at a stamp."""
        self._episode, self._start = episode, start
        self._deadline = time.monotonic()
        self._last_answer = time.monotonic()
        self._next_on_demand = 0
        self._answered = -1  # stamp of the newest observation that the policy has answered
        self.reader.forgive()

    def run(self) -> None:
        """Run one control period; an episode that must end leaves it by EpisodeEndError."""
        self._begun = time.monotonic()
        if any(cause.name == CONTROL for cause in self.path.authority.state.holds):
            self.path.authority.release(CONTROL)
        try:
            self._run()
        finally:
            self._begun = None

    def overdue(self) -> str:
        """Return what keeps the present control period waiting for longer than `max_age`, or ''.

        In real time only: in lockstep time stands still. Callable from any thread.
        """
        begun = self._begun
        taken = 0.0 if begun is None or self._lockstep else time.monotonic() - begun
        if taken <= max(self._hardware.config.max_age, 2 * self._period):
            return ""
        what = self.reader.waits_for or "itself"
        return f"the control loop has stood still for {taken:.2f} s, waiting for {what}"

    def _run(self) -> None:
        joints = self.read()
        if self._lockstep:
            self._await_answers(joints.stamp)
        else:
            self._deadline += self._period
            self._await_chunk(joints.stamp)
        self.reader.waits_for = ARM
        executed = self.path.execute(joints)
        self.reader.waits_for = ""
        written = executed.stamp if self._station.world is not None else time.time_ns()
        self._outlet.executed(executed, written, self._episode)
        self.tell(executed.stamp)
        if not self._lockstep:
            self._keep_pace()

    def go_home(self, joints: JointState) -> None:
        """Bring an arm that is elsewhere home between two episodes, under the eyes of safety and authority.

        `joints` are those that the control path was just reset to.

        An episode that is called off meanwhile, or must not begin, is left by EpisodeEndError.
        """
        if is_home(self._hardware.robot, joints):
            return
        chunk = way_home(self._hardware.robot, joints, self._period)
        self.path.offer(POLICY, chunk, joints.stamp)
        for row in range(len(chunk.position)):
            begun = time.monotonic()
            joints = self.reader.joints() if row else joints
            self._outlet.observed(joints, simulated=self._station.world is not None)
            executed = self.path.execute(joints)
            self._outlet.executed(executed, executed.stamp, 0)
            self.tell(executed.stamp)
            self._heed_end()
            if not self._lockstep:
                time.sleep(max(0.0, begun + self._period - time.monotonic()))

    def _heed_end(self) -> None:
        """Leave an episode that has not begun, for what would end it later."""
        mailbox, authority = self._mailbox, self.path.authority.state
        if authority.stopped:
            raise EpisodeEndError(Ending("stopped", authority.reason, "stopped"))
        if mailbox.fault:
            raise EpisodeEndError(Ending("error", mailbox.fault, "node"))
        if mailbox.cancelled:
            raise EpisodeEndError(Ending("interrupted", "cancelled", "cancelled"))
        if not mailbox.active:
            raise EpisodeEndError(Ending("stopped", "the station was halted", "halted"))

    def tell(self, stamp: int) -> None:
        """Publish what has changed about the arm's owner."""
        for change in self.path.authority.take_changes():
            asked = self._arrivals.get(change.state.owner) if change.asked is None else change.asked
            took = 0.0 if asked is None else (time.monotonic_ns() - asked) / NANOSECONDS
            self._outlet.owned(change.state, took, stamp)

    def read(self) -> JointState:
        """Read the joints and the cameras that are due, and publish them."""
        begun = time.perf_counter()
        joints = self.reader.joints()
        self._read_at = time.monotonic_ns()
        self._outlet.observed(joints, simulated=self._station.world is not None)
        index = period_index(joints.stamp, self._start, self._hardware.period)
        for name in due_cameras(self._hardware.config.cameras, index):
            self._capture(name, joints.stamp)
        if self._on_demand and joints.stamp >= self._next_on_demand:
            self._next_on_demand = joints.stamp + ON_DEMAND_INTERVAL
            for name in self._on_demand:
                if self._outlet.wanted(name):
                    self._capture(name, joints.stamp)
        self._outlet.read(time.perf_counter() - begun)
        return joints

    def _capture(self, name: str, now: int) -> None:
        frame = self.reader.frame(name, now)
        if frame is not None:
            self._outlet.captured(name, frame)

    def _await_answers(self, stamp: int) -> None:
        """Wait for the affordance, then for the chunk and the reward that answer this observation."""
        mailbox, parameters = self._mailbox, self._parameters
        if mailbox.answer is None:
            self._expect(
                "affordance model", lambda: mailbox.answer is not None, parameters.affordance_timeout
            )
        self._expect("policy", lambda: self._take_chunks(stamp) >= stamp, parameters.answer_timeout)
        if self._outlet.rewarded():
            self._expect(
                "reward model",
                lambda: mailbox.reward is not None and mailbox.reward.stamp >= stamp,
                parameters.answer_timeout,
            )

    def _expect(self, what: str, ready: Callable[[], bool], timeout: float) -> None:
        if not self._wait(ready, time.monotonic() + timeout):
            message = f"{what} did not answer within {timeout:g} s"
            raise EpisodeEndError(Ending("error", message, "timeout"))

    def _await_chunk(self, stamp: int) -> None:
        """Wait until a chunk answers this observation, unless one covers it, or the period is over."""
        middle = stamp + self._hardware.period // 2  # stamps of real time jitter by some microseconds

        def ready() -> bool:
            return self._take_chunks(stamp) >= stamp or self.path.arbiter.covers(middle)

        self._wait(ready, self._deadline)
        if not self._episode or self._mailbox.answer is None:
            self._last_answer = time.monotonic()
        elif time.monotonic() - self._last_answer > self._parameters.answer_timeout:
            holds = self.path.authority.state.holds
            message = f"policy did not answer within {self._parameters.answer_timeout:g} s"
            message = holds[0].sentence if holds else message
            raise EpisodeEndError(Ending("error", message, "device" if holds else "timeout"))

    def _keep_pace(self) -> None:
        now = time.monotonic()
        if now > self._deadline:
            self._outlet.overran(now - self._deadline)
            self._deadline = now
        self._wait(lambda: False, self._deadline)

    def _wait(self, ready: Callable[[], bool], until: float) -> bool:
        """Wait for something in the mailbox until a time of the monotonic clock."""
        condition = self._mailbox.condition
        with condition:
            while True:
                if self._interrupted():
                    return False
                if ready():
                    return True
                remaining = until - time.monotonic()
                if remaining <= 0:
                    return False
                condition.wait(remaining)

    def _interrupted(self) -> bool:
        """Leave the episode if something has ended it; between episodes, say whether to stop waiting."""
        mailbox, authority = self._mailbox, self.path.authority.state
        if not self._episode:
            return not mailbox.active or mailbox.goal is not None
        if authority.stopped:
            raise EpisodeEndError(Ending("stopped", authority.reason, "stopped"))
        if mailbox.fault:
            raise EpisodeEndError(Ending("error", mailbox.fault, "node"))
        if mailbox.mark:
            raise EpisodeEndError(Ending(mailbox.mark, "marked by a person"))
        if mailbox.cancelled:
            raise EpisodeEndError(Ending("interrupted", "cancelled", "cancelled"))
        if not mailbox.active:
            raise EpisodeEndError(Ending("stopped", "the station was halted", "halted"))
        if isinstance(mailbox.answer, Refusal):
            raise EpisodeEndError(Ending("refused", mailbox.answer.reason))
        for cause in authority.holds:
            if cause.name == CLOCK:  # no stamp of before and after can be compared
                raise EpisodeEndError(Ending("error", cause.sentence, "device"))
        return False

    def _take_chunks(self, stamp: int) -> int:
        """Offer what has come; return the stamp of the newest observation that the policy answered."""
        if self._mailbox.human_forgotten:
            self._mailbox.human_forgotten = False
            self.path.arbiter.give_back(stamp)
        parcels, self._mailbox.chunks = self._mailbox.chunks, []
        for parcel in parcels:
            self._offer(parcel, stamp)
        return self._answered

    def _offer(self, parcel: Parcel, now: int) -> None:
        source, chunk = parcel.source, parcel.chunk
        if parcel.refused:
            self.path.arbiter.refuse(source, parcel.refused)
            return
        if source == POLICY and (not self._episode or chunk.stamp < self._start):
            return  # of an episode that is over; its many rows would still move the arm
        # The policy's answer to what it saw before a hand-back is void; in lockstep time stood still since.
        came_after = parcel.arrival > self._read_at and not self._lockstep
        fault = self.path.offer(source, chunk, now + 1 if came_after and not len(chunk.position) else now)
        if fault is None:
            self._arrivals[source if len(chunk.position) else HOLD] = parcel.arrival
            if source == POLICY:
                self._answered = chunk.stamp
            if not self.path.authority.state.holds:
                self._last_answer = time.monotonic()
        elif source != HUMAN and not fault.startswith("stamp") and self._episode:
            raise EpisodeEndError(Ending("error", f"{source}: {fault}", "node"))
