"""The settings of SAC, on which RLPD builds."""

from __future__ import annotations

from dataclasses import dataclass

from sinew_policies.agents.gradients import Activation
from sinew_policies.agents.gripper_critic import GripperConfig
from sinew_policies.agents.hl_gauss import HlGauss


@dataclass(frozen=True, slots=True)
class Config:
    """Defaults are the paper's."""

    hidden: tuple[int, ...] = (256, 256)  # of actor and critics
    activation: Activation = "relu"
    layer_norm: bool = False  # in the critics
    critics: int = 2
    hl_gauss: HlGauss | None = None  # critics that classify instead of regressing
    gripper: GripperConfig | None = None  # the action's last entry is then decided by a critic of its own
    learning_rate: float = 3e-4
    tau: float = 0.005  # of the way from target to network, each update
    alpha: float = 1.0  # temperature at the start
    automatic_alpha: bool = True  # False keeps it there
    target_entropy: float | None = None  # None: minus the number of continuous action entries
    backup_entropy: bool = True  # in the critics' target
    log_std: tuple[float, float] = (-20.0, 2.0)  # range of the actor's
    wander: float = 0.0  # share of the drawn actions that are any action at all, to get out of a rut
    metrics_every: int = 50  # updates
    compiled: bool = False  # updates, by torch.compile: a minute at first, wants a C++ compiler

    def __post_init__(self) -> None:
        """Check the ranges."""
        if not self.hidden or min(self.hidden) < 1 or self.critics < 1 or self.metrics_every < 1:
            raise ValueError(
                "expected hidden layers of at least 1 unit, critics >= 1 and metrics_every >= 1."
            )
        if not 0 < self.tau <= 1 or self.learning_rate <= 0 or self.alpha <= 0:
            raise ValueError(
                f"expected 0 < tau <= 1, learning_rate > 0 and alpha > 0, got {self.tau}, "
                f"{self.learning_rate} and {self.alpha}."
            )
        if not 0 <= self.wander < 1:
            raise ValueError(f"wander: expected 0 <= wander < 1, got {self.wander}.")
        if not self.log_std[0] < self.log_std[1]:
            raise ValueError(f"log_std: expected a range, got {self.log_std}.")
