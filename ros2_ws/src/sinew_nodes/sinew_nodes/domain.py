"""A ROS_DOMAIN_ID that nobody on this machine uses."""

from __future__ import annotations

import os
import random
from pathlib import Path

DOMAINS = range(10, 100)  # further up, DDS's ports meet those that the system hands out


def choose_domain() -> int:
    """Return $ROS_DOMAIN_ID, or else a free domain."""
    return int(os.environ["ROS_DOMAIN_ID"]) if "ROS_DOMAIN_ID" in os.environ else free_domain()


def free_domain() -> int:
    """Return a domain of which no UDP port is in use."""
    used = {(port - 7400) // 250 for port in _udp_ports() if port >= 7400}
    free = [domain for domain in DOMAINS if domain not in used]
    return random.SystemRandom().choice(free or list(DOMAINS))


def _udp_ports() -> set[int]:
    ports = set()
    for table in ("/proc/net/udp", "/proc/net/udp6"):
        path = Path(table)
        lines = path.read_text().splitlines()[1:] if path.exists() else []
        ports |= {int(line.split()[1].rpartition(":")[2], 16) for line in lines}
    return ports
