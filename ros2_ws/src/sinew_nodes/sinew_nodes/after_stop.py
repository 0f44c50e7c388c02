"""Between two episodes on devices: what was stopped is waited for, until somebody has seen to the arm."""

from __future__ import annotations

import logging
import time

from sinew_core.authority import STOPPED
from sinew_core.hardware import Hardware
from sinew_msgs.msg import Authority as AuthorityMsg
from std_srvs.srv import Trigger

from sinew_nodes import convert, qos
from sinew_nodes.graph_process import GraphProcess

log = logging.getLogger(__name__)
LOOK = 0.05  # s between looks
ASK = 0.5  # s that an answer of the station may take
HOW = "clear and arm: `ros2 service call /station/clear std_srvs/srv/Trigger`, then the same for /station/arm"


class AfterStop:
    """Knows whether the station is stopped. Beside an emulated arm it clears and arms, as a person would."""

    def __init__(self, graph: GraphProcess, hardware: Hardware) -> None:
        self._graph, self._emulated = graph, "emulator" in hardware.config.station
        self._owner, self._reason = "", ""
        self._services = [graph.node.create_client(Trigger, f"station/{name}") for name in ("clear", "arm")]
        graph.listen(AuthorityMsg, "authority", self._on_authority, qos.latched())

    def wait(self) -> None:
        """Return once the station is not stopped; raises GraphProcessError if the graph goes down.

        A person may take as long as it takes, and end it by an interrupt.
        """
        told = False
        while self._owner == STOPPED:
            if not told:
                told = True
                log.warning("the station is stopped: %s Waiting for somebody to %s.", self._reason, HOW)
            if self._emulated:
                self._see_to_it()
            self._graph.check()
            time.sleep(LOOK)
        if told:
            log.warning("the station is armed again")

    def _see_to_it(self) -> None:
        for service in self._services:
            answer = service.call_async(Trigger.Request())
            deadline = time.monotonic() + ASK
            while not answer.done() and time.monotonic() < deadline:
                time.sleep(LOOK / 10)

    def _on_authority(self, message: AuthorityMsg) -> None:
        change = convert.authority_from_msg(message)
        self._owner, self._reason = change.owner, change.reason
