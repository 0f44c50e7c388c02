"""The durability bench kills for real, and would notice a loss."""

from __future__ import annotations

import random
from pathlib import Path

from episode_makers import SMALL, leave_unfinished, write_episode
from sinew_core.types import NANOSECONDS
from sinew_data import topics
from sinew_data.durability import Told, assess, kill_once
from sinew_data.reader import open_episode
from sinew_data.synthetic import Cameras

TWO = Cameras(width=32, height=24)


class Soon(random.Random):
    """A chance that is always the same."""

    def uniform(self, a: float, b: float) -> float:
        return 1.5


def test_a_killed_recorder_loses_no_finished_episode_and_less_than_a_second(tmp_path: Path) -> None:
    losses = kill_once(tmp_path / "set", Soon(), (32, 24))
    assert losses.finished >= 1
    assert losses.finished_lost == []
    assert len(losses.lost) <= 2
    assert max(losses.lost) <= 1.0
    assert not (tmp_path / "set").exists()


def stamps(path: Path) -> list[int]:
    with open_episode(path) as episode:
        return [message.publish_time for message in episode.raw_messages([topics.EXECUTED])]


def test_a_finished_episode_that_is_gone_cut_or_short_counts_as_lost(tmp_path: Path) -> None:
    gone, cut, short, good = (write_episode(tmp_path, 10, TWO) for _ in range(4))
    gone.unlink()
    cut.write_bytes(cut.read_bytes()[:-1])
    names = [path.stem for path in (gone, cut, short, good)]
    steps = dict(zip(names, (10, 10, 11, 10), strict=True))
    losses = assess(tmp_path, Told(began=names, finished=steps))
    assert losses.finished == 4
    assert [sentence.split(":")[0] for sentence in losses.finished_lost] == names[:3]


def test_what_an_interrupted_episode_lost_is_counted_from_the_last_word(tmp_path: Path) -> None:
    source = leave_unfinished(tmp_path, 10, SMALL)
    last = 20 * NANOSECONDS
    told = Told(began=[source.stem], first={source.stem: 0}, last={source.stem: last})
    losses = assess(tmp_path, told)
    recorded = stamps(tmp_path / "episodes" / source.name)[-1]
    assert losses.lost == [max(0, last - recorded) / NANOSECONDS]
    told.last[source.stem] = recorded + NANOSECONDS // 4
    assert assess(tmp_path, told).lost == [0.25]
