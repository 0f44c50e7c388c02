"""The station's loop: one command a control period, in its own thread, within episodes and between them."""

from __future__ import annotations

import logging
import threading
import time
from dataclasses import replace

from sinew_core.control import ControlPath
from sinew_core.errors import ConfigError, DeviceError
from sinew_core.hardware import Hardware
from sinew_core.protocols import Attendant, Station, attendant_of
from sinew_core.types import JointState, Task

from sinew_nodes.control_period import ControlPeriod
from sinew_nodes.control_watch import ControlWatch
from sinew_nodes.mailbox import Goal, Mailbox
from sinew_nodes.outlet import Ending, EpisodeEndError, Outlet
from sinew_nodes.parameters import StationParameters

log = logging.getLogger(__name__)
IDLE_INTERVAL = 0.2  # s between looks at the joints in lockstep, where time stands still


class ControlLoop:
    """Owns the station: opens, reads, moves and closes it in one thread (graphics contexts insist on it)."""

    def __init__(
        self, hardware: Hardware, parameters: StationParameters, mailbox: Mailbox, outlet: Outlet
    ) -> None:
        self._hardware, self._parameters = hardware, parameters
        self._mailbox, self._outlet = mailbox, outlet
        self._episode = 0
        self._steps = 0
        self._station: Station | None = None
        self._period: ControlPeriod
        self._watch: ControlWatch | None = None
        self._open_error: Exception | None = None
        self._opened = threading.Event()
        self._held = threading.Event()
        self._thread = threading.Thread(target=self._run, name="control", daemon=True)

    def open(self) -> None:
        """Open the station; raises what opening it raised."""
        self._thread.start()
        self._opened.wait()
        if self._open_error is not None:
            raise self._open_error
        assert self._station is not None
        config = self._hardware.config
        action, interval = config.authority.watchdogs.blocked_control, config.control_period / 2
        self._watch = ControlWatch(self._period, self._station, action, interval, self._now)
        self._watch.start()

    @property
    def path(self) -> ControlPath:
        """The control path; other threads may use its `authority` and the parameters of its `safety`."""
        return self._period.path

    def distrust(self, name: str, message: str) -> None:
        """Do what is declared for a failed node, and end the episode; callable from any thread."""
        action = self._hardware.config.authority.watchdogs.dead_node
        self.path.authority.trip(action, name, message, time.monotonic_ns())
        self._mailbox.put_fault(f"{name}: {message}", name)

    def halt(self) -> None:
        """End motion; returns once the arm is held. A loop that does not answer is gone around."""
        self._mailbox.set_active(False)
        if self._station is not None and self._thread.is_alive() and not self._held.wait(timeout=1.0):
            log.warning("the control loop does not answer; the arm is stopped beside it")
            self._station.arm.stop()

    def close(self) -> None:
        """End the loop and close the station."""
        if self._watch is not None:
            self._watch.close()
        self._mailbox.close()
        if self._thread.is_alive():
            self._thread.join(timeout=3.0)

    def _run(self) -> None:
        try:
            station = self._open_station()
            self._period = ControlPeriod(
                station, self._hardware, self._parameters, self._mailbox, self._outlet
            )
            self._station = station
            self._outlet.owned(self._period.path.authority.state, 0.0, 0)
        except Exception as error:  # noqa: BLE001 - raised again by open()
            self._open_error = error
            return
        finally:
            self._opened.set()
        try:
            while not self._mailbox.closing:
                self._serve()
        finally:
            self._stay("the station is closed")
            station.close()

    def _open_station(self) -> Station:
        station = self._hardware.open_station(self._parameters.task)
        if station.world is None and self._hardware.config.pace == "lockstep":
            station.close()
            raise ConfigError(f"{self._hardware.path}: lockstep needs a simulated station.")
        return station

    def _serve(self) -> None:
        """Wait for motion to be allowed, then keep control until it no longer is."""
        mailbox = self._mailbox
        with mailbox.condition:
            mailbox.condition.wait_for(lambda: mailbox.active or mailbox.closing)
        self._held.clear()
        self._period.begin(0, 0)
        broke: Exception | None = None
        try:
            while mailbox.active:
                self._turn()
        except Exception as error:  # noqa: BLE001 - the thread's boundary
            mailbox.set_active(False)
            broke = error
        self._stay("the station was halted" if broke is None else _sentence(broke))
        self._held.set()
        if broke is not None:
            self._outlet.broke(broke)

    def _turn(self) -> None:
        """Run an episode if one is asked for, else hold for one control period."""
        mailbox = self._mailbox
        if mailbox.goal is not None:
            self._run_episode(mailbox.goal)
            self._period.begin(0, 0)
        elif self._hardware.config.pace == "realtime":
            self._period.run()
        else:  # time stands still between episodes in lockstep: only say where the arm is
            assert self._station is not None
            joints = self._period.reader.joints()
            self._outlet.observed(joints, simulated=self._station.world is not None)
            self._period.tell(joints.stamp)
            with mailbox.condition:
                mailbox.condition.wait_for(lambda: mailbox.goal or not mailbox.active, IDLE_INTERVAL)

    def _stay(self, reason: str) -> Exception | None:
        """Hold the arm and say why; return why it cannot be told so, or None: the rest goes on anyhow."""
        failure = None
        try:
            self._period.path.hold(reason)
        except Exception as error:
            log.exception("the arm cannot be stopped")
            failure = error
        self._period.tell(self._now())
        return failure

    def _run_episode(self, goal: Goal) -> None:
        """Run one episode; whatever happens, the arm ends held and whoever asked is told."""
        self._episode += 1
        self._steps = 0
        self._mailbox.begin(self._episode)
        for node in self._mailbox.take_faulty():  # whoever asks for an episode has seen to them
            self._period.path.authority.release(node)
        task = Task(self._parameters.task, goal.instruction, goal.max_steps or self._parameters.max_steps)
        broke: Exception | None = None
        try:
            task = self._reset(goal, task)
            ending = self._steps_of(goal, task)
        except EpisodeEndError as end:
            ending = end.ending
        except DeviceError as error:
            ending, broke = Ending("error", str(error), "device"), error
        except Exception as error:  # noqa: BLE001 - raised again once the arm is held
            ending, broke = Ending("error", _sentence(error), "device"), error
        failure = self._stay("the episode is over" if broke is None else _sentence(broke))
        if failure is not None and broke is None:
            ending, broke = Ending("error", str(failure), "device"), failure
        with self._mailbox.condition:
            self._mailbox.goal = None
        self._outlet.ended(goal, self._episode, self._now(), task, ending, self._steps)
        if broke is not None:
            raise broke

    def _now(self) -> int:
        assert self._station is not None
        return self._station.world.stamp if self._station.world is not None else time.time_ns()

    def _reset(self, goal: Goal, task: Task) -> Task:
        assert self._station is not None
        attendant, real = attendant_of(self._station), self._station.world is None
        if not real:
            task = self._lay_out(goal, task, attendant)
        if goal.again or real:
            self._period.go_home(self._hold_here())
        if real:  # only now is the arm out of the way
            task = self._lay_out(goal, task, attendant)
        state = self._hold_here()
        self._period.begin(self._episode, state.stamp)
        self._outlet.started(self._episode, state.stamp, task, goal.seed)
        return task

    def _hold_here(self) -> JointState:
        """Have the arm hold where it is, and begin from there: what it was told last may lie elsewhere."""
        assert self._station is not None
        if self._station.world is None:
            self._station.arm.stop()
        state = self._period.reader.joints()
        self._period.path.reset(state)
        return state

    @staticmethod
    def _lay_out(goal: Goal, task: Task, attendant: Attendant | None) -> Task:
        """Have the scene laid out, where somebody does that; return the task as it then is."""
        if attendant is None:
            return task
        ask, reset = attendant.ask, attendant.reset
        task = ask(goal.instruction) if goal.again else reset(goal.seed, goal.instruction)
        return replace(task, max_steps=goal.max_steps) if goal.max_steps else task

    def _steps_of(self, goal: Goal, task: Task) -> Ending:
        while self._steps < task.max_steps:
            self._period.run()
            if self._mailbox.answer is None:
                continue  # in real time an episode waits for its affordance with the arm held
            self._steps += 1
            self._outlet.progressed(goal, self._steps, self._mailbox.reward)
            success = self._success()
            if success is not None:
                return Ending("success", success)
        return Ending("timeout", f"not done after {task.max_steps} steps")

    def _success(self) -> str | None:
        """Return a message if the task is done: by the attendant's word, or else by the reward model's."""
        assert self._station is not None
        attendant = attendant_of(self._station)
        if attendant is not None:
            return "" if attendant.success() else None
        reward, threshold = self._mailbox.reward, self._parameters.success_threshold
        if reward is None or reward.success is None or reward.success < threshold:
            return None
        return f"the reward model gives success {reward.success:.2f}"


def _sentence(error: Exception) -> str:
    return str(error) if isinstance(error, DeviceError) else f"{type(error).__name__}: {error}"
