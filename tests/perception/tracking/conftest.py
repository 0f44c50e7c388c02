"""Makes the detector that says what it is told importable by its plugin name."""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
