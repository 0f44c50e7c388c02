"""start the nodes of a launch file: sinew launch FILE [argument:=value ...]

FILE is a path, or a name such as `bringup` that is found among Sinew's own. Where ROS 2's `ros2 launch`
is installed, it runs the file; otherwise Sinew runs it itself (see sinew_nodes.launch_file).
"""

from __future__ import annotations

import argparse
import importlib.util
import os
import shutil
import signal
import sys
import threading
from collections.abc import Sequence
from pathlib import Path
from types import FrameType

from sinew_core.errors import ConfigError, did_you_mean
from sinew_core.hardware import share_roots

from sinew_nodes.launch_file import read_arguments, resolve
from sinew_nodes.supervisor import Supervisor

SUFFIX = ".launch.yaml"
COLOURS = (36, 33, 35, 32, 34, 31)  # of a terminal


def main(argv: Sequence[str]) -> int:
    """Run a launch file until a node that matters ends, or SIGINT or SIGTERM comes."""
    parser = argparse.ArgumentParser(
        prog="sinew launch", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("file", help="a launch file, by path or by name")
    parser.add_argument("arguments", nargs="*", default=[], metavar="argument:=value")
    parser.add_argument("-s", "--show-args", action="store_true", help="say which arguments the file takes")
    options = parser.parse_args(argv)
    path = find_launch_file(options.file)
    if options.show_args:
        print_arguments(path)
        return 0
    if _has_ros_launch():
        os.execvp("ros2", ["ros2", "launch", str(path), *options.arguments])
    return run(path, parse_arguments(options.arguments))


def find_launch_file(name: str) -> Path:
    """Return the path of a launch file; an unknown name is answered with the nearest one."""
    if Path(name).is_file():
        return Path(name).resolve()
    roots = share_roots("launch")
    found = {
        path.name.removesuffix(SUFFIX): path for root in reversed(roots) for path in root.glob(f"*{SUFFIX}")
    }
    short = Path(name).name.removesuffix(SUFFIX)
    if short in found and ("/" not in name or name.startswith("launch/")):
        return found[short].resolve()
    raise ConfigError(f"there is no launch file '{name}'.{did_you_mean(short, found)}")


def parse_arguments(arguments: Sequence[str]) -> dict[str, str]:
    """Return `name:=value` words as a mapping; raises ConfigError."""
    given = {}
    for word in arguments:
        name, separator, value = word.partition(":=")
        if not separator or not name:
            raise ConfigError(f"expected argument:=value, got '{word}'.")
        given[name] = value
    return given


def print_arguments(path: Path) -> None:
    """Print the arguments of a launch file."""
    for argument in read_arguments(path):
        default = "required" if argument.default is None else f"default: '{argument.default}'"
        print(f"    {argument.name:<12} {argument.description} ({default})")


def run(path: Path, given: dict[str, str]) -> int:
    """Run a launch file here; returns the exit status of the node that ended it, 0 after a signal."""
    supervisor = Supervisor(resolve(path, given), Printer())
    stop = threading.Event()

    def ask_to_stop(number: int, frame: FrameType | None) -> None:
        stop.set()

    previous = {n: signal.signal(n, ask_to_stop) for n in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)}
    ended = None
    try:
        supervisor.start()
        while ended is None and not stop.wait(0.05):
            ended = supervisor.ended()
    finally:
        supervisor.stop()
        for number, handler in previous.items():
            signal.signal(number, handler)
    if ended is None:
        return 0
    name, code = ended
    print(f"sinew launch: {name} ended with status {code}; everything was shut down.", file=sys.stderr)
    return 128 - code if code < 0 else code


class Printer:
    """Prints lines with the name of the node that wrote them, each node in its colour."""

    def __init__(self) -> None:
        self._colours: dict[str, int] = {}
        self._lock = threading.Lock()
        self._plain = not sys.stdout.isatty() or "NO_COLOR" in os.environ

    def __call__(self, name: str, line: str) -> None:
        """Print one line."""
        with self._lock:
            colour = self._colours.setdefault(name, COLOURS[len(self._colours) % len(COLOURS)])
            print(f"[{name}] {line}" if self._plain else f"\033[{colour}m[{name}]\033[0m {line}", flush=True)


def _has_ros_launch() -> bool:
    return shutil.which("ros2") is not None and importlib.util.find_spec("launch_ros") is not None
