"""A merge copies whole episodes, of one robot, and overwrites nothing unasked."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from episode_makers import record_live, write_episode
from sinew_core.errors import ConfigError
from sinew_core.hardware import Hardware
from sinew_data import merging
from sinew_data.command import main
from sinew_data.dataset import Dataset


@pytest.fixture
def dataset(tmp_path: Path) -> Path:
    folder = tmp_path / "set"
    for _ in range(2):
        write_episode(folder)
    return folder


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.glob("*.mcap"))


def test_merge_copies_bit_by_bit_and_twice_is_once(
    dataset: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    other = tmp_path / "other"
    write_episode(other)
    target = tmp_path / "all"
    command = ["merge", str(dataset), str(other), "--into", str(target)]
    assert main(command) == 0
    assert main(command) == 0
    assert "0 episodes copied" in capsys.readouterr().out
    copies = {path.name: path.read_bytes() for path in (target / "episodes").iterdir()}
    originals = [*(dataset / "episodes").iterdir(), *(other / "episodes").iterdir()]
    assert copies == {path.name: path.read_bytes() for path in originals}


def test_merge_leaves_out_what_cannot_be_read(
    dataset: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (dataset / "episodes" / "bad.mcap").write_bytes(b"?")
    assert main(["merge", str(dataset), "--into", str(tmp_path / "all")]) == 1
    assert "bad.mcap: is no MCAP file" in capsys.readouterr().out
    assert len(names(tmp_path / "all" / "episodes")) == 2


def test_merge_refuses_different_robots(dataset: Path, tmp_path: Path, hardware: Hardware) -> None:
    record_live(tmp_path / "arm", hardware)
    command = ["merge", str(dataset), str(tmp_path / "arm"), "--into", str(tmp_path / "all")]
    with pytest.raises(ConfigError, match="different robots: none .*, so101 .*--force"):
        main(command)
    assert not (tmp_path / "all").exists()
    assert main([*command, "--force"]) == 0
    with pytest.raises(ConfigError, match="different robots"):  # those that are there count, too
        main(["merge", str(dataset), "--into", str(tmp_path / "all")])


def test_merge_overwrites_nothing_without_force(dataset: Path, tmp_path: Path) -> None:
    target = tmp_path / "all"
    assert main(["merge", str(dataset), "--into", str(target)]) == 0
    paths = sorted((target / "episodes").iterdir())
    shutil.copy(paths[1], paths[0])
    with pytest.raises(ConfigError, match="differs from .*of the same name"):
        main(["merge", str(dataset), "--into", str(target)])
    assert paths[0].read_bytes() == paths[1].read_bytes()
    assert main(["merge", str(dataset), "--into", str(target), "--force"]) == 0
    assert paths[0].read_bytes() != paths[1].read_bytes()


@pytest.mark.parametrize("kind", ["folder", "file", "itself"])
def test_merge_refuses_a_target_that_is_something_else(dataset: Path, tmp_path: Path, kind: str) -> None:
    target = dataset if kind == "itself" else tmp_path / "there"
    if kind == "folder":
        (target / "photos").mkdir(parents=True)
    elif kind == "file":
        target.write_text("")
    with pytest.raises(ConfigError, match="cannot be merged into itself|is there and no dataset"):
        main(["merge", str(dataset), "--into", str(target)])


def test_an_interrupted_merge_leaves_whole_episodes(
    dataset: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(merging, "BLOCK", 1000)
    target = tmp_path / "all"
    plan = merging.plan_merge([Dataset(dataset)], target, force=False)
    heard = []

    def interrupt(count: int) -> None:
        heard.append(count)
        if sum(heard) > plan.size * 0.7:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        list(merging.copy_episodes(plan, interrupt))
    assert [entry.problem for entry in Dataset(target).entries()] == [""]
    assert len(list((target / "episodes").iterdir())) == 1
    assert main(["merge", str(dataset), "--into", str(target)]) == 0
    assert len(Dataset(target).episodes()) == 2
