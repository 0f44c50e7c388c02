"""Transitions of a pretended arm, told apart by their numbers."""

import numpy as np
from sinew_core.hardware import load_hardware
from sinew_data.replay.layout import BEGIN, PERSON, TERMINATED
from sinew_policies.learned.encoding import KeypointEncoding
from sinew_policies.learned.tip_actions import TipActionConfig
from sinew_training.learning import replay_schema
from sinew_training.wire import Fragment, encode

HARDWARE = load_hardware("sim_mujoco")
SCHEMA = replay_schema(KeypointEncoding(HARDWARE.robot), TipActionConfig(), HARDWARE)
SIZE = SCHEMA.observation["state"].shape[0]


def fragment(first, count=3, *, begins=False, terminated=False, person=()):
    """Transition number k leads from an observation of k - 1 to one of k, with reward k."""
    numbers = np.arange(first - 1, first + count)
    flags = np.zeros(count + 1, np.uint8)
    flags[0] = BEGIN * begins
    flags[-1] |= TERMINATED * terminated
    for number in person:
        flags[number - first + 1] |= PERSON
    return Fragment(
        {"state": np.repeat(numbers[:, None], SIZE, 1).astype(np.float32)},
        np.full((count, 5), 0.25, np.float32),
        numbers[1:].astype(np.float32),
        flags,
    )


def data(first, count=3, **what):
    return encode(fragment(first, count, **what), SCHEMA)


def rewards(buffer, most=4000):
    """The rewards of every transition in a buffer: which there are."""
    if len(buffer) == 0:
        return []
    batch = buffer.sample(np.random.default_rng(0), most)
    return sorted({int(value) for value in batch.reward})
