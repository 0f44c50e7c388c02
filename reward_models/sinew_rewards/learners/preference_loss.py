"""How likely a comparison is, given the difference of two returns: win, loss or tie; mistakes."""

from __future__ import annotations

import math
from typing import Literal

import torch
from torch import Tensor
from torch.nn.functional import logsigmoid, softplus

Ties = Literal["half", "davidson", "rao_kupper"]


def log_chances(difference: Tensor, tie: Tensor, ties: Ties) -> tuple[Tensor, Tensor, Tensor]:
    """Return the log-probabilities that the first wins, that it loses, and that neither is better.

    Of differences (members, n), first minus second, and a number `tie` (members, 1) that is learned with
    the reward and says how wide ties are:
    - half: Bradley and Terry 1952; a tie is half a win and half a loss, and `tie` unused;
    - davidson: Davidson 1970, P(tie) proportional to e^tie sqrt(P(win) P(loss));
    - rao_kupper: Rao and Kupper 1967, nothing is better that is not so by more than softplus(tie).
    """
    if ties == "half":
        win, lose = logsigmoid(difference), logsigmoid(-difference)
        return win, lose, (win + lose) / 2
    if ties == "davidson":
        half = difference / 2
        total = torch.logsumexp(torch.stack([half, -half, tie.expand_as(half)]), 0)
        return half - total, -half - total, tie - total
    edge = softplus(tie)
    win, lose = logsigmoid(difference - edge), logsigmoid(-difference - edge)
    return win, lose, torch.log(torch.expm1(2 * edge)) + win + lose


def losses(difference: Tensor, labels: Tensor, tie: Tensor, ties: Ties, flips: float) -> Tensor:
    """Return the negative log-likelihood (members, n) of labels (n), a label of one half being a tie.

    Soft labels are a cross-entropy. With `flips`, that share of decided answers is taken to be the wrong
    way round (Christiano et al. 2017, appendix A.1, say 0.1 at random): a sure mistake then costs no more
    than -log(flips), and the reward does not bend over backwards for it.
    """
    win, lose, even = log_chances(difference, tie, ties)
    if flips:
        right, wrong = math.log1p(-flips), math.log(flips)
        win, lose = (torch.logaddexp(right + win, wrong + lose), torch.logaddexp(right + lose, wrong + win))
        even = (win + lose) / 2 if ties == "half" else even
    return -torch.where(labels == 0.5, even, labels * win + (1 - labels) * lose)
