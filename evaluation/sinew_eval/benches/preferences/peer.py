"""Fits reward ensembles of `imitation` 1.0.1 to comparisons in a file: run by an interpreter that has it.

    python -m venv PEER && PEER/bin/pip install imitation==1.0.1
    sinew bench preferences --peer PEER/bin/python

Only the standard library, numpy, torch and imitation are imported; nothing of Sinew.
"""

import json
import logging
import sys
import time

import gymnasium
import numpy as np
import torch
from imitation.algorithms import preference_comparisons as peer  # type: ignore[import-not-found]
from imitation.data.types import Trajectory  # type: ignore[import-not-found]
from imitation.rewards.reward_nets import BasicRewardNet, RewardEnsemble  # type: ignore[import-not-found]
from imitation.util import networks  # type: ignore[import-not-found]


def main() -> None:
    """Read the .npz named first; print its held-out accuracy and seconds of fitting as JSON.

    Arrays: train_first, train_second (n, rows, d), train_labels (n); test_first, test_second (m, rows, d);
    test_labels (m); and the integers members, epochs, batch, seed and threads.
    """
    with np.load(sys.argv[1]) as file:
        data = {name: file[name] for name in file.files}
    torch.set_num_threads(int(data["threads"]))
    torch.manual_seed(int(data["seed"]))
    logging.disable(logging.WARNING)
    ensemble = make_ensemble(data["train_first"].shape[-1], int(data["members"]))
    torch.optim.AdamW([torch.nn.Parameter(torch.zeros(1))])  # loads much the first time
    began = time.perf_counter()
    fit(ensemble, data)
    seconds = time.perf_counter() - began
    print(json.dumps({"accuracy": accuracy(ensemble, data), "fit_s": seconds}))


def make_ensemble(size: int, members: int) -> RewardEnsemble:
    """Return networks of the library's own default size on standardised states."""
    states = gymnasium.spaces.Box(-np.inf, np.inf, (size,))
    actions = gymnasium.spaces.Box(-1.0, 1.0, (1,))
    nets = [
        BasicRewardNet(states, actions, use_action=False, normalize_input_layer=networks.RunningNorm)
        for _ in range(members)
    ]
    return RewardEnsemble(states, actions, nets)


def fit(ensemble: RewardEnsemble, data: dict[str, np.ndarray]) -> None:
    """Train each member on its own draw of the comparisons, as the library does."""
    comparisons = peer.PreferenceDataset()
    pairs = list(zip(map(fragment, data["train_first"]), map(fragment, data["train_second"]), strict=True))
    comparisons.push(pairs, data["train_labels"].astype(np.float32))
    trainer = peer.EnsembleTrainer(
        peer.PreferenceModel(ensemble),
        peer.CrossEntropyRewardLoss(),
        rng=np.random.default_rng(int(data["seed"])),
        batch_size=int(data["batch"]),
        epochs=int(data["epochs"]),
    )
    trainer.train(comparisons)


def fragment(states: np.ndarray) -> Trajectory:
    """Return a clip's states (rows, d) as the library wants them: with one state more, and acts."""
    rows = len(states)
    return Trajectory(
        obs=np.concatenate([states, states[-1:]]),
        acts=np.zeros((rows, 1), np.float32),
        infos=None,
        terminal=False,
    )


def accuracy(ensemble: RewardEnsemble, data: dict[str, np.ndarray]) -> float:
    """Return the share of held-out comparisons that the members' mean sum decides rightly."""
    sums = [returns(ensemble, data[name]) for name in ("test_first", "test_second")]
    return float(np.mean((sums[0] > sums[1]) == (data["test_labels"] > 0.5)))


def returns(ensemble: RewardEnsemble, clips: np.ndarray) -> np.ndarray:
    """Return the sum of rewards of each clip (m, rows, d)."""
    states = clips.reshape(-1, clips.shape[-1])
    acts, dones = np.zeros((len(states), 1), np.float32), np.zeros(len(states), bool)
    values: np.ndarray = ensemble.predict_processed(states, acts, states, dones, update_stats=False)
    found: np.ndarray = values.reshape(clips.shape[:2]).sum(1)
    return found


if __name__ == "__main__":
    main()
