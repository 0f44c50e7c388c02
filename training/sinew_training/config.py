"""What a training is: everything that decides its numbers, as it is kept in the run's directory."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from sinew_policies.learned.seeing import SeeingConfig
from sinew_policies.learned.tip_actions import TipActionConfig
from sinew_rewards.success import JudgedBy
from sinew_rewards.watching.config import WatchConfig
from sinew_sim.true_keypoints import NoiseConfig

from sinew_training.noisy import UnsteadyConfig
from sinew_training.occupancy import OccupancyConfig
from sinew_training.scripted_human import ScriptedHumanConfig

AGENTS = "sinew_policies.agents"  # where the short names of agents live


def _rlpd() -> Mapping[str, Any]:
    """Return what two cores manage in minutes from 20 demonstrations: little noise, much cloning at first."""
    return {
        "plugin": "sinew_policies.agents.rlpd:Rlpd",
        "hidden": [128, 128],
        "critics": 4,
        "updates": 2,
        "learning_rate": 1e-3,
        "tau": 0.01,
        "alpha": 0.01,
        "target_entropy": -10.0,
        "log_std": [-5.0, -2.5],
        "backup_entropy": False,
        "cloning_weight": 2.0,
    }


@dataclass(frozen=True, slots=True)
class TrainConfig:
    """One training; times in decisions, of `actions.periods` control periods each, or as they say."""

    task: str = "pick_place"
    hardware: str = "sim_mujoco"
    instruction: str = ""  # drawn from the task where empty
    agent: Mapping[str, Any] = field(default_factory=_rlpd)  # plugin mapping
    reward: str = "affordance_way"  # a reward model, or `sparse`: bare success
    judge: JudgedBy | None = None  # says when the task is done, in place of the simulator
    shaping: float = 0.5  # weight of the progress as a potential beside 1 for success; 0: the model's values
    occupancy: OccupancyConfig | None = None  # a price for straying from what the base policy visits
    watch: WatchConfig = field(default_factory=WatchConfig)  # what about the reward raises an alarm
    affordance: str = "rule_grounding"
    perception: Literal["truth", "camera"] = "truth"  # the simulator's truth with noise, or the cameras
    seeing: SeeingConfig = field(default_factory=SeeingConfig)  # what the policy sees
    demonstrations: int = 20  # scripted ones; 0: none
    dataset: str = ""  # a folder of recorded episodes that demonstrate
    labels: str = ""  # of the dataset's rewards: one that lies beside its episodes; empty: graded anew
    offline: bool = False  # learn from the demonstrations alone; a step is then an update
    steps: int = 12_000  # decisions
    minutes: float = 0.0  # of wall clock, after which it ends, too; 0: no limit
    until: float = 0.0  # success rate on validation scenes at which it ends, too; 0: whatever it is
    seed: int = 0
    max_steps: int = 160  # control periods of an episode while learning; a lost one teaches little
    batch: int = (
        256  # transitions of one update; an agent that makes several per decision gets as many batches
    )
    blur: float = 0.5  # noise in updates on the numbers that are seen, in their standard deviations
    discount: float = 0.97  # per decision
    n_step: int = 3
    capacity: int = 200_000  # transitions that the online replay keeps
    warm_up: int = 500  # decisions before the first update, of random actions where there is no demonstration
    pretrain: int = 1_500  # updates of cloning before the first episode, of agents with a weight of cloning
    cloning_until: int = 0  # decisions over which that weight falls to zero; 0: it stays
    imitate: bool = True  # an episode that ended in success demonstrates, too (Oh et al. 2018)
    evaluate_every: int = 4_000  # decisions
    evaluation_episodes: int = 100
    checkpoint_every: float = 60.0  # s of wall clock
    interventions: int = 0  # control periods that the scripted person may act in all; 0: nobody does
    human: ScriptedHumanConfig = field(default_factory=ScriptedHumanConfig)
    lag: int = 0  # control periods, up to which the arm follows late; drawn anew for each episode
    actions: TipActionConfig = field(default_factory=TipActionConfig)
    noise: NoiseConfig = field(default_factory=NoiseConfig)
    unsteady: UnsteadyConfig = field(default_factory=UnsteadyConfig)

    def __post_init__(self) -> None:
        """Check the ranges."""
        if self.steps < 1 or self.max_steps < 1 or self.batch < 2 or self.n_step < 1:
            raise ValueError("steps, max_steps and n_step: expected at least 1; batch: at least 2.")
        if self.labels and not self.dataset:
            raise ValueError(f"labels '{self.labels}': lie beside the episodes of a dataset; name one, too.")
        if not 0 <= self.shaping < 1:
            raise ValueError(f"shaping: expected 0 <= shaping < 1, got {self.shaping}.")
        if not 0 < self.discount < 1:
            raise ValueError(f"discount: expected 0 < discount < 1, got {self.discount}.")
        if not 0 <= self.until <= 1:
            raise ValueError(f"until: expected a success rate from 0 to 1, got {self.until}.")
        if self.blur < 0:
            raise ValueError(f"blur: expected at least 0, got {self.blur}.")
        if (
            self.lag < 0
            or self.demonstrations < 0
            or self.pretrain < 0
            or self.warm_up < 0
            or self.interventions < 0
        ):
            raise ValueError("lag, demonstrations, pretrain, warm_up and interventions: expected at least 0.")
        if self.capacity < 2 * self.batch:
            raise ValueError(
                f"capacity: expected at least two batches, {2 * self.batch}, got {self.capacity}."
            )
        if self.seeing.kind != "keypoints" and self.perception == "truth":
            raise ValueError(
                f"seeing {self.seeing.kind} wants `perception: camera`: the truth has no pictures."
            )
        if self.occupancy is not None:
            self._check_occupancy(self.occupancy)
        if self.evaluate_every < 1 or self.evaluation_episodes < 1:
            raise ValueError("evaluate_every and evaluation_episodes: expected at least 1.")

    def _check_occupancy(self, occupancy: OccupancyConfig) -> None:
        if self.offline:
            raise ValueError("occupancy: offline nothing is visited that could stray; leave it out.")
        if occupancy.base_episodes == 0 and not self.demonstrations and not self.dataset:
            raise ValueError(
                "occupancy: without demonstrations the first episodes are the base policy's: expected "
                "base_episodes of at least 1, got 0."
            )
