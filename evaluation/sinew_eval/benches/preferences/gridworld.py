"""Small worlds in which preferences come from regret: does the regret model explain them better?"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt
import torch
from sinew_core.types import FloatArray
from sinew_rewards.learners.regret import Config, Outlooks, fit_weights, negative_log_likelihood
from sinew_rewards.learners.successor_features import exact_successors

MOVES = ((0, 1), (0, -1), (1, 0), (-1, 0))
SWEEPS = 400  # of value iteration
FIT = Config(members=1)  # of both models
States = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class WorldConfig:
    """How large a world is, and what is asked in it."""

    side: int = 10  # cells
    features: int = 6  # kinds of cells, one of them the goal, at which everything ends
    policies: int = 60  # each best for a reward drawn at random, that stand for what is possible
    pairs: int = 300  # to learn from
    held_out: int = 300
    steps: int = 6  # of a segment, at most
    discount: float = 0.95


@dataclass(frozen=True, slots=True)
class World:
    """A grid of cells of several kinds; what a person wants of it, and what is then possible."""

    transitions: FloatArray  # (S, A, S)
    features: FloatArray  # (S, d) one-hot; zero where everything has ended
    wanted: FloatArray  # (d)
    value: FloatArray  # (S) V* of what is wanted


def make_world(config: WorldConfig, rng: np.random.Generator) -> World:
    """Draw a world: cells of a random kind, one goal, costs for most kinds."""
    cells = config.side**2
    transitions = np.zeros((cells + 1, len(MOVES), cells + 1))  # the last state: it is over
    goal = int(rng.integers(cells))
    for cell in range(cells):
        for action, move in enumerate(MOVES):
            place = np.clip(np.add(divmod(cell, config.side), move), 0, config.side - 1)
            transitions[cell, action, cells if cell == goal else place @ (config.side, 1)] = 1
    transitions[cells, :, cells] = 1
    features = np.zeros((cells + 1, config.features))
    features[np.arange(cells), rng.integers(config.features - 1, size=cells)] = 1
    features[goal] = np.eye(config.features)[-1]
    wanted = np.concatenate([-rng.uniform(0, 1, config.features - 1), [2.0]])
    return World(transitions, features, wanted, best(transitions, features @ wanted, config.discount)[0])


def best(transitions: FloatArray, reward: FloatArray, discount: float) -> tuple[FloatArray, States]:
    """Return V* (S) and an optimal policy (S) of rewards of states (S), by value iteration."""
    value = np.zeros(len(reward))
    for _ in range(SWEEPS):
        value = reward + discount * (transitions @ value).max(1)
    return value, (transitions @ value).argmax(1)


@dataclass(frozen=True, slots=True)
class Asked:
    """Pairs of segments, and which is better as a person says who goes by regret."""

    states: States  # (n, 2, steps + 1)
    lengths: States  # (n, 2) moves of each segment
    labels: FloatArray  # (n)


def ask(world: World, config: WorldConfig, count: int, rng: np.random.Generator) -> Asked:
    """Draw segments of aimless and of sensible steps, of any length, and compare them by their regret."""
    _, sensible = best(world.transitions, world.features @ world.wanted, config.discount)
    lengths = rng.integers(1, config.steps + 1, size=(count, 2))
    states = np.empty((count, 2, config.steps + 1), np.int64)
    states[..., 0] = rng.integers(len(world.features) - 1, size=(count, 2))
    for t in range(config.steps):
        now = states[..., t]
        action = np.where(
            rng.random(now.shape) < 0.5, sensible[now], rng.integers(len(MOVES), size=now.shape)
        )
        states[..., t + 1] = world.transitions[now, action].argmax(-1)
    regret = true_regret(world, states, lengths, config.discount)
    better = regret[:, 1] - regret[:, 0]
    sharp = 1 / (1 + np.exp(-5 * better))  # nearly noiseless
    return Asked(states, lengths, (rng.random(count) < sharp).astype(np.float64))


def true_regret(world: World, states: States, lengths: States, discount: float) -> FloatArray:
    """Return V*(first) - (sum of rewards + V*(last)), discounted, of segments (n, 2)."""
    nothing = np.zeros((1, len(world.features), 1))
    views = outlooks(world, nothing, Asked(states, lengths, np.zeros(len(states))), discount)
    last = np.take_along_axis(states, lengths[..., None], -1)[..., 0]
    ending = views.discounts.numpy() * world.value[last]
    regret: FloatArray = world.value[states[..., 0]] - (views.sums.numpy() @ world.wanted + ending)
    return regret


def outlooks(world: World, successors: FloatArray, asked: Asked, discount: float) -> Outlooks:
    """Return what segments collected and what was possible, of exact successor features (policies, S, d)."""
    powers = discount ** np.arange(asked.states.shape[-1])
    counted = np.where(np.arange(asked.states.shape[-1]) < asked.lengths[..., None], powers, 0.0)
    sums = np.einsum("nct,nctd->ncd", counted, world.features[asked.states])
    psi = successors.transpose(1, 0, 2)  # (S, policies, d)
    last = np.take_along_axis(asked.states, asked.lengths[..., None], -1)[..., 0]
    parts = (sums, psi[asked.states[..., 0]], psi[last], powers[asked.lengths])
    return Outlooks(*(torch.from_numpy(part).float() for part in parts))


def possible_policies(world: World, config: WorldConfig, rng: np.random.Generator) -> FloatArray:
    """Return the successor features (policies, S, d) of policies that are best for random rewards.

    In half of them one kind of cell is good and all others cost something: with signs drawn freely nearly
    every policy walks about on some good cell for ever, and none is left that goes anywhere.
    """
    kinds = world.features.shape[1]
    wants = rng.normal(size=(config.policies, kinds))
    half = config.policies // 2
    wants[:half] = -np.abs(wants[:half])
    wants[np.arange(half), rng.integers(kinds, size=half)] *= -2
    policies = np.stack([best(world.transitions, world.features @ w, config.discount)[1] for w in wants])
    return exact_successors(world.transitions, world.features, policies, config.discount)


def compare_models(config: WorldConfig, seed: int) -> dict[str, float]:
    """Return held-out log-likelihoods per comparison, and what plans by each learned reward are worth.

    A plan's worth is its mean value under what is wanted, 1 for the best plan, 0 for aimless steps.
    """
    rng = np.random.default_rng([31, seed])
    world = make_world(config, rng)
    successors = possible_policies(world, config, rng)
    learning, unseen = (ask(world, config, count, rng) for count in (config.pairs, config.held_out))
    both = {
        "regret": [outlooks(world, successors, asked, config.discount) for asked in (learning, unseen)],
        "partial_return": [collected(world, asked, config.discount) for asked in (learning, unseen)],
    }
    labels = [torch.from_numpy(asked.labels).float() for asked in (learning, unseen)]
    figures = {}
    for name, (seen, new) in both.items():
        weights = fit_weights(seen, labels[0], torch.ones(len(labels[0])), FIT, seed)
        loss = negative_log_likelihood(new, weights, labels[1], FIT.sharpness).mean()
        figures[f"log_likelihood_{name}"] = -float(loss)
        figures[f"plan_{name}"] = worth_of_plan(world, weights[0].double().numpy(), config.discount)
    return figures


def collected(world: World, asked: Asked, discount: float) -> Outlooks:
    """Return the same segments judged by what they collected alone, the last state's reward included."""
    nothing = np.zeros((1, *world.features.shape))
    views = outlooks(world, nothing, asked, discount)
    last = np.take_along_axis(asked.states, asked.lengths[..., None], -1)[..., 0]
    ending = views.discounts[..., None] * torch.from_numpy(world.features[last]).float()
    return replace(views, sums=views.sums + ending)


def worth_of_plan(world: World, weights: FloatArray, discount: float) -> float:
    """Return how good the plan by learned weights (d) is for what is wanted."""
    states = np.arange(len(world.features))
    _, plan = best(world.transitions, world.features @ weights, discount)
    aimless = world.transitions.mean(1)
    wanted = world.features @ world.wanted
    values = [
        np.linalg.solve(np.eye(len(states)) - discount * moves, wanted).mean()
        for moves in (world.transitions[states, plan], aimless)
    ]
    return float((values[0] - values[1]) / (world.value.mean() - values[1]))
