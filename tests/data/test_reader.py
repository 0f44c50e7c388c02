"""Episodes are read as a stream, and a damaged file is a sentence that names it."""

from __future__ import annotations

import tracemalloc
from pathlib import Path

import pytest
from episode_makers import leave_unfinished, record_live, write_episode
from mcap.writer import Writer
from sinew_core.errors import ConfigError
from sinew_core.hardware import Hardware
from sinew_data import topics
from sinew_data.dataset import Dataset
from sinew_data.errors import EpisodeError
from sinew_data.reader import open_episode
from sinew_data.synthetic import Cameras

MEGABYTE = 1 << 20


def test_a_summary_says_what_the_episode_is(tmp_path: Path, hardware: Hardware) -> None:
    path, steps = record_live(tmp_path, hardware)
    with open_episode(path) as episode:
        summary = episode.summary
    assert (summary.start.task, summary.start.seed, summary.start.policy) == ("stack", 3, "mover")
    assert (summary.start.hardware, summary.start.robot) == ("fake", "so101")
    assert summary.start.joints == hardware.robot.joint_names
    assert summary.start.versions["sinew"]
    assert (summary.end.outcome, summary.end.steps, summary.end.interventions) == ("success", len(steps), 1)
    assert summary.cameras == ("top", "side")
    assert summary.counts[topics.JOINTS] == len(steps)
    assert summary.types == {topic: topics.type_of(topic) for topic in summary.counts}
    assert summary.seconds == pytest.approx(len(steps) * 0.05)
    assert summary.counts[topics.POLICY_CHUNK] == len(steps)


def test_a_summary_is_read_without_reading_the_messages(tmp_path: Path) -> None:
    path = write_episode(tmp_path, steps=60, cameras=Cameras(width=160, height=120))
    size = path.stat().st_size
    with path.open("r+b") as file:  # what lies in the middle is not looked at
        file.seek(size // 3)
        file.write(bytes(size // 3))
    with open_episode(path) as episode:
        assert episode.summary.counts[topics.EXECUTED] == 60
        with pytest.raises(EpisodeError, match=f"{path.name}: damaged"):
            list(episode.messages())


def test_the_files_of_the_robot_are_with_the_episode(tmp_path: Path, hardware: Hardware) -> None:
    path, _ = record_live(tmp_path, hardware)
    with open_episode(path) as episode:
        files = episode.attachments()
    assert files["hardware.yaml"] == hardware.path.read_bytes()
    assert files["robot.urdf"] == hardware.robot.urdf.read_bytes()
    assert b"joints:" in files["robot.yaml"]


def test_messages_come_in_the_order_of_their_log_times(tmp_path: Path, hardware: Hardware) -> None:
    path, steps = record_live(tmp_path, hardware)
    with open_episode(path) as episode:
        times = [message.log_time for message in episode.messages()]
        assert times == sorted(times)
        assert len(times) == sum(episode.summary.counts.values())
        rewards = [message.message.value for message in episode.messages([topics.REWARD])]
        assert rewards == [step.reward.value for step in steps]


def test_a_span_of_time_holds_its_beginning_and_not_its_end(tmp_path: Path) -> None:
    path = write_episode(tmp_path, steps=10)
    with open_episode(path) as episode:
        times = [message.log_time for message in episode.raw_messages([topics.JOINTS])]
        part = [message.log_time for message in episode.raw_messages([topics.JOINTS], times[2], times[5])]
    assert part == times[2:5]


def test_two_readers_of_one_episode_do_not_disturb_each_other(tmp_path: Path) -> None:
    path = write_episode(tmp_path, steps=20)
    with open_episode(path) as episode:
        pairs = list(zip(episode.raw_messages(), episode.raw_messages(), strict=True))
    assert all(one == other for one, other in pairs)


def test_reading_needs_no_more_memory_for_a_longer_episode(tmp_path: Path) -> None:
    cameras = Cameras(width=320, height=240, noise=0.0)  # 24 MB/s raw, and next to nothing on disk

    def peak(steps: int) -> int:
        path = write_episode(tmp_path / str(steps), steps, cameras)
        with open_episode(path) as episode:
            tracemalloc.start()
            try:
                assert sum(1 for _ in episode.steps()) == steps
                return tracemalloc.get_traced_memory()[1]
            finally:
                tracemalloc.stop()

    short, long = peak(60), peak(300)
    assert long < short + 2 * MEGABYTE
    assert long < 60 * MEGABYTE  # of 230 raw


@pytest.mark.parametrize(
    "content", [b"", b"x", b"no MCAP at all, but longer than a footer is, by far.", bytes(500)]
)
def test_a_foreign_file_is_named(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "foreign.mcap"
    path.write_bytes(content)
    with pytest.raises(EpisodeError, match=r"foreign\.mcap: is no MCAP file"):
        open_episode(path)


def test_an_mcap_file_of_something_else_is_named(tmp_path: Path) -> None:
    path = tmp_path / "other.mcap"
    with path.open("wb") as stream:
        writer = Writer(stream)
        writer.start()
        writer.finish()
    with pytest.raises(EpisodeError, match=r"other\.mcap: an MCAP file without the metadata 'sinew'"):
        open_episode(path)


def test_an_episode_of_another_format_is_refused(tmp_path: Path) -> None:
    path = write_episode(tmp_path)
    path.write_bytes(path.read_bytes().replace(b"sinew-episode/1", b"sinew-episode/9"))
    with pytest.raises(EpisodeError, match="format 'sinew-episode/9', expected 'sinew-episode/1'"):
        open_episode(path)


def test_a_file_cut_off_anywhere_is_an_episode_error(tmp_path: Path) -> None:
    path = write_episode(tmp_path)
    data = path.read_bytes()
    cut = tmp_path / "cut.mcap"
    for size in [*range(0, 120, 7), *range(120, len(data), len(data) // 40), len(data) - 1]:
        cut.write_bytes(data[:size])
        with pytest.raises(EpisodeError, match=r"cut\.mcap"):
            open_episode(cut)


def test_a_byte_that_is_wrong_is_never_read_as_right(tmp_path: Path) -> None:
    path = write_episode(tmp_path, steps=3)
    data = path.read_bytes()
    with open_episode(path) as episode:
        good = [message.data for message in episode.raw_messages()]
    wrong = tmp_path / "wrong.mcap"
    for at in range(8, len(data), len(data) // 150):
        wrong.write_bytes(data[:at] + bytes([data[at] ^ 0x55]) + data[at + 1 :])
        try:
            with open_episode(wrong) as episode:
                assert [message.data for message in episode.raw_messages()] == good
        except EpisodeError as error:
            assert "wrong.mcap" in str(error)


def test_one_bad_file_does_not_hide_the_others(tmp_path: Path) -> None:
    names = [write_episode(tmp_path).name for _ in range(2)]
    (tmp_path / "episodes" / "a.mcap").write_bytes(b"nothing")
    (tmp_path / "episodes" / "notes.txt").write_text("not an episode")
    leave_unfinished(tmp_path)
    dataset = Dataset(tmp_path)
    entries = list(dataset.entries())
    assert {entry.path.name for entry in entries if entry.summary} == set(names)
    assert [entry.problem for entry in entries if not entry.summary] == [
        f"{tmp_path}/episodes/a.mcap: is no MCAP file."
    ]
    assert len(dataset.episodes()) == len([episode.summary for episode in dataset]) == 2


def test_an_episode_is_found_by_a_part_of_its_name(tmp_path: Path) -> None:
    paths = [write_episode(tmp_path) for _ in range(2)]
    dataset = Dataset(tmp_path)
    assert dataset.find(paths[0].stem) == dataset.find(paths[0].stem[-6:]) == paths[0]
    with pytest.raises(ConfigError, match="is in the names of 2 episodes"):
        dataset.find("0001")
    with pytest.raises(ConfigError, match="no episode 'zzz'. There are 2"):
        dataset.find("zzz")


def test_a_folder_that_is_no_dataset_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="nowhere does not exist"):
        Dataset(tmp_path / "nowhere")
    with pytest.raises(ConfigError, match="is no dataset: it has no folder 'episodes'"):
        Dataset(tmp_path)
