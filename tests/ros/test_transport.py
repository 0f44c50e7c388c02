"""What a participant that is gone leaves in shared memory goes; what a living one holds stays."""

from __future__ import annotations

import fcntl
from pathlib import Path

import pytest
from sinew_nodes import transport


@pytest.fixture
def shared_memory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(transport, "SHARED_MEMORY", tmp_path)
    for name in ("fastdds_dead", "fastdds_dead_el", "fastdds_alive", "fastdds_alive_el", "somebody_elses"):
        (tmp_path / name).write_bytes(b"x")
    return tmp_path


def test_only_segments_whose_owner_is_gone_are_removed(shared_memory: Path) -> None:
    with (shared_memory / "fastdds_alive_el").open("rb") as owner:
        fcntl.flock(owner, fcntl.LOCK_EX)
        transport.clean_shared_memory()
    left = {path.name for path in shared_memory.iterdir()}
    assert left == {"fastdds_alive", "fastdds_alive_el", "somebody_elses"}


def test_a_segment_goes_once_its_owner_lets_go(shared_memory: Path) -> None:
    with (shared_memory / "fastdds_alive_el").open("rb") as owner:
        fcntl.flock(owner, fcntl.LOCK_EX)
    transport.clean_shared_memory()
    assert not list(shared_memory.glob("fastdds_*"))


def test_a_port_stays_since_a_living_sender_may_hold_it(shared_memory: Path) -> None:
    ports = {"fastdds_port7411", "fastdds_port7411_el"}
    for name in ports:
        (shared_memory / name).write_bytes(b"x")
    transport.clean_shared_memory()
    assert {path.name for path in shared_memory.iterdir()} == {*ports, "somebody_elses"}
