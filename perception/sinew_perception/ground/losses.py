"""What the network is graded by in training."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional

from sinew_perception.ground.batches import Batch
from sinew_perception.ground.network import GroundNetwork, match
from sinew_perception.ground.sentences import FORMS

THING_WEIGHT = 4.0  # of a cell with a thing; most have none


def losses(network: GroundNetwork, batch: Batch) -> dict[str, Tensor]:
    """Return the terms of the loss; their sum is what falls."""
    seen = network.image(batch.images)
    heard = network.sentence(batch.buckets, batch.vectors, batch.there)
    colour, shape = gather(seen.colour, batch.cells), gather(seen.shape, batch.cells)
    b, s = batch.roles.shape[:2]
    by_colour = match(heard.colour.reshape(b, 2 * s, -1), colour).reshape(b, s, 2, -1)
    by_shape = match(heard.shape.reshape(b, 2 * s, -1), shape).reshape(b, s, 2, -1)
    weight = 1 + (THING_WEIGHT - 1) * batch.cover
    asks = batch.forms != FORMS.index("none")
    pointing = -(batch.pointers * heard.pointers).sum((1, 2))
    return {
        "thing": 2 * functional.binary_cross_entropy_with_logits(seen.thing, batch.cover, weight),
        "colour": _fit_loss(by_colour, batch.colour_fits, batch.roles),
        "shape": _fit_loss(by_shape, batch.shape_fits, batch.roles),
        "form": 0.5 * functional.cross_entropy(heard.form, batch.forms),
        "pointers": 0.25 * (pointing * asks).sum() / asks.sum().clamp(min=1),
        "family": 0.3
        * functional.cross_entropy(network.family(colour).flatten(0, 1), batch.families.flatten()),
        "kind": 1.0 * functional.cross_entropy(network.kind(shape).flatten(0, 1), batch.kinds.flatten()),
    }


def gather(features: Tensor, cells: Tensor) -> Tensor:
    """Return features (b, k, d) of maps (b, d, rows, columns) at flat cells (b, k)."""
    flat = features.flatten(2).transpose(1, 2)
    return flat.gather(1, cells[..., None].expand(-1, -1, flat.shape[-1]))


def _fit_loss(logits: Tensor, fits: Tensor, roles: Tensor) -> Tensor:
    """Return the cross-entropy over the roles that the sentences have; all (b, s, 2, k), roles (b, s, 2)."""
    each = functional.binary_cross_entropy_with_logits(logits, fits, reduction="none").mean(-1)
    return (each * roles).sum() / roles.sum().clamp(min=1)


def accuracy(network: GroundNetwork, batch: Batch) -> dict[str, float]:
    """Return shares that are right: forms, and cells of things by colour, by kind and by both."""
    with torch.no_grad():
        seen = network.image(batch.images)
        heard = network.sentence(batch.buckets, batch.vectors, batch.there)
        colour, shape = gather(seen.colour, batch.cells), gather(seen.shape, batch.cells)
        b, s = batch.roles.shape[:2]
        by_colour = match(heard.colour.reshape(b, 2 * s, -1), colour).reshape(b, s, 2, -1) > 0
        by_shape = match(heard.shape.reshape(b, 2 * s, -1), shape).reshape(b, s, 2, -1) > 0
        right_colour = by_colour == (batch.colour_fits > 0.5)
        right_shape = by_shape == (batch.shape_fits > 0.5)
        both = (by_colour & by_shape) == ((batch.colour_fits * batch.shape_fits) > 0.5)
        shares = {"by_colour": right_colour, "by_shape": right_shape, "by_both": both}
        lit = seen.thing > 0
        truth = batch.cover > 0.5
        overlap = (lit & truth).sum() / (lit | truth).sum().clamp(min=1)
        return {
            "form": float((heard.form.argmax(-1) == batch.forms).float().mean()),
            **{key: float(value[batch.roles].float().mean()) for key, value in shares.items()},
            "family": float((network.family(colour).argmax(-1) == batch.families).float().mean()),
            "kind": float((network.kind(shape).argmax(-1) == batch.kinds).float().mean()),
            "overlap": float(overlap),
        }
