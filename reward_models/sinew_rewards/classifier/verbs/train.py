"""train a classifier on marked or scripted episodes, with a report card at the end"""

from __future__ import annotations

import argparse
import json
import math
import time
from collections.abc import Sequence
from pathlib import Path

import torch
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn
from sinew_core.errors import ConfigError
from sinew_core.files import write_whole
from sinew_eval.interrupts import Interrupts

from sinew_rewards.classifier.augment import AugmentConfig
from sinew_rewards.classifier.card import Card, Criteria, card_facts, card_path
from sinew_rewards.classifier.labels import Labelled, LabelRule, label_all
from sinew_rewards.classifier.making import command_of, publish_card, tell
from sinew_rewards.classifier.network import SuccessNetwork
from sinew_rewards.classifier.pictures import PictureSpec
from sinew_rewards.classifier.recorded import Wanted
from sinew_rewards.classifier.saving import provenance_of, save_classifier
from sinew_rewards.classifier.scorer import facts_path
from sinew_rewards.classifier.sources import Gathered, add_data_options, crop, gather, label_rule
from sinew_rewards.classifier.splits import Shares, Split, split_episodes
from sinew_rewards.classifier.training import TrainConfig, Trainer, train

SUFFIX = ".safetensors"
KEEP = 30.0  # s between checkpoints


def main(argv: Sequence[str]) -> int:
    """Run `sinew classifier train`: 0 when trained, whatever the card says; 130 after Ctrl-C."""
    arguments = _parser().parse_args(argv)
    console = Console(stderr=True, highlight=False, soft_wrap=True)
    config, rule, shares = _train_config(arguments), label_rule(arguments), _shares(arguments)
    checkpoint = _prepare(arguments)
    if arguments.threads:
        torch.set_num_threads(arguments.threads)
    with Interrupts() as interrupts:
        with interrupts.interruptible():
            gathered, split, left_out = _episodes(arguments, rule, shares, console)
            trainer = Trainer(config, split)
            if arguments.resume:
                trainer.load(checkpoint)
                console.print(f"{checkpoint}: going on from step {trainer.progress.step}", markup=False)
        network = _train(trainer, checkpoint, interrupts, console)
        with interrupts.shield():
            command = command_of("train", argv, [*arguments.data, arguments.out, arguments.cache])
            provenance = provenance_of(command, trainer, gathered, rule, left_out)
            scorer = save_classifier(arguments.out, network, gathered, split, trainer, provenance)
            threshold = scorer.facts.threshold
            card = publish_card(arguments.out, scorer, split.held_out, Criteria(), threshold, command)
            checkpoint.unlink(missing_ok=True)
    _say(arguments, card, trainer, console)
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="sinew classifier train", description=__doc__)
    shares = Shares()
    add_data_options(parser)
    parser.add_argument("--out", type=Path, required=True, metavar="FILE", help="weights (.safetensors)")
    parser.add_argument("--cameras", default="", metavar="A,B", help="all that every episode has")
    parser.add_argument("--size", type=int, metavar="PX", help="edge of the pictures (128)")
    parser.add_argument(
        "--crop",
        type=crop,
        action="append",
        default=[],
        metavar="CAMERA=L,T,R,B",
        help="the part that counts, px",
    )
    _add_learning(parser)
    parser.add_argument("--validation", type=float, default=shares.validation, help="share of the episodes")
    parser.add_argument("--held-out", type=float, default=shares.held_out, help="share of the episodes")
    parser.add_argument("--threads", type=int, default=0, help="of torch (its own choice)")
    parser.add_argument("--resume", action="store_true", help="go on from FILE's checkpoint")
    parser.add_argument("--force", action="store_true", help="replace FILE, begin anew")
    parser.add_argument("--json", action="store_true", help="end with one JSON object on stdout")
    return parser


def _add_learning(parser: argparse.ArgumentParser) -> None:
    default = TrainConfig()
    parser.add_argument("--steps", type=int, default=default.steps, help=f"at most ({default.steps})")
    parser.add_argument("--batch", type=int, default=default.batch)
    parser.add_argument("--seed", type=int, default=0, help="of weights, batches, augmentation and split")
    parser.add_argument(
        "--positive-weight",
        type=float,
        default=default.positive_weight,
        metavar="W",
        help="of a frame of success in the loss (1); less makes false positives dearer",
    )
    parser.add_argument(
        "--any-colour",
        action="store_true",
        help="success does not depend on colours: half of the pictures have theirs exchanged",
    )
    parser.add_argument(
        "--fine",
        action="store_true",
        help="look twice as closely, where a centimetre decides; takes half as long again",
    )


def _train_config(arguments: argparse.Namespace) -> TrainConfig:
    try:
        return TrainConfig(
            seed=arguments.seed,
            steps=arguments.steps,
            batch=arguments.batch,
            positive_weight=arguments.positive_weight,
            fine=arguments.fine,
            augment=AugmentConfig(exchange=0.5 if arguments.any_colour else 0.0),
        )
    except ValueError as error:
        raise ConfigError(f"sinew classifier train: {error}") from error


def _shares(arguments: argparse.Namespace) -> Shares:
    try:
        return Shares(arguments.validation, arguments.held_out)
    except ValueError as error:
        raise ConfigError(f"--validation, --held-out: {error}") from error


def _prepare(arguments: argparse.Namespace) -> Path:
    """Check the output before anything is computed; return where the checkpoint is to be."""
    out: Path = arguments.out
    if out.suffix != SUFFIX:
        raise ConfigError(f"--out {out}: expected a file that ends with {SUFFIX}.")
    checkpoint = out.with_suffix(".checkpoint")
    if arguments.resume:
        if not checkpoint.is_file():
            raise ConfigError(f"--resume: there is no {checkpoint} to go on from.")
        return checkpoint
    if not arguments.force:
        for path in (out, facts_path(out), card_path(out)):
            if path.exists():
                raise ConfigError(f"{path} exists. Choose another --out, or replace it by --force.")
        if checkpoint.exists():
            raise ConfigError(
                f"{checkpoint} holds an earlier training: give --resume, or --force to begin anew."
            )
    probe = out.with_name(f".{out.name}.probe")
    write_whole(probe, b"")
    probe.unlink()
    return checkpoint


def _episodes(
    arguments: argparse.Namespace, rule: LabelRule, shares: Shares, console: Console
) -> tuple[Gathered, Split, dict[str, int]]:
    cameras = tuple(filter(None, arguments.cameras.split(",")))
    wanted = Wanted(cameras, arguments.size or 0, tuple(arguments.crop), arguments.task)
    gathered = gather(arguments.data, wanted, arguments.cache)
    for problem in gathered.problems:
        console.print(f"left out: {problem}", style="yellow", markup=False)
    labelled, left_out = label_all(gathered.episodes, rule)
    for outcome, count in left_out.items():
        console.print(f"left out: {count} episodes that ended as '{outcome}'", style="yellow", markup=False)
    split = split_episodes(labelled, shares, arguments.seed)
    _say_data(labelled, split, gathered.spec, console)
    return gathered, split, left_out


def _say_data(labelled: Sequence[Labelled], split: Split, spec: PictureSpec, console: Console) -> None:
    positives, negatives = sum(e.positives for e in labelled), sum(e.negatives for e in labelled)
    parts = ", ".join(f"{len(names)} {part.replace('_', ' ')}" for part, names in split.names().items())
    console.print(
        f"{len(labelled)} episodes ({parts}); {positives} frames of success, {negatives} without; "
        f"cameras {', '.join(spec.cameras)} at {spec.size} px",
        markup=False,
    )


def _train(trainer: Trainer, checkpoint: Path, interrupts: Interrupts, console: Console) -> SuccessNetwork:
    """Train to the end, with a checkpoint every so often and when interrupted between two steps."""
    columns = (TextColumn("training"), BarColumn(), TextColumn("{task.fields[note]}"), TimeElapsedColumn())
    bar = Progress(*columns, console=console, transient=True, disable=not console.is_terminal)
    saved = time.monotonic()
    with bar:
        task = bar.add_task("", total=trainer.config.steps, completed=trainer.progress.step, note="")

        def between(done: Trainer, loss: float) -> None:
            nonlocal saved
            progress = done.progress
            note = f"step {progress.step} loss {loss:.3f}"
            if math.isfinite(progress.best):
                note += f", best on validation {progress.best:.3f} at {progress.best_step}"
            bar.update(task, completed=progress.step, note=note)
            if not console.is_terminal and progress.step % done.config.every == 0:
                console.print(f"[{progress.seconds:.0f} s] {note}", markup=False)
            if interrupts.received or time.monotonic() - saved > KEEP:
                done.save(checkpoint)
                saved = time.monotonic()
            interrupts.check()

        return train(trainer, between)


def _say(arguments: argparse.Namespace, card: Card, trainer: Trainer, console: Console) -> None:
    if arguments.json:
        progress = trainer.progress
        facts = {**card_facts(card), "steps": progress.step, "seconds": round(progress.seconds, 1)}
        print(json.dumps({"weights": str(arguments.out), **facts}), flush=True)
    tell(arguments.out, card, console if arguments.json else Console(highlight=False, soft_wrap=True))
