"""Episodes for learning: one simulated station, one reward, and whoever acts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sinew_core.hardware import load_hardware
from sinew_core.models import make_affordance, make_perception, make_policy
from sinew_core.protocols import PerceptionModel, Policy, RewardModel, Station
from sinew_core.runtime import Brain, EpisodeResult, Step, run_episode
from sinew_core.types import Observation, RewardEstimate
from sinew_policies.learned.seeing import make_encoding
from sinew_policies.learned.tip_actions import TipActions
from sinew_rewards.watching.episode import Watched
from sinew_sim.true_keypoints import TrueKeypoints, open_blind

from sinew_training.config import TrainConfig
from sinew_training.grading import make_grading
from sinew_training.judging import Judge, JudgedReward, JudgedStation
from sinew_training.lagging import LaggingStation
from sinew_training.noisy import Unsteady
from sinew_training.rewards import make_training_reward
from sinew_training.transitions import Demonstrated, Sink, Takeovers, Transitions
from sinew_training.watching import Witness

EXPERT = "affordance_follower"


@dataclass(frozen=True, slots=True)
class Rollout:
    """What came of an episode."""

    result: EpisodeResult
    transitions: int
    interventions: int  # transitions in which a person acted
    total: float  # return, undiscounted
    takeovers: Sequence[Demonstrated] = ()  # what a person showed, cut later than the transitions, too
    watched: Watched | None = None  # as its reward model graded it


class Rollouts:
    """Runs episodes on the station of a training."""

    def __init__(self, config: TrainConfig) -> None:
        self.config = config
        self._truth: TrueKeypoints | None = None
        perception: PerceptionModel
        station: Station
        hardware = load_hardware(config.hardware).with_pace("lockstep")
        if config.perception == "truth":
            hardware, station, perception = open_blind(hardware, config.task, config.noise, config.seed)
            self._truth = perception
        else:
            station = hardware.open_station(config.task)
            perception = make_perception(hardware, config.task)
        self._lagging = LaggingStation(station, config.lag) if config.lag else None
        station = self._lagging or station
        judge = None if config.judge is None else Judge(config.judge, hardware)
        if judge is not None:
            station = JudgedStation(station, judge)
        self.hardware, self.station = hardware, station
        self.encoding = make_encoding(config.seeing, hardware)
        self._actions = TipActions(config.actions, hardware)
        self._perception = perception
        self._affordance = make_affordance(config.affordance, hardware, config.task)
        self.grader = make_training_reward(config, hardware, station)
        self.reward: RewardModel = self.grader if judge is None else JudgedReward(self.grader, judge)
        self.grading = make_grading(config.shaping, config.discount)
        self._expert = make_policy(EXPERT, hardware, config.task)

    def demonstration(self, seed: int) -> tuple[EpisodeResult, Demonstrated]:
        """Run the scripted policy, unsteady as configured, for as long as the task allows."""
        robot, dt = self.hardware.robot, self.hardware.config.control_period
        hand = Unsteady(self._expert, self.config.unsteady, robot, dt, seed)
        shown = Demonstrated(self.encoding, self._actions, self.grading)
        return self._run(seed, hand, [shown], None, 0), shown

    def run(self, seed: int, policy: Policy, sink: Sink, human: Policy | None = None) -> Rollout:
        """Run one episode; its transitions go to the sink."""
        collector = Transitions(sink, self.encoding, self._actions, self.grading)
        collector.begin()
        takeovers, witness = Takeovers(self.encoding, self._actions, self.grading), Witness(self.grader)
        result = self._run(seed, policy, [collector, takeovers, witness], human, self.config.max_steps)
        total, shown = collector.total, takeovers.shown
        return Rollout(result, collector.count, collector.interventions, total, shown, witness.watched)

    def _run(
        self,
        seed: int,
        policy: Policy,
        witnesses: Sequence[Transitions | Demonstrated | Takeovers | Witness],
        human: Policy | None,
        max_steps: int,
    ) -> EpisodeResult:
        def take(step: Step) -> None:
            for witness in witnesses:
                witness.take(step)

        def end(observation: Observation, reward: RewardEstimate, success: bool) -> None:
            for witness in witnesses:
                witness.end(observation, reward, terminated=success)

        if self._truth is not None:
            self._truth.seed(seed)
        if self._lagging is not None:
            self._lagging.seed(seed)
        return run_episode(
            self.station,
            self.hardware,
            Brain(self._perception, self._affordance, self.reward, policy),
            seed=seed,
            instruction=self.config.instruction,
            max_steps=max_steps,
            on_step=take,
            on_end=end,
            human=human,
        )

    def expert(self) -> Policy:
        """Return the scripted policy, steady."""
        return self._expert

    def close(self) -> None:
        """Release the simulator."""
        self.station.close()
