"""A 3Dconnexion mouse behind the `hidapi` library, opened anew when it comes back."""

from __future__ import annotations

import importlib
from collections.abc import Callable, Sequence
from typing import Protocol

from sinew_core.errors import ConfigError
from sinew_core.types import NANOSECONDS

VENDORS = (0x256F, 0x046D)  # 3Dconnexion, and Logitech from the years before
LOGITECH_PRODUCTS = range(0xC603, 0xC62F)  # among Logitech's, those that are such mice
MULTI_AXIS = (1, 8)  # HID usage page and usage; a receiver offers other interfaces besides
REPORT = 64  # bytes
RETRY = NANOSECONDS  # ns between attempts to open a device that is gone
HINT = (
    "On Linux the user must be allowed to read it: put "
    'KERNEL=="hidraw*", ATTRS{idVendor}=="256f", MODE="0660", TAG+="uaccess" '
    "into /etc/udev/rules.d/90-spacemouse.rules and plug it in again."
)


class HidHandle(Protocol):
    """What is used of an open `hid.device`."""

    def read(self, size: int) -> Sequence[int]:
        """Return a report, or nothing."""

    def close(self) -> None:
        """Close the device."""


Opener = Callable[[], HidHandle]


def open_spacemouse() -> HidHandle:
    """Open the first such mouse; raises OSError with a sentence, or ConfigError without the library."""
    try:
        hid = importlib.import_module("hid")
        found = [entry for vendor in VENDORS for entry in hid.enumerate(vendor, 0)]
        handle = hid.device()
    except (ImportError, AttributeError) as error:  # another package of that name has neither
        raise ConfigError(
            "the teleop source 'spacemouse' needs the package hidapi: pip install 'sinew[spacemouse]'."
        ) from error
    mice = [e for e in found if e["vendor_id"] == VENDORS[0] or e["product_id"] in LOGITECH_PRODUCTS]
    if not mice:
        raise OSError("no SpaceMouse is plugged in")
    mice.sort(key=lambda entry: (entry["usage_page"], entry["usage"]) != MULTI_AXIS)
    try:
        handle.open_path(mice[0]["path"])
    except OSError as error:
        raise OSError(f"{mice[0]['product_string']} cannot be opened. {HINT}") from error
    handle.set_nonblocking(1)
    opened: HidHandle = handle
    return opened


class HidReader:
    """Reads reports without waiting, and survives that the device goes and comes back."""

    def __init__(self, opener: Opener) -> None:
        self._opener = opener
        self._handle: HidHandle | None = None
        self._next_try = -(10**18)
        self.error = "not opened yet"

    @property
    def present(self) -> bool:
        """Whether the device is open."""
        return self._handle is not None

    def poll(self, now: int) -> list[Sequence[int]]:
        """Return what has been reported since the last call; `now` is in ns, for opening it again."""
        if self._handle is None and now >= self._next_try:
            self._next_try = now + RETRY
            self._open()
        reports: list[Sequence[int]] = []
        try:
            while self._handle is not None and (report := self._handle.read(REPORT)):
                reports.append(report)
        except (OSError, ValueError) as error:  # unplugged
            self.close()
            self.error = f"{error}"
        return reports

    def close(self) -> None:
        """Close the device; safe to call more than once."""
        handle, self._handle = self._handle, None
        if handle is not None:
            handle.close()

    def _open(self) -> None:
        try:
            self._handle = self._opener()
        except OSError as error:
            self.error = str(error)
