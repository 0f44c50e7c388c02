"""Writing a calibration into the file that is laid over a hardware file, whole or not at all."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

from sinew_core.config import load_yaml
from sinew_core.files import write_whole
from sinew_core.hardware import calibration_of, overlaid

HEADER = (
    "# Written by `sinew calibrate`; laid over the hardware file of the same name. Delete it to forget it.\n"
)


def write_calibration(hardware: Path, fields: Mapping[str, Any]) -> Path:
    """Lay fields over what a hardware file's calibration holds; return the calibration's file.

    Raises ConfigError where it cannot be written; what was there is then as it was.
    """
    path = calibration_of(hardware)
    before = load_yaml(path) if path.is_file() else {}
    text = HEADER + yaml.safe_dump(overlaid(before, fields), sort_keys=True, default_flow_style=None)
    write_whole(path, text.encode())
    return path
