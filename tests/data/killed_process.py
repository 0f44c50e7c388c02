"""Does one thing to a dataset and dies by SIGKILL at the n-th call that reaches the disk.

python killed_process.py record|repair DATASET N
"""

import os
import signal
import sys
from pathlib import Path

from episode_makers import write_episode
from sinew_data.repair import repair_file, unfinished

calls_left = int(sys.argv[3])


def dying(function):
    def call(*args, **kwargs):
        global calls_left  # noqa: PLW0603 - the one thing that this process remembers
        calls_left -= 1
        if calls_left < 0:
            os.kill(os.getpid(), signal.SIGKILL)
        return function(*args, **kwargs)

    return call


for name in ("fsync", "fdatasync", "rename", "replace", "unlink"):
    setattr(os, name, dying(getattr(os, name)))

dataset = Path(sys.argv[2])
if sys.argv[1] == "record":
    write_episode(dataset, steps=10)
else:
    for path in unfinished(dataset):
        repair_file(dataset, path)
