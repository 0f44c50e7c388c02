"""How messages travel on one machine: the one place that nodes, tools, benches and tests set it up.

Fast DDS offers a 512 KB shared-memory segment by default, which a 640x480 image does not fit in: most
are lost. The profile beside this file gives every participant a segment that holds several.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
from pathlib import Path

SHARED_MEMORY = Path("/dev/shm")
PORT = "fastdds_port"
PROFILES = Path(__file__).with_name("fastdds.xml")


def transport_environment() -> dict[str, str]:
    """Return the environment variables that a process of the graph needs; what the user set stays."""
    wanted = {
        "ROS_AUTOMATIC_DISCOVERY_RANGE": "LOCALHOST",
        "FASTDDS_DEFAULT_PROFILES_FILE": str(PROFILES),
        "RMW_IMPLEMENTATION": "rmw_fastrtps_cpp",
    }
    chosen = {"FASTDDS_BUILTIN_TRANSPORTS", "FASTRTPS_DEFAULT_PROFILES_FILE", "FASTDDS_DEFAULT_PROFILES_FILE"}
    if chosen & set(os.environ):
        del wanted["FASTDDS_DEFAULT_PROFILES_FILE"]
    return {key: value for key, value in wanted.items() if key not in os.environ}


def set_up_transport() -> None:
    """Set this process's environment; must come before rclpy is initialised."""
    os.environ.update(transport_environment())


def clean_shared_memory() -> None:
    """Remove the segments of participants that are gone: one that is killed leaves its 32 MB behind.

    Fast DDS keeps a segment's file `<name>_el` locked for as long as its owner lives. Ports are left alone:
    they are small, and a living sender may hold the port of a dead receiver, which a new one takes over by
    its name; if it were removed, the two would have different ones and never hear of each other.
    """
    for lock in SHARED_MEMORY.glob("fastdds_*_el"):
        if lock.name.startswith(PORT):
            continue
        with contextlib.suppress(OSError), lock.open("rb") as file:  # held, somebody else's, or gone just now
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            lock.with_name(lock.name.removesuffix("_el")).unlink(missing_ok=True)
            lock.unlink()
