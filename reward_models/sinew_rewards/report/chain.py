"""From a reward's accuracy over the return that was learned on it to true success: which link is weak.

Reward benchmarks alone mislead: a reward that orders held-out clips well can still be gamed, and one that is
not optimised shows nothing. So the three are read together.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import yaml
from sinew_core.errors import ConfigError

from sinew_rewards.report.ranks import rank_correlation

ACCURATE = {"comparison_accuracy": 0.75, "pair_accuracy": 0.75, "rank_correlation": 0.6}  # at least
GAIN = 0.5  # standard deviations of the first episodes' returns, by which a return has risen
SUCCESS_GAIN = 0.1  # of the success rate, from the first evaluation to the last, or
SUCCESSFUL = 0.8  # that is reached at all
EDGE = 0.2  # share of the episodes that count as the first ones, and as the last ones
LEAST = 10  # episodes of a training


@dataclass(frozen=True, slots=True)
class Chain:
    """The three links of a training, and which of them is weak: reward, learner, aim or none."""

    run: str
    reward: str  # that the training was on
    accuracy: Mapping[str, float]  # figures of the card
    return_first: float  # mean of the first episodes
    return_last: float
    return_gain: float  # in standard deviations of the first ones
    success_first: float
    success_last: float
    return_success: float  # rank correlation of return and success over episodes
    weak: str
    sentence: str


def read_chain(run: Path, figures: Mapping[str, float]) -> Chain:
    """Return the chain of a `sinew train` directory; ConfigError where it is none, or too short."""
    records = _records(run / "progress.jsonl")
    episodes = [record for record in records if record.get("kind") == "episode"]
    if len(episodes) < LEAST:
        raise ConfigError(f"{run}: has {len(episodes)} episodes; at least {LEAST} are needed to see a trend.")
    returns = np.array([float(record["return"]) for record in episodes])
    done = np.array([bool(record["success"]) for record in episodes])
    edge = max(int(EDGE * len(returns)), LEAST // 2)
    first, last = float(returns[:edge].mean()), float(returns[-edge:].mean())
    gain = (last - first) / max(float(returns[:edge].std()), 1e-9)
    begin, end = _success(records, done, edge)
    accuracy = {name: figures[name] for name in ACCURATE if name in figures}
    weak, sentence = weak_link(accuracy, gain, begin, end)
    tied = rank_correlation(returns, done)
    return Chain(run.name, _reward_of(run), accuracy, first, last, gain, begin, end, tied, weak, sentence)


def weak_link(
    accuracy: Mapping[str, float], gain: float, success_first: float, success_last: float
) -> tuple[str, str]:
    """Return the weak link, reward, learner, aim or none, and a sentence about it."""
    low = [name for name, value in accuracy.items() if value < ACCURATE[name]]
    risen = gain >= GAIN
    reached = success_last >= SUCCESSFUL or success_last - success_first >= SUCCESS_GAIN
    came = "success rose all the same" if reached else "success did not rise"
    if low:
        return "reward", f"the reward: {_named(low, accuracy)} low, and {came}."
    if not risen:
        return "learner", f"the learner: the reward orders well, its return did not rise, and {came}."
    if not reached:
        return "aim", (
            "what the reward pays for: it orders held-out episodes well, its return rose, and success did "
            "not. It is gamed where training went: look at the last episodes, and add feedback on them."
        )
    return "none", "none: the reward orders well, its return rose, and success with it."


def _named(names: Sequence[str], accuracy: Mapping[str, float]) -> str:
    parts = [f"{name.replace('_', ' ')} {accuracy[name]:.2f}" for name in names]
    return f"{' and '.join(parts)} {'is' if len(parts) == 1 else 'are'}"


def _success(records: Sequence[Mapping[str, Any]], done: np.ndarray, edge: int) -> tuple[float, float]:
    """Return true success at first and at last: of evaluations where there are two, else of episodes."""
    rates = [float(record["success_rate"]) for record in records if record.get("kind") == "evaluation"]
    if len(rates) >= 2:
        return rates[0], rates[-1]
    return float(done[:edge].mean()), float(done[-edge:].mean())


def _records(path: Path) -> list[dict[str, Any]]:
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except OSError as error:
        raise ConfigError(f"{path.parent}: is no training: {path.name} cannot be read.") from error
    records = []
    for line in lines:
        try:
            record = json.loads(line)
        except ValueError:  # cut short by a kill
            continue
        if isinstance(record, dict):
            records.append(record)
    return records


def _reward_of(run: Path) -> str:
    """Return the reward that a training was on, as its configuration names it."""
    try:
        config = yaml.safe_load((run / "config.yaml").read_text(encoding="utf-8"))
        return str(config["reward"])
    except (OSError, yaml.YAMLError, KeyError, TypeError):
        return "unknown"
