"""RLPD: SAC that learns from demonstrations and its own steps alike (Ball et al. 2023).

What it adds to SAC: many critics of which a random few make each target, LayerNorm in them (it bounds
what they say far from the data), many critic steps per environment step, and batches of which half are
demonstrations, which is the replay's part. The actor climbs the mean of all critics.

Optionally the actor is also pulled towards the demonstrations' actions, as in DAPG (Rajeswaran et al.
2018) and TD3+BC (Fujimoto and Gu 2021); the trainer lets that fade.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from sinew_policies.agents.agent import AgentError, Encoder, Spaces, TensorBatch, check_batch
from sinew_policies.agents.sac import Sac
from sinew_policies.agents.sac_config import Config as SacConfig
from sinew_policies.agents.sac_gradients import Pull, mean


@dataclass(frozen=True, slots=True)
class Config(SacConfig):
    """Defaults are the paper's, for states; `backup_entropy` False and `subset` 1 suit sparse rewards."""

    layer_norm: bool = True
    critics: int = 10
    subset: int = 2  # critics, drawn anew for each update, of which the smallest value is the target
    updates: int = 4  # critic steps per call (update-to-data ratio); a batch holds the rows of all
    cloning_weight: float = 0.0  # of the squared distance to the demonstrations' actions
    filtered: bool = False  # clone only what the critics hold to be better than what the actor does

    def __post_init__(self) -> None:
        """Check the ranges."""
        SacConfig.__post_init__(self)
        if not 1 <= self.subset <= self.critics or self.updates < 1 or self.cloning_weight < 0:
            raise ValueError(
                f"expected 1 <= subset <= critics ({self.critics}), updates >= 1 and cloning_weight >= 0, "
                f"got {self.subset}, {self.updates} and {self.cloning_weight}."
            )


class Rlpd(Sac):
    """Learns from batches of `updates` times the rows of one critic step."""

    _shares = staticmethod(mean)

    def __init__(self, config: Config, spaces: Spaces, encoder: Encoder, seed: int) -> None:
        self._subset, self._critic_steps = config.subset, config.updates
        self._cloning_weight = torch.tensor(config.cloning_weight)
        self._filtered = self._filtering = config.filtered
        super().__init__(config, spaces, encoder, seed)

    def set_cloning_weight(self, weight: float, *, all_of_it: bool = False) -> None:
        """Set the weight of cloning from the next update on; it is saved with the agent.

        `all_of_it` clones whatever the critics say, until the next call: theirs say nothing at first.
        """
        if not weight >= 0:
            raise AgentError(f"cloning weight: expected at least 0, got {weight}")
        self._cloning_weight.fill_(weight)
        self._filtering = self._filtered and not all_of_it

    def update(self, batch: TensorBatch) -> dict[str, float]:
        """Take the critic steps, then one step of actor and temperature on the last slice.

        Step k learns from every `updates`-th row from k on: whatever order halves have in the batch, they
        have it in every slice.
        """
        check_batch(batch, self.spaces)
        if len(batch.reward) % self._critic_steps:
            raise AgentError(
                f"batch: {len(batch.reward)} rows are not a multiple of updates = {self._critic_steps}"
            )
        with torch.no_grad():
            for step in range(self._critic_steps):
                part = batch.rows(slice(step, None, self._critic_steps))
                features, metrics = self._critic_step(part)
                self._move_targets()
            return self._report(metrics | self._actor_step(features, part, metrics["data_value"]))

    def _valuing(self) -> list[int]:
        drawn: list[int] = torch.randperm(self.target.members, generator=self._learning).tolist()
        return drawn[: self._subset]

    def _pull(self, batch: TensorBatch, given: Tensor) -> Pull | None:
        if float(self._cloning_weight) == 0:
            return None
        action, rows = batch.action[:, : self._continuous], batch.demonstration.float()
        return Pull(action, rows, self._cloning_weight, given if self._filtering else None)

    def _plain_tensors(self) -> dict[str, Tensor]:
        return {**super()._plain_tensors(), "cloning_weight": self._cloning_weight}
