"""The launched graph: the same commands as in one process, and nothing left behind however it ends."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from graphs import FAKE_WORLD, NODES, alive, descendants, run_config, running_graph, wait_for
from sinew_eval.process_graph import ProcessGraph
from sinew_eval.records import StepRecord
from sinew_msgs.action import RunEpisode
from sinew_nodes.bench_parity import count_mismatches
from sinew_nodes.graph_process import GraphProcessError
from sinew_nodes.ros_graph import RosGraph

LAUNCH = [
    *(sys.executable, "-m", "sinew_core.cli", "launch", "bringup", "task:=pick_place"),
    *(
        "policy:=graph_stand_ins:Wave",
        "reward:=graph_stand_ins:Distance",
        "affordance:=graph_stand_ins:FirstKeypoint",
    ),
]


@pytest.fixture(scope="module")
def ros_graph() -> Iterator[RosGraph]:
    graph = RosGraph(run_config(video_camera="wrist"))
    try:
        yield graph
    finally:
        graph.close()


def test_same_seed_gives_the_same_commands_in_process_and_through_the_graph(ros_graph: RosGraph) -> None:
    process = ProcessGraph(run_config())
    for seed in (0, 1, 2):
        here: list[StepRecord] = []
        there: list[StepRecord] = []
        expected = process.run_episode(seed, here.append)
        assert ros_graph.run_episode(seed, there.append) == expected
        assert len(here) == 20
        assert count_mismatches(here, there) == 0
    process.close()


def test_parity_count_sees_a_difference() -> None:
    process = ProcessGraph(run_config())
    runs: list[list[StepRecord]] = [[], []]
    for seed, steps in enumerate(runs):
        process.run_episode(seed, steps.append)
    assert count_mismatches(*runs) > 0
    assert count_mismatches(runs[0], runs[0][:-2]) == 2


def test_camera_that_nobody_else_reads_is_seen_in_the_records(ros_graph: RosGraph) -> None:
    steps: list[StepRecord] = []
    ros_graph.run_episode(0, steps.append)
    frames = [step.frame for step in steps if step.frame is not None]
    assert len(frames) >= 5
    assert frames[0].shape == (640, 640, 3)  # enlarged, to be drawn on


def test_ctrl_c_ends_the_episode_and_the_next_one_runs(ros_graph: RosGraph) -> None:
    def interrupt(step: StepRecord) -> None:
        if step.index == 3:
            raise KeyboardInterrupt

    assert ros_graph.run_episode(0, interrupt).outcome == "interrupted"
    steps: list[StepRecord] = []
    assert ros_graph.run_episode(1, steps.append).outcome == "timeout"
    assert [step.index for step in steps] == list(range(20))


@pytest.mark.usefixtures("own_domain")
def test_failed_policy_is_told_and_the_next_episode_finds_a_new_graph() -> None:
    graph = RosGraph(run_config(policy="graph_stand_ins:Raising"))
    try:
        for seed in (0, 1):
            result = graph.run_episode(seed, lambda _: None)
            assert result.outcome == "error"
            assert "Raising: RuntimeError: out of ideas (log: " in result.message
    finally:
        graph.close()


@pytest.mark.usefixtures("own_domain")
def test_killed_node_takes_everything_down_and_the_arm_is_held(
    hardware_file, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    witness = tmp_path / "stopped"
    monkeypatch.setenv("WITNESS", str(witness))
    hardware = hardware_file(station='{plugin: "graph_stand_ins:WitnessStation", world: true}')
    with running_graph(hardware, pace="lockstep", policy="graph_stand_ins:Slow") as graph:
        pids = graph.supervisor.pids()
        graph.client.send_goal_async(RunEpisode.Goal(max_steps=200))
        wait_for(lambda: "episode 1" in graph.log.read_text())
        os.kill(pids["policy_node"], signal.SIGKILL)
        with pytest.raises(GraphProcessError, match="policy_node"):
            wait_for(graph.check)
    assert set(pids) == {"lifecycle_manager", *NODES}
    assert not [name for name, pid in pids.items() if alive(pid)]
    assert witness.read_text().endswith("stops")


@pytest.mark.usefixtures("own_domain")
def test_ctrl_c_on_launch_leaves_no_process() -> None:
    launch = subprocess.Popen([*LAUNCH, f"hardware:={FAKE_WORLD}"], stdout=subprocess.PIPE, text=True)
    assert launch.stdout is not None
    for line in launch.stdout:
        if "the graph is up" in line:
            break
    children = descendants(launch.pid)
    assert len(children) >= 6
    launch.send_signal(signal.SIGINT)
    rest = launch.communicate(timeout=20)[0]
    assert launch.returncode == 0
    assert "Traceback" not in rest
    assert "has died" not in rest
    assert not [pid for pid in children if alive(pid)]


@pytest.mark.usefixtures("own_domain")
def test_killed_launch_leaves_no_process() -> None:
    launch = subprocess.Popen([*LAUNCH, f"hardware:={FAKE_WORLD}"], stdout=subprocess.PIPE, text=True)
    wait_for(lambda: len(descendants(launch.pid)) >= 6)
    children = descendants(launch.pid)
    launch.kill()
    launch.communicate(timeout=20)
    wait_for(lambda: not [pid for pid in children if alive(pid)])


@pytest.mark.usefixtures("own_domain")
@pytest.mark.parametrize(
    ("argument", "reason"),
    [
        ("hardware:=sim_mujocco", "unknown hardware 'sim_mujocco'. Did you mean 'sim_mujoco'"),
        ("policy:=hodl", "unknown policy 'hodl'. Did you mean 'hold'"),
        ("polciy:=hold", "unknown argument 'polciy'. Did you mean 'policy'"),
    ],
)
def test_unknown_name_exits_with_2_and_a_hint(argument: str, reason: str) -> None:
    hardware = [] if argument.startswith("hardware") else [f"hardware:={FAKE_WORLD}"]
    command = [word for word in LAUNCH if not argument.startswith(word.partition(":=")[0] + ":=")]
    launch = subprocess.run([*command, *hardware, argument], capture_output=True, text=True, timeout=60)
    assert launch.returncode == 2, launch.stdout
    assert reason in launch.stdout + launch.stderr
