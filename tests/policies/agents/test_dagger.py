"""Aggregating takeovers: what is kept, how it is sampled, and that it mends what cloning lacks."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import numpy.typing as npt
import pytest
import torch
from sinew_data.replay import Column, ReplayBuffer, Schema
from sinew_policies.agents.agent import AgentError, Spaces
from sinew_policies.agents.cloning import Cloning, Config
from sinew_policies.agents.dagger import Aggregate, imitate
from sinew_policies.agents.encoders import Vector

torch.set_num_threads(1)

Vector32 = npt.NDArray[np.float32]


class Corridor:
    """A walk along x through a corridor |y| < 1 that pushes outward: y grows tenfold in ten steps."""

    length = 40

    def __init__(self, seed: int) -> None:
        self._rng = np.random.default_rng(seed)
        self.x, self.y = 0.0, 0.0

    @property
    def observation(self) -> dict[str, Vector32]:
        return {"state": np.array([self.x / self.length, self.y], np.float32)}

    def step(self, action: Vector32) -> bool:
        """Walk; returns whether the walker is still inside."""
        self.x += 1.0
        self.y = 1.25 * self.y + 0.5 * float(action[0]) + self._rng.normal(0.0, 0.02)
        return abs(self.y) < 1.0

    @property
    def expert(self) -> Vector32:
        """Return what brings the walker back to the middle."""
        return np.array([np.clip(-2.0 * self.y, -1, 1)], np.float32)


@pytest.fixture
def stores() -> Iterator[tuple[ReplayBuffer, ReplayBuffer]]:
    schema = Schema(observation={"state": Column((2,), "float32")}, action=1, tag={})
    with ReplayBuffer.create(None, schema, 4000) as first, ReplayBuffer.create(None, schema, 4000) as second:
        yield first, second


def make_agent(seed: int) -> Cloning:
    encoder = Vector("state", torch.zeros(2), torch.tensor([1.0, 0.3]))
    return Cloning(Config(hidden=(32, 32), learning_rate=3e-3), Spaces({"state": (2,)}, 1), encoder, seed)


def act(agent: Cloning, corridor: Corridor) -> Vector32:
    state = torch.from_numpy(corridor.observation["state"])[None]
    action: Vector32 = agent.act({"state": state}, greedy=True)[0, 0].numpy()
    return action


def survival(agent: Cloning) -> float:
    """Return the share of 30 walks that end inside the corridor."""
    inside = 0
    for seed in range(100, 130):
        corridor = Corridor(seed)
        inside += all(corridor.step(act(agent, corridor)) for _ in range(Corridor.length))
    return inside / 30


def demonstrate(store: ReplayBuffer, walks: int) -> None:
    """Walk straight down the middle, where nothing needs to be corrected."""
    for _ in range(walks):
        store.begin({"state": np.zeros(2, np.float32)})
        for x in range(1, Corridor.length + 1):
            state = np.array([x / Corridor.length, 0.0], np.float32)
            store.add(np.zeros(1, np.float32), 0.0, {"state": state}, terminated=x == Corridor.length)


def drive(agent: Cloning, aggregate: Aggregate, seed: int) -> int:
    """Let the agent walk; who watches takes over at |y| > 0.4 until |y| < 0.05. Returns their steps."""
    corridor, person, steps = Corridor(seed), False, 0
    aggregate.begin(corridor.observation)
    for step in range(Corridor.length):
        person = abs(corridor.y) > (0.05 if person else 0.4)
        action = corridor.expert if person else act(agent, corridor)
        corridor.step(action)
        over = step + 1 == Corridor.length
        aggregate.add(action, 0.0, corridor.observation, truncated=over, intervention=person)
        steps += person
    return steps


def test_takeovers_mend_a_policy_that_drifts_out(stores: tuple[ReplayBuffer, ReplayBuffer]) -> None:
    aggregate, rng = Aggregate(*stores, share=0.5), np.random.default_rng(0)
    demonstrate(stores[0], 5)
    agent = make_agent(0)
    imitate(agent, aggregate, rng, updates=300, size=64)
    assert survival(agent) < 0.2
    needed = []
    for training in range(4):
        needed.append(sum(drive(agent, aggregate, 10 * training + walk) for walk in range(10)))
        agent = make_agent(training)
        imitate(agent, aggregate, rng, updates=300, size=64)
    assert survival(agent) > 0.9
    assert needed[-1] < 0.3 * needed[0]  # the person has less and less to do


def test_the_agent_that_drove_can_be_tuned_on(stores: tuple[ReplayBuffer, ReplayBuffer]) -> None:
    aggregate, rng = Aggregate(*stores, share=0.5), np.random.default_rng(0)
    demonstrate(stores[0], 5)
    agent = make_agent(0)
    imitate(agent, aggregate, rng, updates=300, size=64)
    for walk in range(20):
        drive(agent, aggregate, walk)
        imitate(agent, aggregate, rng, updates=40, size=64)
    assert survival(agent) > 0.9


def feed(aggregate: Aggregate, people: str, end: bool = True) -> None:
    """Feed an episode: 'p' is a person's step, '.' the policy's; observation t is t, action t is t / 100."""
    aggregate.begin({"state": np.zeros(2, np.float32)})
    for t, who in enumerate(people):
        after = {"state": np.full(2, t + 1, np.float32)}
        last = end and t + 1 == len(people)
        aggregate.add(np.full(1, t / 100, np.float32), 0.0, after, terminated=last, intervention=who == "p")


def test_only_what_the_person_did_is_kept(stores: tuple[ReplayBuffer, ReplayBuffer]) -> None:
    aggregate = Aggregate(*stores)
    feed(aggregate, "..pp.ppp..")
    assert len(stores[0]) == 0
    assert len(stores[1]) == len(aggregate) == 5
    batch = stores[1].sample(np.random.default_rng(0), 200)
    seen = {
        (row[0], round(float(action[0]) * 100))
        for row, action in zip(batch.observation["state"], batch.action, strict=True)
    }
    assert seen == {(t, t) for t in (2, 3, 5, 6, 7)}
    assert bool(batch.intervention.all())


def test_a_sequence_ends_where_the_person_lets_go(stores: tuple[ReplayBuffer, ReplayBuffer]) -> None:
    aggregate = Aggregate(*stores)
    feed(aggregate, ".pp.p")
    drawn = aggregate.sample(np.random.default_rng(0), 100, 3)
    lengths = {
        int(state[0]): int(valid.sum())
        for state, valid in zip(drawn.observation["state"], drawn.valid, strict=True)
    }
    assert lengths == {1: 2, 2: 1, 4: 1}


def test_a_takeover_to_the_end_keeps_the_episodes_end(stores: tuple[ReplayBuffer, ReplayBuffer]) -> None:
    feed(Aggregate(*stores), "..p")
    batch = stores[1].sample(np.random.default_rng(0), 4, discount=0.9)
    assert batch.discount.tolist() == [0.0] * 4  # terminated


def test_a_new_episode_breaks_an_open_takeover_off(stores: tuple[ReplayBuffer, ReplayBuffer]) -> None:
    aggregate = Aggregate(*stores)
    feed(aggregate, "pp", end=False)
    feed(aggregate, "pp")
    drawn = aggregate.sample(np.random.default_rng(0), 100, 4)
    assert int(drawn.valid.sum(1).max()) == 2


def test_without_a_share_every_step_counts_alike(stores: tuple[ReplayBuffer, ReplayBuffer]) -> None:
    aggregate = Aggregate(*stores)
    demonstrate(stores[0], 1)  # 40 steps with action 0
    feed(aggregate, "." + "p" * 10)  # 10 with another one
    drawn = aggregate.sample(np.random.default_rng(0), 4000, 1)
    assert float((drawn.actions != 0).float().mean()) == pytest.approx(0.2, abs=0.02)


def test_a_share_weighs_takeovers_up(stores: tuple[ReplayBuffer, ReplayBuffer]) -> None:
    aggregate = Aggregate(*stores, share=0.5)
    demonstrate(stores[0], 1)
    assert float(aggregate.sample(np.random.default_rng(0), 50, 1).actions.abs().max()) == 0.0
    feed(aggregate, ".p")
    drawn = aggregate.sample(np.random.default_rng(0), 4000, 1)
    assert float((drawn.actions != 0).float().mean()) == pytest.approx(0.5, abs=0.02)


def test_faults_are_named(stores: tuple[ReplayBuffer, ReplayBuffer]) -> None:
    with pytest.raises(AgentError, match=r"share of takeovers from 0 to 1, got 1\.5"):
        Aggregate(*stores, share=1.5)
    aggregate = Aggregate(*stores)
    with pytest.raises(AgentError, match="nothing to imitate"):
        aggregate.sample(np.random.default_rng(0), 4, 1)
    with pytest.raises(AgentError, match="no episode is running"):
        aggregate.add(np.zeros(1, np.float32), 0.0, {"state": np.zeros(2, np.float32)}, intervention=True)
    with pytest.raises(AgentError, match="at least one update"):
        imitate(make_agent(0), aggregate, np.random.default_rng(0), updates=0, size=4)
