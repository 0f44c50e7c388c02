"""The learning side by itself: what is cloned before the first episode, and what fades."""

import numpy as np
import pytest
import torch
from sinew_core.hardware import load_hardware
from sinew_policies.learned.encoding import KeypointEncoding
from sinew_training.learning import Learning, open_replay
from tiny_training import SMALL, small

HARDWARE = load_hardware("sim_mujoco")
ENCODING = KeypointEncoding(HARDWARE.robot)
SIZE = ENCODING.size
WANTED = np.array([0.5, -0.5, 0.2, 0.0, -1.0], np.float32)  # what every demonstration does


def learning_of(folder, agent, **changes):
    config = small(agent=agent, **changes)
    learning = Learning(config, open_replay(folder, config, HARDWARE, ENCODING), HARDWARE, ENCODING)
    rng = np.random.default_rng(0)
    held = learning.replay.demonstrations
    for _ in range(4):
        held.begin({"state": rng.normal(size=SIZE).astype(np.float32)})
        for step in range(10):
            seen = {"state": rng.normal(size=SIZE).astype(np.float32)}
            held.add(WANTED, float(step == 9), seen, terminated=step == 9)
    learning.begin()
    return learning


def error(learning):
    states = torch.from_numpy(np.random.default_rng(1).normal(size=(64, SIZE)).astype(np.float32))
    actions = learning.agent.act({"state": states}, greedy=True)[:, 0]
    return float((actions - torch.from_numpy(WANTED)).abs().mean())


@pytest.mark.parametrize(("weight", "clones"), [(1.0, True), (0.0, False)])
def test_an_agent_with_a_weight_of_cloning_has_cloned_before_its_first_episode(tmp_path, weight, clones):
    agent = {**SMALL, "learning_rate": 0.01, "cloning_weight": weight}
    learning = learning_of(tmp_path, agent, pretrain=300)
    assert learning.updates == (300 if clones else 0)
    assert (error(learning) < 0.1) is clones
    learning.close()


def test_the_weight_of_cloning_falls_to_nothing(tmp_path):
    learning = learning_of(tmp_path, {**SMALL, "cloning_weight": 2.0}, pretrain=1, cloning_until=100)
    told = []
    learning.agent.set_cloning_weight = told.append
    for steps in (0, 50, 100, 150):
        learning.anneal(steps)
    assert told == [2.0, 1.0, 0.0, 0.0]
    learning.close()
