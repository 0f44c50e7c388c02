"""Checks every name a user typed before anything heavy starts; a wrong one is a ConfigError with a hint."""

from __future__ import annotations

from importlib.metadata import EntryPoint, entry_points
from typing import cast

from sinew_core.errors import ConfigError, did_you_mean
from sinew_core.hardware import load_hardware
from sinew_core.models import HOMES, named_spec

from sinew_eval.records import Graph, RunConfig

GRAPHS = "sinew.graphs"


def check_names(config: RunConfig, graph: str) -> None:
    """Check hardware, task, policy, reward, affordance and graph; raises ConfigError."""
    graph_entry(graph)
    load_hardware(config.hardware)
    for kind in HOMES:
        named_spec(kind, getattr(config, kind))


def graph_entry(name: str) -> EntryPoint:
    """Return the entry point of a graph."""
    available = {entry.name: entry for entry in entry_points(group=GRAPHS)}
    if name not in available:
        raise ConfigError(f"unknown graph '{name}'.{did_you_mean(name, available)}")
    return available[name]


def open_graph(name: str, config: RunConfig) -> Graph:
    """Construct a graph, which may start processes; the caller closes it."""
    return cast(Graph, graph_entry(name).load()(config))
