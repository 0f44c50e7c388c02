"""Records synthetic episodes one after the other and says on stdout what it has done, until it is killed."""

from __future__ import annotations

import itertools
import json
import sys
from collections.abc import Sequence
from concurrent.futures import Future
from functools import partial
from pathlib import Path

from sinew_data.episode import EpisodeEnd
from sinew_data.synthetic import Cameras, SyntheticScene, write_synthetic
from sinew_data.writer import EpisodeWriter


def main(argv: Sequence[str]) -> int:
    """Run until killed: `DATASET STEPS WIDTH HEIGHT`, control periods at 30 Hz in each episode."""
    dataset = Path(argv[0])
    steps, width, height = map(int, argv[1:])
    scene = SyntheticScene(Cameras(width=width, height=height))
    for episode in itertools.count(1):
        writer = EpisodeWriter(dataset, scene.start(episode))
        say(began=writer.name)
        on_step = partial(_stepped, writer.name)
        write_synthetic(writer, scene, steps, realtime=True, on_step=on_step)
        done = writer.finish(EpisodeEnd("success", steps=steps))
        done.add_done_callback(partial(_finished, steps))
    return 0  # never


def _stepped(name: str, stamp: int) -> None:
    say(name=name, stamp=stamp)


def _finished(steps: int, future: Future[Path]) -> None:
    say(finished=future.result().stem, steps=steps)


def say(**facts: object) -> None:
    """Write a line in one go."""
    sys.stdout.write(json.dumps(facts) + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
