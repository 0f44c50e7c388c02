"""Where demonstrations come from: the scripted policy in simulation, or recorded episodes."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from sinew_core.errors import ConfigError
from sinew_core.hardware import Hardware
from sinew_core.protocols import RewardModel
from sinew_core.runtime import Step, guarded
from sinew_data.dataset import Dataset
from sinew_data.reader import Episode
from sinew_data.same_robot import check_robot
from sinew_data.steps import RecordedStep
from sinew_policies.learned.encoding import Encoding
from sinew_policies.learned.tip_actions import TipActions

from sinew_training.config import TrainConfig
from sinew_training.grading import make_grading
from sinew_training.rollouts import Rollouts
from sinew_training.transitions import Demonstrated, Sink

PATIENCE = 3  # tries for each demonstration that is asked for


def demonstrate(
    rollouts: Rollouts, sinks: Sequence[Sink], episodes: int, seed: int, tell: Callable[[int], None]
) -> int:
    """Let the scripted policy demonstrate until `episodes` have succeeded; return their transitions.

    Raises ConfigError when it fails too often to be a demonstrator.
    """
    done = transitions = 0
    for attempt in range(PATIENCE * episodes):
        if done == episodes:
            return transitions
        result, shown = rollouts.demonstration(seed + attempt)
        if result.success:
            transitions += shown.hand_over(sinks)
            done += 1
            tell(done)
    if done == episodes:
        return transitions
    raise ConfigError(
        f"demonstrations: the scripted policy succeeded in {done} of {PATIENCE * episodes} tries."
    )


def from_dataset(
    folder: Path,
    hardware: Hardware,
    encoding: Encoding,
    reward: RewardModel,
    sinks: Sequence[Sink],
    config: TrainConfig,
    tell: Callable[[int], None],
) -> int:
    """Take every successful episode of a dataset, its rewards graded anew; return the transitions.

    Raises ConfigError for a folder without successful episodes and for another robot's or another
    control period's.
    """
    actions, grading = TipActions(config.actions, hardware), make_grading(config.shaping, config.discount)
    transitions, used = 0, 0
    for episode in Dataset(folder):
        end = episode.summary.end
        if end is None or not end.success:
            continue
        where = str(episode.path)
        check_robot(where, episode.attachments(), hardware.robot)
        _check_period(where, episode.summary.start.control_period, hardware)
        shown = Demonstrated(encoding, actions, grading)
        _replay(episode, reward, shown, frames=encoding.needs_frames)
        transitions += shown.hand_over(sinks)
        used += 1
        tell(used)
    if transitions == 0:
        raise ConfigError(
            f"{folder}: no successful episode with commands in it: there is nothing to learn from."
        )
    return transitions


def _check_period(where: str, period: float, hardware: Hardware) -> None:
    if abs(period - hardware.config.control_period) > 1e-9:
        raise ConfigError(
            f"{where}: recorded with a control period of {period} s; {hardware.name} has "
            f"{hardware.config.control_period} s, so actions would mean something else."
        )


def _replay(episode: Episode, reward: RewardModel, shown: Demonstrated, *, frames: bool) -> None:
    """Show an episode, graded anew; the last command has no observation after it."""
    begun, last = False, None
    for recorded in _with_affordance(episode, frames=frames):
        if not begun:
            guarded(reward, reward.reset, recorded.observation.task)
            begun = True
        estimate = guarded(reward, reward.estimate, recorded.observation)
        if recorded.executed is None:
            last = recorded.observation, estimate
            break
        shown.take(Step(recorded.index, recorded.observation, estimate, recorded.executed))
        last = recorded.observation, estimate
    if last is not None:
        shown.end(*last, terminated=True)


def _with_affordance(episode: Episode, *, frames: bool) -> Iterator[RecordedStep]:
    """Yield the steps from the first affordance on; before it nobody knew what was asked."""
    for step in episode.steps(frames=frames):
        if step.observation.affordance is not None:
            yield step
