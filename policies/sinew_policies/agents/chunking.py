"""Action chunking with a transformer (ACT): many actions from one look, and what varies put into a style.

Zhao et al. 2023. In training a transformer reads the demonstrated chunk and says which style it has; a
second one makes a chunk of the observation and a style. Acting takes the mean style, zero. Differences
from the paper: the observation is one token, whatever the encoder makes of it; norms come first.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from sinew_policies.agents.agent import (
    AgentError,
    Encoder,
    Observations,
    Spaces,
    TensorSequences,
    make_generators,
)
from sinew_policies.agents.seeding import seeded
from sinew_policies.agents.sequences import check_sequences, valid_mean
from sinew_policies.agents.state import Saved, State, descend, make_adam


@dataclass(frozen=True, slots=True)
class Config:
    """The transformers and how they learn; the paper's sizes are in brackets."""

    horizon: int = 16  # (100)
    style: int = 8  # length of the style variable (32)
    width: int = 64  # (512)
    heads: int = 4  # (8)
    feedforward: int = 256  # (3200)
    style_layers: int = 2  # (4)
    encoder_layers: int = 2  # (4)
    decoder_layers: int = 1  # (7, of which the released code uses the first)
    dropout: float = 0.1
    kl_weight: float = 10.0
    learning_rate: float = 3e-4  # (1e-5)
    weight_decay: float = 1e-4

    def __post_init__(self) -> None:
        """Check the ranges."""
        sizes = (
            *(self.horizon, self.style, self.width, self.heads, self.feedforward),
            *(self.style_layers, self.encoder_layers, self.decoder_layers),
        )
        if min(sizes) < 1 or self.width % self.heads != 0:
            raise AgentError(
                f"chunking: expected sizes of 1 and more, got {sizes}, and width {self.width} to be a "
                f"multiple of heads {self.heads}"
            )
        if not (0 <= self.dropout < 1 and self.kl_weight >= 0):
            raise AgentError(
                f"chunking: expected 0 <= dropout {self.dropout} < 1 and kl_weight {self.kl_weight} >= 0"
            )
        if not (self.learning_rate > 0 and self.weight_decay >= 0):
            raise AgentError(
                f"chunking: expected learning_rate {self.learning_rate} > 0 and weight_decay "
                f"{self.weight_decay} >= 0"
            )


class StyleEncoder(nn.Module):
    """What is particular about a demonstrated chunk: mean and log variance of its style."""

    def __init__(self, config: Config, action: int) -> None:
        super().__init__()
        self.embed = nn.Linear(action, config.width)
        self.summary = nn.Parameter(0.02 * torch.randn(config.width))
        self.places = nn.Parameter(0.02 * torch.randn(config.horizon + 2, config.width))
        self.transformer = _encoder(config, config.style_layers)
        self.leave = nn.Linear(config.width, 2 * config.style)

    def forward(self, look: Tensor, actions: Tensor, valid: Tensor) -> tuple[Tensor, Tensor]:
        """Return mean and log variance (b, style) from (b, width), (b, h, a) and (b, h)."""
        summary = self.summary.expand(len(look), 1, -1)
        tokens = torch.cat([summary, look[:, None], self.embed(actions)], 1) + self.places
        padding = torch.cat([torch.zeros_like(valid[:, :1]).expand(-1, 2), ~valid], 1)
        read = self.transformer(tokens, src_key_padding_mask=padding)
        mean, log_variance = self.leave(read[:, 0]).chunk(2, -1)
        return mean, log_variance


class ChunkDecoder(nn.Module):
    """A chunk from the observation's token and a style; each of its actions asks with a query of its own."""

    def __init__(self, config: Config, action: int, features: int) -> None:
        super().__init__()
        self.look = nn.Linear(features, config.width)
        self.embed = nn.Linear(config.style, config.width)
        self.places = nn.Parameter(0.02 * torch.randn(2, config.width))
        self.queries = nn.Parameter(0.02 * torch.randn(config.horizon, config.width))
        self.encoder = _encoder(config, config.encoder_layers)
        layer = nn.TransformerDecoderLayer(
            config.width, config.heads, config.feedforward, config.dropout, batch_first=True, norm_first=True
        )
        self.decoder = nn.TransformerDecoder(layer, config.decoder_layers, nn.LayerNorm(config.width))
        self.leave = nn.Linear(config.width, action)

    def forward(self, look: Tensor, style: Tensor) -> Tensor:
        """Return the chunk (b, h, a), unbounded, from (b, width) and (b, style)."""
        memory = self.encoder(torch.stack([self.embed(style), look], 1) + self.places)
        chunk: Tensor = self.leave(self.decoder(self.queries.expand(len(look), -1, -1), memory))
        return chunk


class Chunking(Saved):
    """Learns from sequences of `horizon` actions and answers with as many."""

    def __init__(self, config: Config, spaces: Spaces, encoder: Encoder, seed: int) -> None:
        first, self._learning, self._acting = make_generators(seed, 3)
        self.horizon = self.sequence = config.horizon
        self._config, self._spaces, self._encoder = config, spaces, encoder
        with seeded(first):
            self._styles = StyleEncoder(config, spaces.action)
            self._decoder = ChunkDecoder(config, spaces.action, encoder.features)
        acting: dict[str, nn.Module] = {"encoder": encoder, "decoder": self._decoder}
        everything = acting | {"styles": self._styles}
        parameters = [weight for module in everything.values() for weight in module.parameters()]
        self._optimizer = make_adam(parameters, config.learning_rate, config.weight_decay)
        self._policy = State(acting)
        self._state = State(
            everything, {"optimizer": self._optimizer}, {"learning": self._learning, "acting": self._acting}
        )

    def update(self, batch: TensorSequences) -> dict[str, float]:
        """Take one gradient step; returns the parts of the loss."""
        check_sequences(batch, self._spaces, self.horizon)
        self._styles.train()
        self._decoder.train()
        with seeded(self._learning):  # dropout
            error, divergence = self._losses(batch)
        descend(error + self._config.kl_weight * divergence, self._optimizer)
        return {"l1": error.item(), "kl": divergence.item()}

    def act(self, observation: Observations, *, greedy: bool) -> Tensor:
        """Return chunks (b, horizon, a): of the mean style if greedy, else of styles drawn from the prior."""
        self._decoder.eval()
        with torch.no_grad():
            look = self._decoder.look(self._encoder(observation))
            shape = (len(look), self._config.style)
            style = torch.zeros(shape) if greedy else torch.randn(shape, generator=self._acting)
            chunk: Tensor = self._decoder(look, style)
        return chunk.clamp(-1.0, 1.0)

    def _losses(self, batch: TensorSequences) -> tuple[Tensor, Tensor]:
        """Return the L1 error of the chunks and the divergence of their styles from the prior."""
        observation = self._encoder.augment(batch.observation, self._learning)
        look = self._decoder.look(self._encoder(observation))
        mean, log_variance = self._styles(look, batch.actions, batch.valid)
        noise = torch.randn(mean.shape, generator=self._learning)
        chunk = self._decoder(look, mean + (0.5 * log_variance).exp() * noise)
        error = valid_mean((chunk - batch.actions).abs().mean(-1), batch.valid)
        return error, style_divergence(mean, log_variance).mean()


def style_divergence(mean: Tensor, log_variance: Tensor) -> Tensor:
    """Return KL(N(mean, variance) || N(0, 1)) (b,), summed over the style's entries (b, style)."""
    return 0.5 * (mean.square() + log_variance.exp() - 1 - log_variance).sum(-1)


def temporal_ensemble(chunks: Tensor, decay: float) -> Tensor:
    """Return the action (a,) for now from the last n <= h chunks (n, h, a), one made each step.

    The oldest comes first, the last was made now. Chunk i of n has spoken of now in its row n - 1 - i;
    its weight is exp(-decay i): what was decided first counts most (Zhao et al. 2023, section IV-B).
    """
    count, horizon = chunks.shape[:2]
    if not 1 <= count <= horizon:
        raise AgentError(
            f"temporal ensemble: {count} chunks of {horizon} rows; expected 1 to {horizon} chunks"
        )
    ages = torch.arange(count - 1, -1, -1)
    weights = torch.softmax(-decay * torch.arange(count, dtype=chunks.dtype), 0)
    return weights @ chunks[torch.arange(count), ages]


def _encoder(config: Config, layers: int) -> nn.TransformerEncoder:
    layer = nn.TransformerEncoderLayer(
        config.width, config.heads, config.feedforward, config.dropout, batch_first=True, norm_first=True
    )
    norm = nn.LayerNorm(config.width)
    return nn.TransformerEncoder(layer, layers, norm, enable_nested_tensor=False)
