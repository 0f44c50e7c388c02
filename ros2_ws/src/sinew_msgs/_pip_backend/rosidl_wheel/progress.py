"""Counted progress lines on standard output, which pip shows with --verbose."""


class Progress:
    """Prints `name: [ 3/12] what` per finished step."""

    def __init__(self, name: str, total: int) -> None:
        self._name = name
        self._total = total
        self._done = 0

    def advance(self, what: str) -> None:
        """Count one step as done and say which."""
        self._done += 1
        width = len(str(self._total))
        print(f"{self._name}: [{self._done:{width}}/{self._total}] {what}", flush=True)
