"""gradient updates per second of the SAC agent, beside stable-baselines3 and the bare matrix products"""

from __future__ import annotations

import argparse
import importlib.util
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from rich.console import Console
from torch import Tensor

from sinew_policies.agents.agent import Spaces, to_tensors
from sinew_policies.agents.encoders import Vector
from sinew_policies.agents.sac import Sac
from sinew_policies.agents.sac_config import Config

STATE, ACTION, BATCH = 41, 5, 256
HIDDEN, CRITICS = 256, 2  # stable-baselines3's default: two layers of 256 with ReLU, two critics
STORED = 10_000  # transitions to sample from
PEER = "stable_baselines3"


@dataclass(frozen=True, slots=True)
class Product:
    """The shape of a matrix product: (rows, inner) by (inner, columns)."""

    rows: int
    inner: int
    columns: int


def main(argv: Sequence[str]) -> int:
    """Run `sinew bench learn`; the last line of stdout is one JSON object."""
    from sinew_eval.benches.result import add_result_options, write_result

    parser = argparse.ArgumentParser(prog="sinew bench learn", description=__doc__)
    parser.add_argument("--threads", type=int, default=2, metavar="N", help="of torch")
    parser.add_argument("--rounds", type=int, default=15, metavar="N", help="of each, taken in turns")
    parser.add_argument("--updates", type=int, default=40, metavar="N", help="in a round")
    parser.add_argument("--uncompiled", action="store_true", help="leave the compiled update out")
    add_result_options(parser)
    arguments = parser.parse_args(argv)
    torch.set_num_threads(arguments.threads)
    figures = measure(arguments.rounds, arguments.updates, compiled=not arguments.uncompiled)
    if not arguments.json:
        _explain(figures)
    write_result("learn", figures | {"threads": arguments.threads}, arguments.out, list(argv))
    return 0


def measure(rounds: int, updates: int, *, compiled: bool) -> dict[str, Any]:
    """Measure by turns, so that a slow minute of the machine slows all alike; medians over rounds.

    Sampling is timed with the updates, of this agent and of the peer; compiling is not.
    """
    kinds = {"uncompiled": _own(compiled=False), "floor": _floor()}
    if compiled:
        kinds["compiled"] = _own(compiled=True)
    if importlib.util.find_spec(PEER) is not None:
        kinds["peer"] = _peer()
    for run in kinds.values():
        run(updates)
    seconds = {name: np.zeros(rounds) for name in kinds}
    for index in range(rounds):
        for name, run in kinds.items():
            start = time.perf_counter()
            run(updates)
            seconds[name][index] = (time.perf_counter() - start) / updates
    return _figures(seconds)


def products(critics: int = CRITICS) -> list[Product]:
    """Return the matrix products that one update cannot do without.

    Target: the actor and the target critics forward. Critics: forward, then gradients of all weights and
    of the hidden layers. Actor: actor and critics forward, gradients through the critics to the action,
    then gradients of the actor's weights and hidden layers.
    """
    actor = [(STATE, HIDDEN), (HIDDEN, HIDDEN), (HIDDEN, 2 * ACTION)]
    critic = [(STATE + ACTION, HIDDEN), (HIDDEN, HIDDEN), (HIDDEN, 1)]
    once = _forward(actor) * 2 + _weights(actor) + _inputs(actor[1:])
    each = _forward(critic) * 3 + _weights(critic) + _inputs(critic[1:]) + _inputs(critic)
    return once + each * critics


def _forward(layers: Sequence[tuple[int, int]]) -> list[Product]:
    return [Product(BATCH, given, out) for given, out in layers]


def _weights(layers: Sequence[tuple[int, int]]) -> list[Product]:
    return [Product(given, BATCH, out) for given, out in layers]


def _inputs(layers: Sequence[tuple[int, int]]) -> list[Product]:
    return [Product(BATCH, out, given) for given, out in layers]


def _floor() -> Callable[[int], None]:
    """Return what does nothing but the products of that many updates."""
    work: list[tuple[Tensor, Tensor, Tensor]] = [
        (torch.randn(of.rows, of.inner), torch.randn(of.inner, of.columns), torch.empty(of.rows, of.columns))
        for of in products()
    ]

    def run(updates: int) -> None:
        for _ in range(updates):
            for left, right, out in work:
                torch.mm(left, right, out=out)

    return run


def _own(*, compiled: bool) -> Callable[[int], None]:
    from sinew_data.replay import Column, ReplayBuffer, Schema

    schema = Schema({"state": Column((STATE,), "float32")}, ACTION, {"bench": "learn"})
    replay, rng = ReplayBuffer.create(None, schema, STORED), np.random.default_rng(0)
    replay.begin({"state": rng.normal(size=STATE).astype(np.float32)})
    for _ in range(STORED):
        state, action = rng.normal(size=STATE), rng.uniform(-1, 1, ACTION)
        replay.add(action.astype(np.float32), float(rng.normal()), {"state": state.astype(np.float32)})
    encoder = Vector("state", torch.zeros(STATE), torch.ones(STATE))
    config = Config(hidden=(HIDDEN, HIDDEN), critics=CRITICS, compiled=compiled)
    agent = Sac(config, Spaces({"state": (STATE,)}, ACTION), encoder, 0)

    def run(updates: int) -> None:
        for _ in range(updates):
            agent.update(to_tensors(replay.sample(rng, BATCH, discount=0.99)))

    return run


def _peer() -> Callable[[int], None]:
    """Return stable-baselines3's updates, sampled from its own buffer."""
    import gymnasium
    from stable_baselines3 import SAC  # type: ignore[import-not-found, unused-ignore]
    from stable_baselines3.common.logger import Logger  # type: ignore[import-not-found, unused-ignore]

    class Idle(gymnasium.Env[Any, Any]):
        """Spaces, and nothing that happens in them."""

        observation_space = gymnasium.spaces.Box(-np.inf, np.inf, (STATE,), np.float32)
        action_space = gymnasium.spaces.Box(-1, 1, (ACTION,), np.float32)

    model = SAC("MlpPolicy", Idle(), buffer_size=STORED, batch_size=BATCH, device="cpu", seed=0)
    model.set_logger(Logger(folder=None, output_formats=[]))
    rng, buffer = np.random.default_rng(0), model.replay_buffer
    assert buffer is not None
    for _ in range(STORED):
        state, after = rng.normal(size=(2, 1, STATE)).astype(np.float32)
        action = rng.uniform(-1, 1, (1, ACTION)).astype(np.float32)
        buffer.add(state, after, action, rng.normal(size=1), np.zeros(1), [{}])
    return lambda updates: model.train(gradient_steps=updates, batch_size=BATCH)


def _figures(seconds: dict[str, Any]) -> dict[str, Any]:
    rates = {name: 1 / float(np.median(each)) for name, each in seconds.items()}
    peer, own = rates.get("peer"), rates.get("compiled", rates["uncompiled"])
    return {
        "updates_per_s": round(own, 1),
        "uncompiled_updates_per_s": round(rates["uncompiled"], 1),
        "peer_updates_per_s": None if peer is None else round(peer, 1),
        "ratio": None if peer is None else round(own / peer, 2),
        "floor_updates_per_s": round(rates["floor"], 1),
        "share_of_floor": round(own / rates["floor"], 3),
    }


def _explain(figures: dict[str, Any]) -> None:
    console = Console(stderr=True, highlight=False)
    console.print(
        f"SAC, batch {BATCH}, {HIDDEN} x {HIDDEN}, {CRITICS} critics: {figures['updates_per_s']} updates/s, "
        f"{figures['uncompiled_updates_per_s']} uncompiled; the matrix products alone "
        f"{figures['floor_updates_per_s']}/s, of which "
        f"{100 * figures['share_of_floor']:.0f} % is reached"
    )
    if figures["ratio"] is None:
        console.print(f"{PEER} is not installed, so there is nothing to compare with")
    else:
        console.print(f"{PEER}: {figures['peer_updates_per_s']} updates/s; ratio {figures['ratio']}")
