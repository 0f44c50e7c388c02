"""Trainings of seconds: a small network, episodes of a few control periods."""

from sinew_training.config import TrainConfig

SMALL = {
    "plugin": "sinew_policies.agents.rlpd:Rlpd",
    "hidden": [16, 16],
    "critics": 2,
    "updates": 1,
    "metrics_every": 10,
}


class Silent:
    """A listener that keeps what it hears."""

    def __init__(self):
        self.episodes = []
        self.evaluations = []
        self.findings = []

    def demonstrated(self, episodes):
        pass

    def episode(self, record):
        self.episodes.append(dict(record))

    def evaluation(self, record):
        self.evaluations.append(dict(record))

    def noticed(self, record):
        self.findings.append(dict(record["finding"]))


class Interrupting(Silent):
    """Presses Ctrl-C after so many episodes."""

    def __init__(self, after):
        super().__init__()
        self._after = after

    def episode(self, record):
        super().episode(record)
        if len(self.episodes) == self._after:
            raise KeyboardInterrupt


def small(**changes) -> TrainConfig:
    fields = {
        "task": "push",
        "agent": SMALL,
        "reward": "sparse",
        "steps": 24,
        "max_steps": 24,
        "batch": 16,
        "capacity": 500,
        "demonstrations": 1,
        "evaluate_every": 12,
        "evaluation_episodes": 1,
    }
    return TrainConfig(**{**fields, **changes})
