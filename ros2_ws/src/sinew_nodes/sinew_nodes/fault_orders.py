"""A station in another process that misbehaves as a file says: faults for the devices of a launched graph."""

from __future__ import annotations

import dataclasses
import json
import threading
from dataclasses import dataclass
from pathlib import Path

from sinew_core.fakes import FakeStation, FakeStationConfig
from sinew_core.hardware import Hardware

from sinew_nodes.fault_station import Culprit, Fault, FaultyStation

INTERVAL = 0.001  # s between looks


@dataclass(frozen=True, slots=True)
class OrderedStationConfig:
    """Where the orders lie, and when they were felt is written."""

    folder: str
    world: bool = False


class OrderedStation(FaultyStation):
    """An ideal arm before painted cameras, which fail as `order.json` says."""

    def __init__(self, config: OrderedStationConfig, hardware: Hardware, task: str) -> None:
        inner = FakeStation(FakeStationConfig(config.world), hardware, task)
        super().__init__(inner, Culprit(), hardware)
        self._folder = Path(config.folder)
        self._closed = threading.Event()
        threading.Thread(target=self._obey, name="orders", daemon=True).start()

    def close(self) -> None:
        """Close the station."""
        self._closed.set()
        super().close()

    def _obey(self) -> None:
        seen, told = b"", False
        order = self._folder / "order.json"
        while not self._closed.wait(INTERVAL):
            text = order.read_bytes() if order.exists() else b""
            if text != seen:
                seen, told = text, False
                self.culprit.felt = None
                self.culprit.fault = read_order(text)
            if self.culprit.felt is not None and not told:
                told = True
                _write(self._folder / "felt", str(self.culprit.felt))


def read_order(text: bytes) -> Fault | None:
    """Return the fault that an order asks for, or None."""
    fields = json.loads(text) if text else None
    return None if fields is None else Fault(**fields)


def give_order(folder: Path, fault: Fault | None) -> None:
    """Ask for a fault, or for none."""
    (folder / "felt").unlink(missing_ok=True)
    _write(folder / "order.json", json.dumps(None if fault is None else dataclasses.asdict(fault)))


def read_felt(folder: Path) -> int | None:
    """Return since when the fault is felt, in ns of the (system-wide) monotonic clock, or None."""
    path = folder / "felt"
    return int(path.read_text()) if path.exists() else None


def _write(path: Path, text: str) -> None:
    aside = path.with_suffix(".new")
    aside.write_text(text)
    aside.replace(path)
