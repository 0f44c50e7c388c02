"""Augmentation: pictures moved, and lit and coloured otherwise, by a generator that is handed in."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional


@dataclass(frozen=True, slots=True)
class AugmentConfig:
    """How much each picture may differ; 0 turns a part off.

    To exchange colours is for tasks in which they do not matter, such as "something in some bowl": red, green
    and blue change places, and what is learnt from one colour serves for all.
    """

    shift: float = 0.08  # of the picture's edge, up to which it is moved; the border is continued
    brightness: float = 0.15  # of the full range, up to which it is added
    contrast: float = 0.2  # share, up to which differences from the mean grow or shrink
    colour: float = 0.15  # share, up to which each colour channel does
    exchange: float = 0.0  # share of the pictures in which the colour channels change places

    def __post_init__(self) -> None:
        """Check the ranges."""
        for name in ("shift", "brightness", "contrast", "colour"):
            if not 0.0 <= getattr(self, name) < 1.0:
                raise ValueError(f"{name}: expected 0 to below 1, got {getattr(self, name)}.")
        if not 0.0 <= self.exchange <= 1.0:
            raise ValueError(f"exchange: expected 0 to 1, got {self.exchange}.")


def augmented(pictures: Tensor, config: AugmentConfig, generator: torch.Generator) -> Tensor:
    """Return pictures (b, cameras, 3, s, s) in 0 to 1, each changed by itself.

    The shift is that of Yarats et al. 2021, "Image Augmentation Is All You Need" (DrQ): pad by repeating
    the border, then crop at random. One lamp lights a scene, so the cameras share brightness, contrast
    and colour.
    """
    moved = _shifted(pictures.flatten(0, 1), round(config.shift * pictures.shape[-1]), generator)
    moved = _exchanged(moved.view_as(pictures), config.exchange, generator)

    def draw(channels: int, span: float) -> Tensor:
        uniform = torch.rand((len(pictures), 1, channels, 1, 1), generator=generator)
        return (2 * uniform - 1) * span

    middle = moved.mean((2, 3, 4), keepdim=True)
    lit = (moved - middle) * (1 + draw(1, config.contrast)) + middle + draw(1, config.brightness)
    return (lit * (1 + draw(3, config.colour))).clamp(0.0, 1.0)


def _exchanged(pictures: Tensor, share: float, generator: torch.Generator) -> Tensor:
    """Return pictures (b, cameras, 3, s, s), some with their colour channels in another order."""
    if share == 0:
        return pictures
    count = len(pictures)
    orders = torch.rand((count, 3), generator=generator).argsort(1)
    chosen = torch.rand(count, generator=generator) < share
    orders = torch.where(chosen[:, None], orders, torch.arange(3))
    index = orders[:, None, :, None, None].expand_as(pictures)
    return pictures.gather(2, index)


def _shifted(pictures: Tensor, most: int, generator: torch.Generator) -> Tensor:
    """Return pictures (n, 3, s, s), each moved by up to `most` px along either axis."""
    if most == 0:
        return pictures
    count, _, size, _ = pictures.shape
    padded = functional.pad(pictures, (most, most, most, most), mode="replicate")
    offsets = torch.randint(0, 2 * most + 1, (2, count), generator=generator)
    along = torch.arange(size)
    rows, columns = (offset[:, None] + along for offset in offsets)  # (n, s) each
    each = torch.arange(count)[:, None, None, None]
    channel = torch.arange(3)[None, :, None, None]
    out: Tensor = padded[each, channel, rows[:, None, :, None], columns[:, None, None, :]]
    return out
