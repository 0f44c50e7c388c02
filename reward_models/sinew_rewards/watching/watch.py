"""Watches a reward while a policy learns from it: episodes go in one by one, findings come out.

The first episodes, or those that are given, stand for the base policy: what acted when the reward was
learned, or before anything was learned from it. A window of the newest ones stands for the present one.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict
from typing import Any

import numpy as np
from sinew_core.config import from_mapping
from sinew_core.errors import ConfigError

from sinew_rewards.learned.saved import Spread
from sinew_rewards.watching.config import WatchConfig
from sinew_rewards.watching.correlation import correlation_findings
from sinew_rewards.watching.drift import drift_findings
from sinew_rewards.watching.episode import Record, Watched, record_of
from sinew_rewards.watching.findings import Finding
from sinew_rewards.watching.hollow import hollow_findings
from sinew_rewards.watching.repetition import loitering_findings, repetition_findings


class Watch:
    """Give it every episode by `take`; what it noticed last is in `findings`.

    `names` (d) are those of the inputs, `spreads` (d) where they lay when the reward was learned. What it
    says depends on the episodes alone. `state` is JSON, from which `load` goes on exactly.
    """

    def __init__(
        self, config: WatchConfig, names: Sequence[str] = (), spreads: Sequence[Spread] = ()
    ) -> None:
        if names and spreads and len(names) != len(spreads):
            raise ValueError(f"watch: {len(names)} names of inputs for {len(spreads)} spreads.")
        self._config, self._names, self._spreads = config, tuple(names), tuple(spreads)
        self._base: list[Record] = []
        self._given = False  # whether the base policy's episodes were given
        self._now: deque[Record] = deque(maxlen=config.window)
        self._taken = 0  # episodes of the present policy so far
        self.findings: tuple[Finding, ...] = ()

    def take_base(self, episodes: Iterable[Watched]) -> None:
        """Take episodes of the base policy; then the first ones of the training are none."""
        self._base += [self._record(episode) for episode in episodes]
        self._given = True

    def take(self, episode: Watched) -> tuple[Finding, ...]:
        """Take an episode; return what is noticed now for the first time, mostly nothing."""
        record = self._record(episode)
        if not self._given and len(self._base) < self._config.base_episodes:
            self._base.append(record)
            return ()
        self._now.append(record)
        self._taken += 1
        if self._taken % self._config.every != 0:
            return ()
        known = {(finding.kind, finding.names) for finding in self.findings}
        self.findings = self._look()
        return tuple(each for each in self.findings if (each.kind, each.names) not in known)

    @property
    def alarms(self) -> tuple[Finding, ...]:
        """What of it is wrong."""
        return tuple(finding for finding in self.findings if finding.alarm)

    def report(self) -> dict[str, Any]:
        """Return the findings and how many episodes they rest on, as JSON values."""
        return {
            "base_episodes": len(self._base),
            "episodes": self._taken,
            "alarms": len(self.alarms),
            "findings": [finding.as_json() for finding in self.findings],
        }

    def state(self) -> dict[str, Any]:
        """Return everything that a resume needs, as JSON values."""
        return {
            "base": [asdict(record) for record in self._base],
            "now": [asdict(record) for record in self._now],
            "given": self._given,
            "taken": self._taken,
            "findings": [asdict(finding) for finding in self.findings],
        }

    def load(self, state: Mapping[str, Any]) -> None:
        """Take what `state` returned; ConfigError for anything else."""
        try:
            self._base = [from_mapping(Record, record, "watch: base") for record in state["base"]]
            now = [from_mapping(Record, record, "watch: now") for record in state["now"]]
            found = [from_mapping(Finding, each, "watch: findings") for each in state["findings"]]
            self._given, self._taken = bool(state["given"]), int(state["taken"])
        except (KeyError, TypeError, ValueError) as error:
            raise ConfigError(f"watch: this is no state of a watch: {error}.") from error
        self._now = deque(now, maxlen=self._config.window)
        self.findings = tuple(found)

    def _record(self, episode: Watched) -> Record:
        return record_of(episode, self._spreads, self._config.slack)

    def _look(self) -> tuple[Finding, ...]:
        rng, config = np.random.default_rng(self._taken), self._config
        base, now = self._base, list(self._now)
        return (
            *correlation_findings(base, now, config, rng),
            *hollow_findings(base, now, config, rng),
            *drift_findings(base, now, self._names, config, rng),
            *repetition_findings(base, now, config),
            *loitering_findings(base, now, config),
        )
