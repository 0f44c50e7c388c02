"""Live equals recorded: what comes back from a file is what was seen, sent and judged."""

from __future__ import annotations

from pathlib import Path

from episode_makers import record_live, same
from sinew_core.hardware import Hardware
from sinew_data.reader import open_episode


def test_live_equals_recorded(tmp_path: Path, hardware: Hardware) -> None:
    path, live = record_live(tmp_path, hardware)
    with open_episode(path) as episode:
        steps = list(episode.steps())
    assert len(steps) == len(live) == 12
    assert {frozenset(step.observation.frames) for step in steps} == {frozenset(["top", "side"])}
    for recorded, step in zip(steps, live, strict=True):
        assert same(recorded.observation, step.observation)
        assert same(recorded.executed, step.executed)
        assert same(recorded.reward, step.reward)
        assert (recorded.index, recorded.missing) == (step.index, ())


def test_who_drove_is_known_at_every_step(tmp_path: Path, hardware: Hardware) -> None:
    path, live = record_live(tmp_path, hardware)
    with open_episode(path) as episode:
        steps = list(episode.steps(frames=False))
    assert [step.owner for step in steps] == [step.executed.source for step in live]
    assert [step.index for step in steps if step.intervention] == [4, 5, 6]


def test_without_frames_nothing_else_is_different(tmp_path: Path, hardware: Hardware) -> None:
    path, live = record_live(tmp_path, hardware)
    with open_episode(path) as episode:
        for recorded, step in zip(episode.steps(frames=False), live, strict=True):
            assert recorded.observation.frames == {}
            assert same(recorded.observation.keypoints, step.observation.keypoints)
            assert same(recorded.executed, step.executed)
