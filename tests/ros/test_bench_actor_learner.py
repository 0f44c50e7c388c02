"""The figures of `sinew bench actor-learner`, from files whose content is known."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace

import numpy as np
from sinew_core.hardware import load_hardware
from sinew_data.replay import ReplayBuffer
from sinew_data.replay.layout import BEGIN
from sinew_nodes.bench_actor_learner import losses, resumes
from sinew_nodes.learning_rig import contents, read_replay
from sinew_policies.learned.encoding import KeypointEncoding
from sinew_policies.learned.tip_actions import TipActionConfig
from sinew_training.learning import replay_schema
from sinew_training.wire import Fragment

HARDWARE = load_hardware("synthetic")
SCHEMA = replay_schema(KeypointEncoding(HARDWARE.robot), TipActionConfig(), HARDWARE)
SIZE = SCHEMA.observation["state"].shape[0]


def row(value: float) -> np.ndarray:
    return np.full(SIZE, value, np.float32)


def test_the_files_of_a_replay_hold_the_transitions_that_were_sent(tmp_path: Path) -> None:
    buffer = ReplayBuffer.create(tmp_path / "online", SCHEMA, 100)
    action = np.zeros(5, np.float32)
    for start in (0, 10):
        buffer.begin({"state": row(start)})
        for k in range(start + 1, start + 4):
            buffer.add(action, float(k), {"state": row(k)})
    fragment = Fragment(
        {"state": np.stack([row(k) for k in range(4)])},
        np.zeros((3, 5), np.float32),
        np.arange(1, 4).astype(np.float32),
        np.array([BEGIN, 0, 0, 0], np.uint8),
    )
    there = read_replay(tmp_path / "online", SCHEMA)
    assert len(there) == 6
    assert there[:3] == contents(fragment)
    buffer.close()


def rig(learnt: list[str], sent: dict[int, str], acknowledged: int, produced: int) -> SimpleNamespace:
    return SimpleNamespace(
        learnt=lambda: learnt, sent=sent, acknowledged=acknowledged, produced=lambda: produced
    )


def test_losses_are_told_from_what_is_there() -> None:
    whole = losses(rig(["a", "b"], {1: "a", 2: "b"}, 2, 2))
    assert (whole["lost_transitions"], whole["acknowledged_lost"], whole["taken_twice"]) == (0, 0, 0)
    short = losses(rig(["a", "c"], {1: "a", 2: "b", 3: "c", 4: "d"}, 3, 4))
    assert (short["lost_transitions"], short["acknowledged_lost"]) == (2, 1)
    assert losses(rig(["a", "a"], {1: "a"}, 1, 1))["taken_twice"] == 1
    assert losses(rig(["a"], {1: "a"}, 2, 2))["lost_transitions"] == 1  # one that nobody saw being sent


def test_the_slowest_part_decides() -> None:
    figures = resumes([("actor", 2.0), ("learner", 5.0), ("actor", 4.0)])
    assert (figures["resume_s_max"], figures["actor_resume_s_median"]) == (5.0, 3.0)
