"""Whatever is wrong in the end of a file, opening it says so by its name."""

from pathlib import Path

import pytest
from episode_makers import write_episode
from sinew_data.errors import EpisodeError
from sinew_data.reader import open_episode


@pytest.mark.parametrize("mask", [0xFF, 0x40])
def test_a_wrong_byte_in_the_summary_is_an_episode_error_or_harmless(tmp_path: Path, mask: int) -> None:
    data = write_episode(tmp_path, steps=2).read_bytes()
    wrong = tmp_path / "wrong.mcap"
    for at in range(len(data) - 2400, len(data), 9):
        wrong.write_bytes(data[:at] + bytes([data[at] ^ mask]) + data[at + 1 :])
        try:
            with open_episode(wrong) as episode:
                assert len(list(episode.raw_messages())) > 0
        except EpisodeError as error:
            assert "wrong.mcap" in str(error)
