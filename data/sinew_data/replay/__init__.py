"""Replay buffers: transitions in flat files or in memory, sampled in batches. NumPy alone, no torch.

Imports sinew_core and, of sinew_data, the layout's folder sync.
"""

from sinew_data.replay.batch import Batch, Sequences
from sinew_data.replay.buffer import ReplayBuffer
from sinew_data.replay.errors import ReplayError
from sinew_data.replay.mixture import Mixture
from sinew_data.replay.schema import Column, Schema

__all__ = ["Batch", "Column", "Mixture", "ReplayBuffer", "ReplayError", "Schema", "Sequences"]
