"""What there is to show of one moment; needs nothing that draws."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from sinew_core.types import Affordance, JointState, Keypoint, Refusal, RewardEstimate


@dataclass(frozen=True, slots=True)
class View:
    """What is to be drawn; whatever is not known yet is left out."""

    joints: JointState
    instruction: str = ""
    keypoints: Mapping[str, Keypoint] = field(default_factory=dict)
    answer: Affordance | Refusal | None = None
    reward: RewardEstimate | None = None
    owner: str = ""  # of the arm: hold, policy, human or stopped
