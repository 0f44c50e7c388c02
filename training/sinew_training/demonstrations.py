"""Where demonstrations come from: the scripted policy in simulation, or recorded episodes."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import partial
from pathlib import Path

from sinew_core.errors import ConfigError
from sinew_core.hardware import Hardware
from sinew_core.protocols import RewardModel
from sinew_core.runtime import Step, checked_estimate, guarded
from sinew_core.types import Observation, RewardEstimate, Task
from sinew_data.dataset import Dataset
from sinew_data.reader import Episode
from sinew_data.rewards_beside_files import load_beside
from sinew_data.same_robot import check_robot
from sinew_data.steps import RecordedStep
from sinew_policies.learned.encoding import Encoding
from sinew_policies.learned.tip_actions import TipActions

from sinew_training.config import TrainConfig
from sinew_training.grading import make_grading
from sinew_training.rollouts import Rollouts
from sinew_training.transitions import Demonstrated, Sink

Grade = Callable[[Observation], RewardEstimate]
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
    """Take every successful episode of a dataset; return the transitions.

    Its rewards are graded anew, or are those that lie beside it by the name `config.labels`. Raises
    ConfigError for a folder without successful episodes, for another robot's or another control period's,
    and for an episode without such labels.
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
        looks = not config.labels and bool(getattr(reward, "needs_frames", False))
        grade = _grade_of(episode, reward, config.labels)
        _replay(episode, grade, shown, frames=encoding.needs_frames or looks)
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


def _grade_of(episode: Episode, reward: RewardModel, labels: str) -> Grade:
    """Return what grades an episode's observations: the reward model, begun anew, or what lies beside it."""
    if labels:
        return _Beside(episode.path, labels).estimate
    start = episode.summary.start
    guarded(reward, reward.reset, Task(start.task, start.instruction, start.max_steps))
    return partial(checked_estimate, reward)


class _Beside:
    """The reward that lies beside an episode, by stamp."""

    def __init__(self, episode: Path, labels: str) -> None:
        self._where, self._labels = episode, labels
        self._estimates, _ = load_beside(episode, labels)

    def estimate(self, observation: Observation) -> RewardEstimate:
        """Return the estimate of this very observation; ConfigError where there is none."""
        found = self._estimates.at(observation.stamp)
        if found is None:
            raise ConfigError(
                f"{self._where}: labels '{self._labels}' have no estimate for the control period at "
                f"{observation.stamp} ns: they are late, or of another recording. `sinew reward relabel` "
                "makes them anew."
            )
        return found


def _replay(episode: Episode, grade: Grade, shown: Demonstrated, *, frames: bool) -> None:
    """Show an episode with its rewards; the last command has no observation after it."""
    last = None
    for recorded in _with_affordance(episode, frames=frames):
        estimate = grade(recorded.observation)
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
