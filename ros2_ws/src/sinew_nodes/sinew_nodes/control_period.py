"""One control period: read and publish, wait for what answers it, send one command, keep the pace."""

from __future__ import annotations

import time
from collections.abc import Callable

from sinew_core.control import ControlPath
from sinew_core.hardware import Hardware, due_cameras
from sinew_core.protocols import Station
from sinew_core.types import NANOSECONDS, ActionChunk, JointState, Refusal

from sinew_nodes.assembly import period_index
from sinew_nodes.devices import DeviceReader
from sinew_nodes.mailbox import Mailbox
from sinew_nodes.outlet import Ending, EpisodeEndError, Outlet
from sinew_nodes.parameters import StationParameters

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
        self.reader = DeviceReader(station, hardware)
        self._station, self._hardware, self._parameters = station, hardware, parameters
        self._mailbox, self._outlet = mailbox, outlet
        self._lockstep = hardware.config.pace == "lockstep"
        self._period = hardware.config.control_period  # s
        self._on_demand = [name for name, camera in hardware.config.cameras.items() if not camera.every]
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
        joints = self.read()
        if self._lockstep:
            self._await_answers(joints.stamp)
        else:
            self._deadline += self._period
            self._await_chunk(joints.stamp)
        executed = self.path.execute(joints)
        written = executed.stamp if self._station.world is not None else time.time_ns()
        self._outlet.executed(executed, written, self._episode)
        if not self._lockstep:
            self._keep_pace()

    def read(self) -> JointState:
        """Read the joints and the cameras that are due, and publish them."""
        begun = time.perf_counter()
        joints = self.reader.joints()
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
            message = f"policy did not answer within {self._parameters.answer_timeout:g} s"
            raise EpisodeEndError(Ending("error", message, "timeout"))

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
        mailbox = self._mailbox
        if not self._episode:
            return not mailbox.active or mailbox.goal is not None
        if mailbox.fault:
            raise EpisodeEndError(Ending("error", mailbox.fault, "node"))
        if mailbox.cancelled:
            raise EpisodeEndError(Ending("interrupted", "cancelled", "cancelled"))
        if not mailbox.active:
            raise EpisodeEndError(Ending("stopped", "the station was halted", "halted"))
        if isinstance(mailbox.answer, Refusal):
            raise EpisodeEndError(Ending("refused", mailbox.answer.reason))
        return False

    def _take_chunks(self, stamp: int) -> int:
        """Offer what has come; return the stamp of the newest observation that the policy answered."""
        chunks, self._mailbox.chunks = self._mailbox.chunks, []
        for source, chunk in chunks:
            self._offer(source, chunk, stamp)
        return self._answered

    def _offer(self, source: str, chunk: ActionChunk, now: int) -> None:
        fault = self.path.offer(source, chunk, now)
        if fault is None and source == "policy":
            self._answered = chunk.stamp
            self._last_answer = time.monotonic()
        elif fault is not None and not fault.startswith("stamp") and self._episode:
            raise EpisodeEndError(Ending("error", f"{source}: {fault}", "node"))
