"""learners from comparisons: accuracy and rank correlation on unseen episodes, beside their baselines"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import torch
from rich.console import Console
from rich.table import Table
from sinew_core.errors import ConfigError, did_you_mean

from sinew_eval.benches.operator_claims import operator_claims, similarity_claims
from sinew_eval.benches.preferences.asking import Questions, episodes_of, unseen_episodes
from sinew_eval.benches.preferences.factors import rescaling
from sinew_eval.benches.preferences.gridworld import WorldConfig, compare_models
from sinew_eval.benches.preferences.make_reward import make_reward
from sinew_eval.benches.preferences.measuring import ENTRANTS, Asked, asked, measure, measure_noise
from sinew_eval.benches.preferences.peer_run import beside_peer
from sinew_eval.benches.preferences.policies import success_ratios
from sinew_eval.benches.preferences.summary import failures, medians
from sinew_eval.benches.result import add_result_options, write_result
from sinew_eval.options import natural, positive

FLIPPED = 0.25  # share of answers turned round in the part on noise
PARTS = ("learners", "noise", "regret_world", "factors", "operators", "similarity")
Figures = dict[str, Any]


def main(argv: Sequence[str]) -> int:
    """Run `sinew bench preferences`: 0 if every claim that was measured holds, 1 if one does not."""
    arguments = _parser().parse_args(argv)
    torch.set_num_threads(arguments.threads)
    questions = Questions(arguments.task, arguments.episodes, arguments.rows)
    if arguments.make_reward is not None:
        path: Path = arguments.make_reward
        make_reward(path, questions, arguments.comparisons, arguments.noise, arguments.seed)
        print(f"wrote {path} and the JSON beside it: `sinew reward report {path}` makes its card")
        return 0
    ratios = success_ratios(arguments.policies)
    console = Console(stderr=True, highlight=False)
    seeds = []
    for seed in range(arguments.seed, arguments.seed + arguments.seeds):
        seeds.append(_one_seed(arguments, questions, seed))
        console.print(f"seed {seed}: done")
    figures = _with_ratios(medians(seeds), ratios)
    figures["failed"] = failures(figures)
    if not arguments.json:
        _show(console, figures)
    settings = {
        name: getattr(arguments, name) for name in ("task", "comparisons", "episodes", "seeds", "seed")
    }
    write_result("preferences", figures | settings, arguments.out, list(argv))
    return int(bool(figures["failed"]))


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="sinew bench preferences", description=__doc__)
    add = parser.add_argument
    add("--task", default="push", help="whose simulated episodes are compared (push)")
    add("--comparisons", type=positive, default=1000, metavar="N", help="to learn from (1000)")
    add("--episodes", type=positive, default=150, metavar="N", help="that are shown (150)")
    add("--unseen", type=positive, default=60, metavar="N", help="episodes that are tested on (60)")
    add("--rows", type=positive, default=20, metavar="N", help="control periods of a clip (20)")
    add("--noise", type=_share, default=0.0, metavar="SHARE", help="of answers turned round (0)")
    add("--seeds", type=positive, default=5, metavar="N", help="of which medians are taken (5)")
    add("--seed", type=natural, default=0, help="the first of them (0)")
    add("--threads", type=positive, default=2, metavar="N", help="of the processor (2)")
    add("--only", choices=PARTS, action="append", help="measure this part; may be given again (all)")
    add("--learner", action="append", metavar="NAME", help="of the part `learners`; may be given again (all)")
    add("--peer", type=Path, metavar="PYTHON", help="an interpreter with imitation 1.0.1; see peer.py")
    add("--peer-epochs", type=positive, default=10, metavar="N", help="that both have beside the peer (10)")
    add("--policies", type=Path, metavar="FILE", help="JSON with the success rates of trained policies")
    add("--make-reward", type=Path, metavar="FILE", help="only fit a reward and keep it there (.safetensors)")
    add_result_options(parser)
    return parser


def _share(text: str) -> float:
    share = float(text)
    if not 0 <= share < 0.5:
        raise argparse.ArgumentTypeError(f"expected a share from 0 to below 0.5, got '{text}'")
    return share


def _one_seed(arguments: argparse.Namespace, questions: Questions, seed: int) -> Figures:
    """Return the figures of the parts that are wanted."""
    shown, unseen = episodes_of(questions, seed), unseen_episodes(questions, arguments.unseen, seed)

    def data(noise: float) -> Asked:
        return asked(shown, unseen, questions, arguments.comparisons, noise, seed)

    parts: Mapping[str, Callable[[], Figures]] = {
        "learners": lambda: _learners(arguments.learner or list(ENTRANTS), data(arguments.noise)),
        "noise": lambda: measure_noise(data(FLIPPED)),
        "regret_world": lambda: compare_models(WorldConfig(), seed),
        "factors": lambda: rescaling(data(0.0)),
        "operators": lambda: operator_claims(seed),
        "similarity": lambda: similarity_claims(seed),
    }
    figures = {name: part() for name, part in parts.items() if name in (arguments.only or PARTS)}
    if arguments.peer is None:
        return figures
    return figures | beside_peer(arguments.peer, data(arguments.noise), arguments.peer_epochs)


def _learners(names: Sequence[str], data: Asked) -> Figures:
    for name in names:
        if name not in ENTRANTS:
            raise ConfigError(f"--learner {name}: there is no such learner.{did_you_mean(name, ENTRANTS)}")
    return {name: measure(data, ENTRANTS[name].make(), ENTRANTS[name].told(data)) for name in names}


def _with_ratios(figures: Figures, ratios: Mapping[str, float]) -> Figures:
    """Add to each learner what is known of policies, and to all what is known of the peer."""
    for name, learner in figures.get("learners", {}).items():
        learner["success_ratio_to_true"] = ratios.get(name)
    return {"peer_accuracy": None, "peer_fit_s": None, **figures}


def _show(console: Console, figures: Figures) -> None:
    table = Table("learner", "accuracy", "rank correlation", "success to true", "fit, s")
    for name, learner in figures.get("learners", {}).items():
        ratio = learner["success_ratio_to_true"]
        known = "-" if ratio is None else f"{ratio:.2f}"
        table.add_row(
            name,
            f"{learner['accuracy_heldout']:.3f}",
            f"{learner['rank_corr']:.3f}",
            known,
            f"{learner['fit_s']:.1f}",
        )
    console.print(table)
    for sentence in figures["failed"]:
        console.print(f"does not hold: {sentence}", markup=False)
