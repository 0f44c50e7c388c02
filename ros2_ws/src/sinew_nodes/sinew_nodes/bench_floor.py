"""The floor of the graph's latency: one bare hop of one camera image between two processes."""

from __future__ import annotations

import sys
import time

import numpy as np
import rclpy
from sensor_msgs.msg import Image
from sinew_core.types import NANOSECONDS

from sinew_nodes import convert, qos
from sinew_nodes.graph_process import GraphProcess
from sinew_nodes.image_wire import image_from_wire
from sinew_nodes.launch_file import NodeSpec

RATE = 30.0  # Hz
TOPIC = "floor/image_raw"


def measure_floor(width: int, height: int, seconds: float) -> list[float]:
    """Return the latencies (s) from before the message is made until its pixels can be read."""
    sizes = (str(width), str(height), str(seconds))
    spec = NodeSpec("sinew_nodes", "bench_floor", "publisher", sizes, ends_all=True)
    latencies: list[float] = []

    def on_image(wire: bytes) -> None:
        image = image_from_wire(wire)
        convert.rgb_from_msg(image)
        latencies.append((time.time_ns() - image.stamp) / NANOSECONDS)

    graph = GraphProcess([spec], "floor")
    try:
        graph.listen(Image, TOPIC, on_image, qos.sensor("realtime"), raw=True)
        graph.spin()
        while graph.supervisor.ended() is None:
            time.sleep(0.05)
    finally:
        graph.close()
    return latencies


def main() -> int:
    """Publish: WIDTH HEIGHT SECONDS."""
    width, height, seconds = int(sys.argv[1]), int(sys.argv[2]), float(sys.argv[3])
    rclpy.init(args=[])
    node = rclpy.create_node("floor_publisher")
    publisher = node.create_publisher(Image, TOPIC, qos.sensor("realtime"))
    rgb = np.random.default_rng(0).integers(0, 255, (height, width, 3), dtype=np.uint8)
    while not publisher.get_subscription_count():
        time.sleep(0.01)
    time.sleep(0.2)
    for _ in range(round(seconds * RATE)):
        publisher.publish(convert.rgb_to_wire(time.time_ns(), rgb, "camera"))
        time.sleep(1 / RATE)
    return 0


if __name__ == "__main__":
    sys.exit(main())
