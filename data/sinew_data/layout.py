"""Where a dataset keeps its episodes: a folder with `episodes`, `unfinished` and `discarded` in it."""

from __future__ import annotations

import re
import secrets
import time
from pathlib import Path

EPISODES, UNFINISHED, DISCARDED = "episodes", "unfinished", "discarded"
SUFFIX = ".mcap"


def episode_name(episode: int, now: float | None = None) -> str:
    """Return a name that sorts by time and is unique without any index."""
    stamp = time.strftime("%Y-%m-%d_%H-%M-%S", time.localtime(now))
    return f"{stamp}_{episode:04d}_{secrets.token_hex(3)}"


def episode_number(name: str) -> int:
    """Return the number of the episode in a name, or 0 where there is none."""
    found = re.fullmatch(r".*_(\d+)_[0-9a-f]{6}", name)
    return int(found[1]) if found else 0


def episode_path(dataset: Path, folder: str, name: str) -> Path:
    """Return the path of an episode."""
    return dataset / folder / f"{name}{SUFFIX}"
