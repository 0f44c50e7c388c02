"""Claims about the annotated image topic: drawn while somebody watches, and no part of the graph."""

from __future__ import annotations

import os
import signal
from typing import Any

import numpy as np
import pytest
from graphs import run_config, running_graph, wait_for
from sensor_msgs.msg import Image
from sinew_msgs.action import RunEpisode
from sinew_nodes import convert, qos
from sinew_nodes.graph_process import bringup
from sinew_nodes.ros_graph import RosGraph

ANNOTATED = "camera/top/annotated/image_raw"


@pytest.mark.usefixtures("own_domain")
def test_the_annotated_image_is_published_and_its_death_leaves_the_episode_alone() -> None:
    drawn: list[Image] = []
    plain: dict[int, Any] = {}

    def listen(graph: Any) -> None:
        graph.listen(Image, ANNOTATED, drawn.append, 10)
        graph.listen(
            Image,
            "camera/top/color/image_raw",
            lambda message: plain.update({convert.header_stamp(message): convert.rgb_from_msg(message)}),
            qos.sensor("realtime"),
        )

    with running_graph(listen=listen, view="true", pace="realtime") as graph:
        wait_for(lambda: len(drawn) > 2)
        picture = convert.rgb_from_msg(drawn[-1])
        assert picture.shape == (480, 640, 3)
        wait_for(lambda: convert.header_stamp(drawn[-1]) in plain)
        small = picture[::10, ::10]
        assert (small != plain[convert.header_stamp(drawn[-1])]).any()
        os.kill(graph.supervisor.pids()["view_node"], signal.SIGKILL)
        goal = graph.client.send_goal_async(RunEpisode.Goal(seed=1, max_steps=10))
        wait_for(goal.done)
        result = goal.result().get_result_async()
        wait_for(result.done)
        assert result.result().result.outcome in ("timeout", "success")


def test_nobody_draws_unless_asked() -> None:
    names = [node.name for node in bringup({"hardware": "x"})]
    assert "view_node" not in names
    assert "view_node" in [node.name for node in bringup({"hardware": "x", "view": "true"})]


@pytest.mark.usefixtures("own_domain")
@pytest.mark.parametrize("plain", [False, True])
def test_a_runs_video_frames_show_the_sentence_unless_they_are_to_be_plain(plain: bool) -> None:
    frames: list[np.ndarray] = []

    def keep(record: Any) -> None:
        if record.frame is not None:
            frames.append(record.frame)

    graph = RosGraph(run_config(video_camera="top", plain_video=plain, max_steps=6))
    try:
        graph.run_episode(1, keep)
    finally:
        graph.close()
    assert frames
    assert {frame.shape for frame in frames} == {(48, 64, 3) if plain else (480, 640, 3)}
