"""For every test: signals as a terminal leaves them, whoever started the tests."""

from __future__ import annotations

import signal

# A shell's background has these ignored, and processes that the tests start would inherit that.
for number, handler in ((signal.SIGINT, signal.default_int_handler), (signal.SIGQUIT, signal.SIG_DFL)):
    if signal.getsignal(number) is signal.SIG_IGN:
        signal.signal(number, handler)
