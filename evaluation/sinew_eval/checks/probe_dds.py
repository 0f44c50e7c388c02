"""Sends a message from this process to a second one through DDS, and says how long the way took.

The one place outside the nodes that imports rclpy: it tells a machine's fault from the graph's.
"""

from __future__ import annotations

import subprocess
import sys
import time

import rclpy
from rclpy.node import Node
from std_msgs.msg import String

TOPIC = "sinew_doctor"
PATIENCE = 15.0  # s, discovery included


def talk() -> None:
    """Publish until the listener, a second process, has heard it."""
    listener = subprocess.Popen([sys.executable, "-m", "sinew_eval.checks.probe_dds", "listen"])
    begin = time.monotonic()
    try:
        with rclpy.init():
            publisher = Node("sinew_doctor_talker").create_publisher(String, TOPIC, 1)
            while listener.poll() is None and time.monotonic() - begin < PATIENCE:
                publisher.publish(String(data="hello"))
                time.sleep(0.05)
    finally:
        listener.kill()
        listener.wait()
    if listener.returncode != 0:
        raise SystemExit(f"no message arrived on the loopback interface within {PATIENCE:.0f} s")
    print(f"a message reached a second process {time.monotonic() - begin:.1f} s after its start")


def listen() -> None:
    """Return once a message came."""
    heard: list[str] = []
    with rclpy.init():
        node = Node("sinew_doctor_listener")
        node.create_subscription(String, TOPIC, lambda message: heard.append(message.data), 1)
        while not heard:
            rclpy.spin_once(node, timeout_sec=0.1)


if __name__ == "__main__":
    listen() if "listen" in sys.argv else talk()
