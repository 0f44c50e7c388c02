"""A run on devices goes on after a stop only when somebody has seen to the arm."""

from __future__ import annotations

import threading
from concurrent.futures import Future
from dataclasses import replace
from typing import Any

import pytest
from sinew_core.errors import DeviceError
from sinew_core.hardware import Hardware, load_hardware
from sinew_msgs.msg import Authority
from sinew_nodes.after_stop import AfterStop

EMULATED = load_hardware("so101_emulated")


class Graph:
    """What AfterStop wants of a graph: two services, one topic, and whether it is still there."""

    def __init__(self) -> None:
        self.node, self.asked = self, []
        self.hear: Any = None
        self.down = False

    def listen(self, kind: Any, topic: str, callback: Any, profile: Any) -> None:
        self.hear = callback

    def create_client(self, kind: Any, name: str) -> Any:
        def call(_: Any) -> Future[None]:
            self.asked.append(name)
            if self.asked[-2:] == ["station/clear", "station/arm"]:
                self.hear(Authority(owner="hold"))
            done: Future[None] = Future()
            done.set_result(None)
            return done

        return type("Client", (), {"call_async": staticmethod(call)})()

    def check(self) -> None:
        if self.down:
            raise DeviceError("the graph went down")


def after(hardware: Hardware) -> tuple[Graph, AfterStop]:
    graph = Graph()
    return graph, AfterStop(graph, hardware)  # type: ignore[arg-type]


def real() -> Hardware:
    station = {key: value for key, value in EMULATED.config.station.items() if key != "emulator"}
    return replace(EMULATED, config=replace(EMULATED.config, station=station))


def test_a_station_that_is_not_stopped_is_not_waited_for() -> None:
    graph, stopped = after(real())
    stopped.wait()
    graph.hear(Authority(owner="policy"))
    stopped.wait()
    assert graph.asked == []


def test_beside_an_emulated_arm_somebody_clears_and_arms() -> None:
    graph, stopped = after(EMULATED)
    graph.hear(Authority(owner="stopped", reason="arm: servo 2 reports overload"))
    stopped.wait()
    assert graph.asked == ["station/clear", "station/arm"]


def test_beside_a_real_arm_nobody_but_a_person_does(caplog: pytest.LogCaptureFixture) -> None:
    graph, stopped = after(real())
    graph.hear(Authority(owner="stopped", reason="arm: servo 2 reports overload"))
    waiting = threading.Thread(target=stopped.wait)
    waiting.start()
    waiting.join(0.2)
    assert waiting.is_alive()
    assert graph.asked == []
    graph.hear(Authority(owner="hold"))
    waiting.join(5.0)
    assert not waiting.is_alive()
    assert "arm: servo 2 reports overload" in caplog.text


def test_a_graph_that_goes_down_ends_the_waiting() -> None:
    graph, stopped = after(real())
    graph.hear(Authority(owner="stopped"))
    graph.down = True
    with pytest.raises(DeviceError, match="went down"):
        stopped.wait()
