"""Fits a Bradley-Terry reward to a scripted rater's comparisons and keeps it as a file for `reward:=`."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path

import numpy as np
from sinew_core.hardware import load_hardware
from sinew_rewards.learned.features import FeatureConfig, make_features
from sinew_rewards.learned.saved import LearnedFacts, save_learned, spreads_of
from sinew_rewards.learners.bradley_terry import BradleyTerry, Config

from sinew_eval.benches.preferences.asking import Questions, ask, episodes_of, noisy

HARDWARE = "sim_mujoco"


def make_reward(path: Path, questions: Questions, comparisons: int, noise: float, seed: int) -> LearnedFacts:
    """Write a reward learnt from so many comparisons; return what it is."""
    episodes = episodes_of(questions, seed)
    feedback = ask(
        episodes, noisy(noise, seed), comparisons, questions.rows, np.random.default_rng([3, seed])
    )
    config = Config()
    scorer = BradleyTerry(config).fit(episodes, feedback, seed)
    hardware = load_hardware(HARDWARE)
    features = make_features(FeatureConfig(), hardware)
    facts = LearnedFacts(
        scorer="",
        settings={},
        features=FeatureConfig(),
        feature_names=features.names,
        feature_tag=features.tag,
        spreads=spreads_of(np.concatenate([item.features for item in episodes.trajectories])),
        robot=hardware.robot.name,
        task=questions.task,
        provenance={
            "learner": {"plugin": "bradley_terry", **asdict(config)},
            "episodes": [item.name for item in episodes.trajectories],
            "feedback": {
                "comparisons": len(feedback),
                "noise": noise,
                "source": "script",
                **asdict(questions),
            },
            "seed": seed,
        },
    )
    return save_learned(path, scorer, facts)
