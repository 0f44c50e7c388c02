"""train the embedded affordance model, or show what its weights were made of"""

from __future__ import annotations

import argparse
import hashlib
import platform
import shlex
import signal
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from importlib.metadata import version
from pathlib import Path
from typing import Any

import torch
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn
from sinew_core.errors import ConfigError

from sinew_perception.ground.calibration import calibrate
from sinew_perception.ground.dataset import DataConfig, Dataset, default_cache, draw_missing, shards
from sinew_perception.ground.grounder import WEIGHTS, Grounder, Thresholds, load_weights, save_weights
from sinew_perception.ground.lexicon import HERE
from sinew_perception.ground.reading import learn_to_read
from sinew_perception.ground.training import TrainConfig, Trainer, train

PLAIN_EVERY = 20  # steps between lines where there is no terminal
PACKAGES = ("sinew", "torch", "numpy", "mujoco", "safetensors")


def main(argv: Sequence[str]) -> int:
    """Run `sinew ground train` or `sinew ground show`."""
    arguments = _parser().parse_args(argv)
    console = Console(stderr=True, highlight=False)
    if arguments.verb == "show":
        _, provenance = load_weights(arguments.weights)
        Console(soft_wrap=True).print_json(data=dict(provenance))
        return 0
    with _stoppable():
        _make_weights(arguments, argv, console)
    return 0


@contextmanager
def _stoppable() -> Iterator[None]:
    """Let SIGINT and SIGTERM end a training with its checkpoint; a shell's background ignores the first."""
    numbers = (signal.SIGINT, signal.SIGTERM)
    previous = [signal.signal(number, signal.default_int_handler) for number in numbers]
    try:
        yield
    finally:
        for number, handler in zip(numbers, previous, strict=True):
            signal.signal(number, handler)


def _make_weights(arguments: argparse.Namespace, argv: Sequence[str], console: Console) -> None:
    torch.set_num_threads(arguments.threads)
    data = _pictures(arguments, console)
    config = TrainConfig(arguments.seed, arguments.steps, arguments.minutes)
    trainer = Trainer(config, Dataset(shards(data, arguments.cache)))
    checkpoint = arguments.out.with_suffix(".checkpoint")
    _resume(trainer, checkpoint, arguments.resume, console)
    _train(trainer, checkpoint, console)
    _read(trainer, arguments, console)
    console.print("calibrating on pictures that training did not see")
    grounder = Grounder(trainer.average, Thresholds())
    thresholds, figures = calibrate(grounder, arguments.seed, arguments.calibration)
    facts = _provenance(arguments, argv, data, trainer, figures)
    save_weights(arguments.out, trainer.average, trainer.sizes, thresholds, facts)
    console.print(f"{arguments.out}: {arguments.out.stat().st_size / 1e6:.1f} MB; {figures}", markup=False)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="sinew ground", description=__doc__)
    verbs = parser.add_subparsers(dest="verb", required=True)
    show = verbs.add_parser("show", help="print what weights were made of")
    show.add_argument("--weights", type=Path, default=WEIGHTS)
    learn = verbs.add_parser("train", help="train from scratch; a killed run goes on with --resume")
    learn.add_argument(
        "--out", type=Path, required=True, metavar="FILE", help="weights to write (.safetensors)"
    )
    learn.add_argument("--minutes", type=float, default=80.0, help="of training, at most")
    learn.add_argument("--steps", type=int, default=TrainConfig().steps, help="of training, at most")
    learn.add_argument(
        "--reading", type=int, default=600, help="steps of sentences without pictures, at the end"
    )
    learn.add_argument("--seed", type=int, default=0)
    learn.add_argument("--resume", action="store_true", help="go on from FILE's checkpoint")
    learn.add_argument("--cache", type=Path, default=default_cache(), help="folder that keeps the pictures")
    learn.add_argument("--pictures", type=int, default=DataConfig().count, help="to learn from")
    learn.add_argument(
        "--calibration", type=int, default=600, help="questions that the thresholds are set by"
    )
    learn.add_argument("--threads", type=int, default=2)
    return parser


def _pictures(arguments: argparse.Namespace, console: Console) -> DataConfig:
    data = DataConfig(arguments.pictures, 0)
    with _bar(console) as bar:
        task = bar.add_task("drawing pictures", total=data.count, note="")
        there = sum(path.is_file() for path in shards(data, arguments.cache))
        bar.update(task, completed=min(data.count, there * 250))
        for count in draw_missing(data, arguments.cache, arguments.threads):
            bar.advance(task, count)
    return data


def _resume(trainer: Trainer, checkpoint: Path, resume: bool, console: Console) -> None:
    if resume:
        trainer.load(checkpoint)
        console.print(f"{checkpoint}: going on from step {trainer.progress.step}", markup=False)
    elif checkpoint.exists():
        raise ConfigError(f"{checkpoint} holds an earlier training; give --resume, or remove it.")


def _train(trainer: Trainer, checkpoint: Path, console: Console) -> None:
    with _bar(console) as bar:
        task = bar.add_task("training", total=1.0, note="")

        def report(done: Trainer, terms: Mapping[str, float]) -> None:
            step = done.progress.step
            note = f"step {step} " + " ".join(f"{name} {value:.3f}" for name, value in terms.items())
            bar.update(task, completed=min(1.0, done.progress.share(done.config)), note=note)
            if not console.is_terminal and step % PLAIN_EVERY == 0:
                console.print(f"[{done.progress.seconds:.0f} s] {note}", markup=False)

        train(trainer, checkpoint, every=60.0, report=report)


def _read(trainer: Trainer, arguments: argparse.Namespace, console: Console) -> None:
    with _bar(console) as bar:
        task = bar.add_task("reading sentences", total=arguments.reading, note="")

        def report(step: int, loss: float) -> None:
            bar.update(task, completed=step, note=f"step {step} loss {loss:.3f}")
            if not console.is_terminal and step % PLAIN_EVERY == 0:
                console.print(f"reading: step {step} loss {loss:.3f}", markup=False)

        learn_to_read(trainer.average, arguments.reading, arguments.seed, report)


def _bar(console: Console) -> Progress:
    columns = (TextColumn("{task.description}"), BarColumn(), TimeElapsedColumn(), TimeRemainingColumn())
    note = TextColumn("{task.fields[note]}")
    return Progress(*columns, note, console=console, transient=True, disable=not console.is_terminal)


def _provenance(
    arguments: argparse.Namespace,
    argv: Sequence[str],
    data: DataConfig,
    trainer: Trainer,
    figures: Mapping[str, float],
) -> dict[str, Any]:
    return {
        "command": shlex.join(["sinew", "ground", *_from_scratch(arguments, argv)]),
        "training": asdict(trainer.config),
        "reading": arguments.reading,
        "steps_done": trainer.progress.step,
        "seconds": round(trainer.progress.seconds),
        "data": asdict(data) | {"digest": data.digest},
        "words": {name: _digest(HERE / name) for name in ("lexicon.yaml", "frames.yaml")},
        "calibration": {"questions": arguments.calibration, **figures},
        "versions": {"python": platform.python_version(), **{name: version(name) for name in PACKAGES}},
        "threads": arguments.threads,
    }


def _from_scratch(arguments: argparse.Namespace, argv: Sequence[str]) -> list[str]:
    """Return the arguments that make the same weights anywhere, from the beginning."""
    names = {str(arguments.out): arguments.out.name, str(arguments.cache): arguments.cache.name}
    return [names.get(argument, argument) for argument in argv if argument != "--resume"]


def _digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()[:16]
