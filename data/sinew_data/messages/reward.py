"""Reward estimates as messages."""

from __future__ import annotations

from typing import Any

from sinew_core.types import RewardEstimate

from sinew_data.messages.header import Make, floats, header, header_stamp, or_nan, or_none


def reward_to_msg(make: Make, reward: RewardEstimate, episode: int) -> Any:
    """Return a reward estimate as a message."""
    return make["sinew_msgs/msg/RewardEstimate"](
        header=header(make, reward.stamp),
        episode=episode,
        value=float(reward.value),
        success=or_nan(reward.success),
        progress=or_nan(reward.progress),
        uncertainty=or_nan(reward.uncertainty),
        term_names=list(reward.terms),
        term_values=floats(list(reward.terms.values())),
    )


def reward_from_msg(message: Any) -> RewardEstimate:
    """Return a message as a reward estimate."""
    return RewardEstimate(
        header_stamp(message),
        message.value,
        or_none(message.success),
        or_none(message.progress),
        or_none(message.uncertainty),
        dict(zip(message.term_names, message.term_values.tolist(), strict=True)),
    )
