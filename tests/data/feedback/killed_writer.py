"""Appends feedback without end and says, on stdout, the id of each entry that is on the disk.

python killed_writer.py LOG WHO
"""

import sys
from pathlib import Path

from sinew_data.feedback.entries import make_entry
from sinew_data.feedback.log import append
from sinew_data.feedback.types import Sentence

when = 0
while True:
    entry = make_entry(Sentence("word " * 200), sys.argv[2], when, "script")
    append(Path(sys.argv[1]), [entry])
    sys.stdout.write(f"{entry.id}\n")
    sys.stdout.flush()
    when += 1
