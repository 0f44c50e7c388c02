"""The network: a small convolutional trunk for each camera, then one answer."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn

COARSE, FINE = 4, 3  # halvings of a picture down to the map in which things are placed
GROUPS = 8  # of group normalisation, which knows no difference between training and use


@dataclass(frozen=True, slots=True)
class Sizes:
    """The widths of the network; the defaults have 0.2 million parameters a camera."""

    cameras: int
    size: int  # px, edge of the pictures
    widths: tuple[int, ...] = (24, 48, 64, 96)  # channels of the layers
    halvings: int = COARSE  # layers, from the first on, of which each sees at half the size of the one before
    places: int = 16  # things whose places are told
    hidden: int = 64

    def __post_init__(self) -> None:
        """Check that the channels can be normalised in groups."""
        if self.cameras < 1 or not self.widths or any(width % GROUPS for width in self.widths):
            raise ValueError(f"expected cameras >= 1 and widths in multiples of {GROUPS}, got {self}.")
        if not 1 <= self.halvings <= len(self.widths):
            raise ValueError(f"halvings: expected 1 to {len(self.widths)}, the layers, got {self.halvings}.")


class Trunk(nn.Module):
    """One camera's picture to a vector: what is somewhere in it, and where a few things are.

    The maxima over the picture say that something is there, such as an object in a bowl, wherever the bowl
    stands today; the places are expected coordinates (the spatial softmax of Finn et al. 2016, "Deep
    Spatial Autoencoders"). A layer that sees the whole map at once would learn scenes by heart.
    """

    def __init__(self, sizes: Sizes) -> None:
        super().__init__()
        layers: list[nn.Module] = []
        inner = 3
        for i, outer in enumerate(sizes.widths):
            # The first layer's maps are the largest, and its input is normalised already.
            norm = [nn.GroupNorm(GROUPS, outer)] if i else []
            kernel = 3 if i else 5
            stride = 2 if i < sizes.halvings else 1
            layers += [nn.Conv2d(inner, outer, kernel, stride, kernel // 2, bias=not i), *norm, nn.ReLU()]
            inner = outer
        # Where less is halved, the last layer reaches further, so that it still sees as much of the picture.
        apart = 2 ** (len(sizes.widths) - sizes.halvings)
        last = nn.Conv2d(inner, inner, 3, 1, apart, dilation=apart, bias=False)
        layers += [last, nn.GroupNorm(GROUPS, inner), nn.ReLU()]
        self.layers = nn.Sequential(*layers)
        self.places = nn.Conv2d(inner, sizes.places, 1)
        self.features = inner + 2 * sizes.places

    def forward(self, pictures: Tensor) -> Tensor:
        """Return features (b, features) of normalised pictures (b, 3, size, size)."""
        found = self.layers(pictures)
        return torch.cat([found.amax((2, 3)), expected_places(self.places(found))], 1)


def expected_places(scores: Tensor) -> Tensor:
    """Return where each of c maps of scores (b, c, h, w) peaks, in the mean; (b, 2 c) in -1 to 1."""
    share = scores.flatten(2).softmax(-1).view_as(scores)
    rows, columns = (torch.linspace(-1.0, 1.0, length) for length in scores.shape[2:])
    return torch.cat([(share.sum(3) * rows).sum(2), (share.sum(2) * columns).sum(2)], 1)


class SuccessNetwork(nn.Module):
    """Pictures of every camera to one logit of success."""

    mean: Tensor
    std: Tensor

    def __init__(self, sizes: Sizes) -> None:
        super().__init__()
        trunks = [Trunk(sizes) for _ in range(sizes.cameras)]
        self.trunks, features = nn.ModuleList(trunks), sum(trunk.features for trunk in trunks)
        self.head = nn.Sequential(
            nn.Linear(features, sizes.hidden),
            nn.LayerNorm(sizes.hidden),
            nn.ReLU(),
            nn.Linear(sizes.hidden, 1),
        )
        # Of the pictures' colours, by camera; kept with the facts of a classifier, not with its weights.
        self.register_buffer("mean", torch.full((sizes.cameras, 3), 0.5), persistent=False)
        self.register_buffer("std", torch.full((sizes.cameras, 3), 0.25), persistent=False)

    def forward(self, pictures: Tensor) -> Tensor:
        """Return logits (b,) of pictures (b, cameras, 3, size, size) in 0 to 1."""
        normal = (pictures - self.mean[..., None, None]) / self.std[..., None, None]
        seen = [trunk(normal[:, i]) for i, trunk in enumerate(self.trunks)]
        logits: Tensor = self.head(torch.cat(seen, 1))[:, 0]
        return logits


def as_input(pictures: Tensor) -> Tensor:
    """Return pictures (b, cameras, size, size, 3) of uint8 as the network wants them."""
    return pictures.permute(0, 1, 4, 2, 3).float() / 255.0
