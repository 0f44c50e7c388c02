"""What people and devices ask of the station: stop, clear, arm, marks, and the safety filters' numbers."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable

from rcl_interfaces.msg import SetParametersResult
from rclpy.parameter import Parameter
from sinew_core.authority import HUMAN, AuthorityLatch
from sinew_core.safety import FilterChain
from std_msgs.msg import Bool
from std_srvs.srv import Trigger

from sinew_nodes import qos
from sinew_nodes.component_node import ComponentNode
from sinew_nodes.mailbox import Mailbox

SAFETY = "safety."  # what the parameters of the safety filters begin with
MARKS = {"mark_success": "success", "mark_failure": "failure", "discard": "discarded"}


class AuthorityDesk:
    """Offers the station's services, its stop topics and the parameters of its safety filters.

    A stop acts in the thread that hears it, whatever the control loop is busy with.
    """

    def __init__(
        self,
        node: ComponentNode,  # type: ignore[type-arg]
        authority: AuthorityLatch,
        mailbox: Mailbox,
        safety: FilterChain,
        on_clear: Callable[[], None],
    ) -> None:
        self._node, self._authority, self._mailbox, self._safety = node, authority, mailbox, safety
        self._on_clear = on_clear
        node.create_service(Trigger, "station/stop", self._answering(self._stop))
        node.create_service(Trigger, "station/clear", self._answering(self._clear))
        node.create_service(Trigger, "station/arm", self._answering(self._arm))
        for service, outcome in MARKS.items():
            node.create_service(Trigger, f"station/{service}", self._answering(self._marking(outcome)))
        node.listen(Bool, "emergency_stop", self._on_emergency_stop, qos.event())
        node.listen(Bool, "human/stop", self._on_human_stop, qos.event())
        for name, value in safety.parameters().items():
            if not node.has_parameter(SAFETY + name):
                node.declare_parameter(SAFETY + name, value)
            self._safety.set_parameter(name, float(node.get_parameter(SAFETY + name).value))
        node.add_on_set_parameters_callback(self._on_parameters)

    def _answering(
        self, ask: Callable[[], tuple[bool, str]]
    ) -> Callable[[Trigger.Request, Trigger.Response], Trigger.Response]:
        def answer(request: Trigger.Request, response: Trigger.Response) -> Trigger.Response:
            response.success, response.message = ask()
            if response.message:
                self._node.get_logger().info(response.message)
            return response

        return answer

    def _stop(self) -> tuple[bool, str]:
        self._authority.stop("service", "station/stop was called", asked=time.monotonic_ns())
        self._mailbox.wake()
        return True, "stopped; to go on: clear, then arm"

    def _clear(self) -> tuple[bool, str]:
        self._on_clear()
        refusal = self._authority.clear()
        self._mailbox.forget_human()
        return not refusal, refusal or "the causes are cleared; arm to go on"

    def _arm(self) -> tuple[bool, str]:
        refusal = self._authority.arm(asked=time.monotonic_ns())
        self._mailbox.wake()
        return not refusal, f"not armed: {refusal}" if refusal else "armed; the arm holds"

    def _marking(self, outcome: str) -> Callable[[], tuple[bool, str]]:
        def mark() -> tuple[bool, str]:
            refusal = self._mailbox.put_mark(outcome)
            return not refusal, refusal or f"the episode ends: {outcome}"

        return mark

    def _on_emergency_stop(self, message: Bool) -> None:
        if message.data:
            self._authority.stop(
                "emergency_stop", "the button is pressed", present=True, asked=time.monotonic_ns()
            )
        else:
            self._authority.release("emergency_stop", forget=True)
        self._mailbox.wake()

    def _on_human_stop(self, message: Bool) -> None:
        if message.data:
            self._authority.stop(HUMAN, "stopped by the person who drives", asked=time.monotonic_ns())
            self._mailbox.wake()

    def _on_parameters(self, parameters: Iterable[Parameter]) -> SetParametersResult:
        """Change numbers of the safety filters; everything else about a running station is fixed."""
        for parameter in parameters:
            if not parameter.name.startswith(SAFETY):
                continue
            try:
                self._safety.set_parameter(parameter.name.removeprefix(SAFETY), float(parameter.value))
            except (ValueError, TypeError) as error:
                return SetParametersResult(successful=False, reason=str(error))
            self._node.get_logger().info(f"{parameter.name} = {parameter.value}")
        return SetParametersResult(successful=True)
