"""For every test: signals as a terminal leaves them, and ROS 2 before librealsense."""

from __future__ import annotations

import signal

import rclpy  # noqa: F401 - before pyrealsense2: the other way round the interpreter crashes as it ends

# A shell's background has these ignored, and processes that the tests start would inherit that.
for number, handler in ((signal.SIGINT, signal.default_int_handler), (signal.SIGQUIT, signal.SIG_DFL)):
    if signal.getsignal(number) is signal.SIG_IGN:
        signal.signal(number, handler)
