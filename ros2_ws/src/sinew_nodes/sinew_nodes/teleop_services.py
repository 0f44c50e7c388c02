"""The station's services, as a person asks for them: each answer is a sentence for the screen."""

from __future__ import annotations

import time
from collections.abc import Callable
from functools import partial

from rclpy.node import Node
from rclpy.task import Future
from sinew_teleop.source import TeleopEvent
from std_srvs.srv import Trigger

SERVICES = {
    TeleopEvent.STOP: "station/stop",
    TeleopEvent.CLEAR: "station/clear",
    TeleopEvent.ARM: "station/arm",
    TeleopEvent.SUCCESS: "station/mark_success",
    TeleopEvent.FAILURE: "station/mark_failure",
    TeleopEvent.DISCARD: "station/discard",
}
PATIENCE = 2.0  # s until a service that does not answer is told of

Say = Callable[[TeleopEvent, bool, str], None]  # what was asked, whether it was done, the station's sentence


class StationServices:
    """Asks the station without waiting. One thread uses it, the executor's."""

    def __init__(self, node: Node, say: Say) -> None:
        self._say = say
        self._clients = {event: node.create_client(Trigger, name) for event, name in SERVICES.items()}
        self._asked: dict[Future, tuple[TeleopEvent, float]] = {}

    def ask(self, event: TeleopEvent) -> None:
        """Ask for a stop, a clearance, arming or a mark."""
        client = self._clients[event]
        if not client.service_is_ready():
            self._say(event, False, f"there is no station that offers {SERVICES[event]}")
            return
        asked = client.call_async(Trigger.Request())
        self._asked[asked] = (event, time.monotonic())
        asked.add_done_callback(partial(self._on_answer, event))

    def watch(self) -> None:
        """Tell of services that have not answered."""
        now = time.monotonic()
        for asked, (event, since) in list(self._asked.items()):
            if now - since > PATIENCE:
                del self._asked[asked]
                self._say(event, False, f"{SERVICES[event]} does not answer")

    def _on_answer(self, event: TeleopEvent, asked: Future) -> None:
        if self._asked.pop(asked, None) is not None:
            answer = asked.result()
            self._say(event, bool(answer.success), answer.message)
