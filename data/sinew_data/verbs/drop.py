"""put episodes aside into discarded/, or delete them for good"""

from __future__ import annotations

import fcntl
from collections.abc import Sequence
from pathlib import Path

from sinew_core.errors import ConfigError
from sinew_core.files import sync_folder

from sinew_data.console import output, parser_for
from sinew_data.dataset import Dataset
from sinew_data.layout import DISCARDED, EPISODES, UNFINISHED
from sinew_data.rewards_beside_files import files_beside


def main(argv: Sequence[str]) -> int:
    """Run `sinew data drop`."""
    parser = parser_for("drop", __doc__)
    parser.add_argument("episodes", nargs="*", metavar="EPISODE", help="its name, or a unique part of it")
    parser.add_argument(
        "--purge", action="store_true", help="delete them, also from discarded/; without names all of it"
    )
    parser.add_argument("--force", action="store_true", help="really delete")
    arguments = parser.parse_args(argv)
    dataset = Dataset(arguments.dataset)
    paths = _chosen(dataset, arguments.episodes, purge=arguments.purge)
    if arguments.purge and not arguments.force:
        names = ", ".join(path.stem for path in paths)
        raise ConfigError(f"--purge deletes {len(paths)} episodes for good; add --force: {names or 'none'}.")
    for path in paths:
        _purge(path) if arguments.purge else _put_aside(dataset.path, path)
    what = "deleted" if arguments.purge else f"moved to {DISCARDED}/"
    console = output()
    for path in paths:
        console.print(f"{what}: {path.stem}", markup=False, soft_wrap=True)
    return 0


def _chosen(dataset: Dataset, names: Sequence[str], *, purge: bool) -> list[Path]:
    """Return the files that are meant; all names are looked up before anything is done."""
    folders = (EPISODES, UNFINISHED, DISCARDED) if purge else (EPISODES, UNFINISHED)
    if not names:
        if not purge:
            raise ConfigError("which episode? Give its name, or a part of it that no other has.")
        return dataset.paths(DISCARDED)
    paths = list(dict.fromkeys(dataset.find(name, folders) for name in names))
    for path in paths:
        if path.parent.name == UNFINISHED and _recorded_now(path):
            raise ConfigError(f"{path} is being recorded.")
    return paths


def _recorded_now(path: Path) -> bool:
    with path.open("rb") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
    return False


def _purge(path: Path) -> None:
    for one in (*files_beside(path), path):
        one.unlink()
    sync_folder(path.parent)


def _put_aside(dataset: Path, path: Path) -> None:
    folder = dataset / DISCARDED
    folder.mkdir(exist_ok=True)
    target = folder / path.name
    if target.exists():
        raise ConfigError(f"{target} exists already.")
    for beside in files_beside(path):
        beside.rename(folder / beside.name)
    path.rename(target)
    sync_folder(folder)
    sync_folder(path.parent)
