"""Remember which parts are installed, and whether an installation was cut off."""

import json
from pathlib import Path

_BEGUN = "begun"


class Stamps:
    """Part name -> key of what is installed, in one JSON file inside the environment."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def holds(self, name: str, key: str) -> bool:
        """Whether the part is installed in this very form."""
        return self._read().get(name) == key

    def interrupted(self) -> bool:
        """Whether a part was begun and neither finished nor undone."""
        return _BEGUN in self._read()

    def begin(self, name: str) -> None:
        """Note that the part is in the making; its old stamp no longer holds."""
        stamps = {key: value for key, value in self._read().items() if key != name}
        self._write({**stamps, _BEGUN: name})

    def finish(self, name: str, key: str) -> None:
        """Note that the part is installed."""
        stamps = {known: value for known, value in self._read().items() if known != _BEGUN}
        self._write({**stamps, name: key})

    def _read(self) -> dict[str, str]:
        if not self._path.exists():
            return {}
        stamps: dict[str, str] = json.loads(self._path.read_text())
        return stamps

    def _write(self, stamps: dict[str, str]) -> None:
        partial = self._path.with_suffix(".partial")
        partial.write_text(json.dumps(stamps, indent=1))
        partial.replace(self._path)  # at once: an interruption leaves the old file or the new one
