"""A small convolutional network in whose features the distance between two pictures says how far it is to go.

Its weights are learnt by `sinew reward encoder` (VIP, Ma et al. 2023, and the true way in simulation); those
that come with Sinew know the view from above of `pick_place` and `push`. `FrozenFeatures` takes it as a
plugin, see `shipped_config`.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from torch import Tensor, nn

from sinew_perception.encoders.frozen_features import Config as FrozenConfig

PLUGIN = f"{__name__}:GoalEncoder"
SIZE = 64  # px, of the pictures
PLACES = SIZE // 8  # rows and columns of places after the convolutions
SHIPPED = Path(__file__).with_name("shipped") / "goal_encoder.safetensors"
KEPT = 32  # channels at each place
GROUPS = 4  # of channels that are normalised together; without, training takes several times as long
MEAN = STD = (0.5, 0.5, 0.5)  # of pixels in [0, 1]


@dataclass(frozen=True, slots=True)
class Config:
    """The network's sizes."""

    features: int = 32
    width: int = 32  # channels of the first layer
    hidden: int = 96

    def __post_init__(self) -> None:
        """Check the sizes."""
        if min(self.features, self.width, self.hidden) < 1 or self.width % GROUPS:
            raise ValueError(
                f"goal encoder: expected features and hidden of at least 1 and a width that {GROUPS} divides."
            )


class GoalEncoder(nn.Module):
    """Pictures (b, 3, 64, 64), pixels in [-1, 1], to features (b, features); one unit is about one step."""

    def __init__(self, config: Config) -> None:
        super().__init__()
        width = config.width
        self.look = nn.Sequential(
            *(nn.Conv2d(3, width, 8, 4, 2), nn.GroupNorm(GROUPS, width), nn.SiLU()),
            *(nn.Conv2d(width, 2 * width, 3, 2, 1), nn.GroupNorm(GROUPS, 2 * width), nn.SiLU()),
            *(nn.Conv2d(2 * width, KEPT, 3, 1, 1), nn.GroupNorm(GROUPS, KEPT), nn.SiLU()),
        )
        self.tell = nn.Sequential(
            *(
                nn.Flatten(),
                nn.Linear(KEPT * PLACES**2, config.hidden),
                nn.LayerNorm(config.hidden),
                nn.SiLU(),
            ),
            nn.Linear(config.hidden, config.features),
        )

    def forward(self, pictures: Tensor) -> Tensor:
        """Return (b, features); ValueError for pictures of another shape."""
        if pictures.shape[1:] != (3, SIZE, SIZE):
            raise ValueError(
                f"goal encoder: expected pictures (b, 3, {SIZE}, {SIZE}), got {tuple(pictures.shape)}."
            )
        found: Tensor = self.tell(self.look(pictures))
        return found


def shipped_config(weights: Path = SHIPPED) -> FrozenConfig:
    """Return how `FrozenFeatures` opens the encoder; ConfigError comes from there if its file is missing."""
    return FrozenConfig(plugin=PLUGIN, weights=weights, size=SIZE, mean=MEAN, std=STD)
