"""What can be wrong with a replay buffer, or with what is given to it."""

from __future__ import annotations

from sinew_core.errors import ConfigError


class ReplayError(ConfigError, ValueError):
    """A folder, a schema, a transition or a request that a buffer cannot take; nothing was written."""
