"""Fits a Bradley-Terry reward to a scripted rater's comparisons and keeps it as a file for `reward:=`."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path

import numpy as np
from sinew_core.hardware import load_hardware
from sinew_rewards.learned.features import FeatureConfig, make_features
from sinew_rewards.learned.saved import LearnedFacts
from sinew_rewards.learned.trajectory import Episodes
from sinew_rewards.report.episodes import EpisodeSet
from sinew_rewards.report.fitting import Recipe, fit_and_save, learner_spec
from sinew_rewards.report.splits import Split

from sinew_eval.benches.preferences.asking import Questions, ask, episodes_of, noisy
from sinew_eval.reward_episodes import default_folder

HARDWARE = "sim_mujoco"


def make_reward(path: Path, questions: Questions, comparisons: int, noise: float, seed: int) -> LearnedFacts:
    """Write a reward learnt from so many comparisons; return what it is."""
    shown = _episodes(questions, seed)
    rng = np.random.default_rng([3, seed])
    feedback = ask(shown.episodes, noisy(noise, seed), comparisons, questions.rows, rng)
    recipe = Recipe(
        spec=learner_spec("bradley_terry", {}, "make-reward"),
        episodes=shown,
        split=Split(train=shown.episodes, held_out=Episodes(())),
        feedback=feedback,
        crossing=0,
        seed=seed,
        asked={"comparisons": len(feedback), "noise": noise, "source": "script", **asdict(questions)},
    )
    return fit_and_save(path, recipe)[1]


def _episodes(questions: Questions, seed: int) -> EpisodeSet:
    """Return the episodes that are shown, with what their features are."""
    hardware = load_hardware(HARDWARE)
    features = make_features(FeatureConfig(), hardware)
    return EpisodeSet(
        episodes=episodes_of(questions, seed),
        features=FeatureConfig(),
        names=features.names,
        tag=features.tag,
        robot=hardware.robot.name,
        task=questions.task,
        hardware=hardware,
        source=default_folder(),
    )
