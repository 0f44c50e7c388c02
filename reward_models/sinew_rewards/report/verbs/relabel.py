"""write a reward beside recorded episodes, for learners to choose"""

from __future__ import annotations

import argparse
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from rich.console import Console
from sinew_core.errors import ConfigError
from sinew_data.console import progress
from sinew_data.dataset import Dataset
from sinew_data.rewards_beside_files import beside_path
from sinew_data.summary import EpisodeSummary

from sinew_rewards.report.episodes import hardware_of
from sinew_rewards.report.label_source import label_source
from sinew_rewards.report.options import command_of, messages, on_one_core
from sinew_rewards.report.recorded_episodes import of_one_task
from sinew_rewards.report.relabelling import others, relabel


def main(argv: Sequence[str]) -> int:
    """Run `sinew reward relabel`: 0 if every episode has its labels, else 1."""
    arguments = _parser().parse_args(argv)
    on_one_core()
    summaries, counts = _summaries(arguments)
    first = summaries[0].start
    hardware = hardware_of(arguments.hardware or first.hardware, str(arguments.episodes))
    source, provenance = label_source(arguments.model, hardware, first.task, force=arguments.force)
    paths = [summary.path for summary in summaries]
    _check_others(paths, arguments, str(provenance["digest"]))
    command = command_of("relabel", argv, [Path(arguments.model), arguments.episodes])
    told = messages()
    with progress() as bar:
        task = bar.add_task("relabelling", total=len(paths))
        for one in relabel(paths, arguments.name, source, {**provenance, "command": command}):
            counts[one.what] += 1
            if one.sentence:
                told.print(one.sentence, style="yellow", markup=False)
            bar.advance(task)
    _tell(arguments, counts)
    return int(counts["problem"] > 0)


def _summaries(arguments: argparse.Namespace) -> tuple[list[EpisodeSummary], Counter[str]]:
    """Return the episodes of the task, and how many cannot be read; raises ConfigError."""
    beside_path(arguments.episodes, arguments.name)  # the name is checked before anything is done
    entries = list(Dataset(arguments.episodes).entries())
    for entry in entries:
        if entry.summary is None:
            messages().print(entry.problem, style="yellow", markup=False)
    readable = [entry.summary for entry in entries if entry.summary is not None]
    if not readable:
        raise ConfigError(f"{arguments.episodes}: there is no episode that can be read.")
    chosen = of_one_task(arguments.episodes, readable, arguments.task)
    return chosen, Counter(problem=len(entries) - len(readable))


def _check_others(paths: Sequence[Path], arguments: argparse.Namespace, digest: str) -> None:
    """Raise ConfigError where labels of this name are there, made by something else."""
    found = others(paths, arguments.name, digest)
    if found and not arguments.replace:
        raise ConfigError(
            f"{len(found)} episodes have a reward '{arguments.name}' from another model, version or "
            f"configuration, as {found[0].stem}. Give another --name, or --replace."
        )


def _tell(arguments: argparse.Namespace, counts: Counter[str]) -> None:
    there = f", {counts['there']} there already" if counts["there"] else ""
    bad = f", {counts['problem']} with a problem" if counts["problem"] else ""
    Console(highlight=False, soft_wrap=True).print(
        f"{arguments.episodes}: {counts['written']} episodes relabelled{there}{bad}. "
        f"To learn from it: `labels: {arguments.name}` in the configuration of `sinew train`.",
        markup=False,
    )


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="sinew reward relabel",
        description=__doc__,
        epilog="Episodes stay as they are; a reward lies beside each as EPISODE.NAME.reward.npz. Estimates "
        "are joined to control periods by their stamps, never by their order. An interruption leaves whole "
        "files only, and the same command goes on.",
    )
    add = parser.add_argument
    add(
        "model",
        metavar="MODEL",
        help="learned weights, any reward, a .jsonl of late estimates, or `recorded`: what was said then",
    )
    add("--episodes", type=Path, required=True, metavar="DATASET")
    add("--name", required=True, help="of the labels")
    add("--task", default="", help="of the episodes, where a dataset has several")
    add("--hardware", default="", help="a name or path of a hardware YAML (the recorded one)")
    add("--force", action="store_true", help="a learned reward whose card fails; the labels say so")
    add("--replace", action="store_true", help="labels of this name that something else made")
    return parser
