"""What can be wrong with an episode on disk, as sentences that name the file."""

from __future__ import annotations

from sinew_core.errors import ConfigError


class EpisodeError(ConfigError):
    """A file that is no episode, or one that cannot be read to its end."""


class RecordingError(Exception):
    """Recording has stopped: the disk is full, the folder vanished or cannot be written."""
