"""One exploit task, one seed: how policies stand, plain and guarded, and what a watch says of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from sinew_core.protocols import RewardModel
from sinew_rewards.exploits.gantry import make_gantry
from sinew_rewards.exploits.guard import guarded, make_reward
from sinew_rewards.exploits.learnt import Learnt
from sinew_rewards.exploits.naive import MEMBERS, look_at
from sinew_rewards.exploits.planning import Mixture, best_for, only, plan, tabulate
from sinew_rewards.exploits.restrained import restrained
from sinew_rewards.exploits.reward import learned
from sinew_rewards.exploits.standing import Standing, standing_of, succeeded
from sinew_rewards.exploits.witness import explored, witnessed
from sinew_rewards.learned.features import KeypointFeatures
from sinew_rewards.learned.saved import spreads_of
from sinew_rewards.watching.config import WatchConfig
from sinew_rewards.watching.findings import Finding
from sinew_rewards.watching.watch import Watch

from sinew_eval.benches.hacking_price import LearnedPrice

EPISODES = 60  # of either policy, that a watch sees
PLANTED = "sinew_rewards.exploits.reward:Planted"


@dataclass(frozen=True, slots=True)
class Measured:
    """A task with one seed."""

    base_success: float
    plain: Standing
    wrapped: Standing  # the guard's wrappers alone, without the price of straying
    guarded: Standing
    alarms_plain: Sequence[Finding]
    alarms_guarded: Sequence[Finding]
    alarms_base: Sequence[Finding]  # of more episodes of the base policy itself

    def as_json(self) -> dict[str, Any]:
        """Return JSON values."""
        return {
            "base_success": round(self.base_success, 4),
            "plain": _rounded(asdict(self.plain)),
            "wrapped": _rounded(asdict(self.wrapped)),
            "guarded": _rounded(asdict(self.guarded)),
            "alarms_plain": sorted({finding.kind for finding in self.alarms_plain}),
            "alarms_guarded": sorted({finding.kind for finding in self.alarms_guarded}),
            "alarms_base": sorted({finding.kind for finding in self.alarms_base}),
        }


def measure_task(name: str, seed: int) -> Measured:
    """Learn a task's naive reward, optimise it plain and guarded, and watch both."""
    learnt, hardware = learned(name, seed), make_gantry()
    desk = learnt.desk
    members = [{"plugin": PLANTED, "task": name, "seed": seed, "member": i} for i in range(MEMBERS)]
    plain = make_reward(members[0], hardware)
    safe = make_reward(guarded(members, desk, learnt.base, hardware), hardware)
    gamed = only(best_for(desk, plain))
    looks = look_at(desk, KeypointFeatures(hardware.robot))
    price = LearnedPrice(looks, np.concatenate([states[1:] for states in learnt.base]), seed)
    table = tabulate(desk, safe)
    restraint = restrained(desk, table, price)
    half = len(learnt.base) // 2
    return Measured(
        base_success=float(np.mean([succeeded(desk, states) for states in learnt.base])),
        plain=standing_of(learnt.task, desk, gamed),
        wrapped=standing_of(learnt.task, desk, only(plan(desk, table, beyond=desk.layout.horizon))),
        guarded=standing_of(learnt.task, desk, restraint),
        alarms_plain=_alarms(learnt, plain, gamed, seed),
        alarms_guarded=_alarms(learnt, safe, restraint, seed),
        alarms_base=_watch(learnt, plain, learnt.base[half:]),
    )


def _alarms(learnt: Learnt, model: RewardModel, mixture: Mixture, seed: int) -> Sequence[Finding]:
    rng = np.random.default_rng([seed, 1])
    return _watch(learnt, model, explored(learnt.desk, mixture, EPISODES, rng))


def _watch(learnt: Learnt, model: RewardModel, episodes: Sequence[np.ndarray[Any, Any]]) -> Sequence[Finding]:
    """Return the alarms at the end of episodes, by verdicts alone: nobody tells what each step was worth."""
    desk, looks = learnt.desk, learnt.looks
    half = len(learnt.base) // 2
    rows = look_at(desk, looks)[np.concatenate(list(learnt.base))]
    watch = Watch(WatchConfig(), looks.names, spreads_of(rows))
    watch.take_base(witnessed(desk, model, looks, learnt.base[:half], truth=False))
    for episode in witnessed(desk, model, looks, episodes, truth=False):
        watch.take(episode)
    return watch.alarms


def _rounded(values: Mapping[str, float]) -> dict[str, float]:
    return {name: round(value, 4) for name, value in values.items()}
