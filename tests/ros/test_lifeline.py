"""A node's death is told at once, and only its death."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import uuid

from graphs import wait_for
from sinew_nodes.lifeline import Lifeline, LifelineServer, lifeline_address

CHILD = """
import sys, time
from sinew_nodes.lifeline import Lifeline
line = Lifeline("\\0" + sys.argv[1], "policy_node")
line.connect()
print("connected", flush=True)
time.sleep(60)
"""


def address() -> str:
    return lifeline_address(f"/{uuid.uuid4().hex}", "7")


def test_a_killed_process_is_named_at_once() -> None:
    dead: list[str] = []
    where = address()
    server = LifelineServer(where, dead.append)
    child = subprocess.Popen([sys.executable, "-c", CHILD, where[1:]], stdout=subprocess.PIPE, text=True)
    assert child.stdout is not None
    assert child.stdout.readline() == "connected\n"
    os.kill(child.pid, signal.SIGKILL)
    wait_for(lambda: dead)
    child.wait()
    child.stdout.close()
    server.close()
    assert dead == ["policy_node"]


def test_a_node_that_says_goodbye_is_not_dead() -> None:
    dead: list[str] = []
    where = address()
    server = LifelineServer(where, dead.append)
    first, second = Lifeline(where, "first"), Lifeline(where, "second")
    first.connect()
    second.connect()
    first.close()
    second._socket.close()  # type: ignore[union-attr]
    wait_for(lambda: dead)
    server.close()
    assert dead == ["second"]


def test_a_node_may_be_there_before_the_station() -> None:
    dead: list[str] = []
    where = address()
    line = Lifeline(where, "early")
    line.connect()
    server = LifelineServer(where, dead.append)
    line.connect()
    line._socket.close()  # type: ignore[union-attr]
    wait_for(lambda: dead == ["early"])
    server.close()


def test_a_node_that_comes_back_is_named_too() -> None:
    told: list[tuple[str, str]] = []
    where = address()
    server = LifelineServer(
        where, lambda name: told.append(("dead", name)), lambda n: told.append(("born", n))
    )
    for _ in range(2):
        line = Lifeline(where, "policy_node")
        line.connect()
        wait_for(lambda: told[-1:] == [("born", "policy_node")])
        line._socket.close()  # type: ignore[union-attr]
        wait_for(lambda: told[-1:] == [("dead", "policy_node")])
    server.close()
    assert len(told) == 4


def test_who_has_said_goodbye_does_not_connect_again() -> None:
    told: list[str] = []
    where = address()
    server = LifelineServer(where, told.append, told.append)
    line, other = Lifeline(where, "first"), Lifeline(where, "second")
    line.close()
    line.connect()
    other.connect()
    wait_for(lambda: told)
    server.close()
    assert told == ["second"]
