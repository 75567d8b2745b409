"""Leaving on SIGINT, SIGTERM and SIGHUP: soon, with the terminal as it was found, whatever the program is stuck in.

A handler installed with `signal.signal` tells the program, which saves what it must and returns. A watchdog thread
makes sure of it: a terminal that has stalled can block the main thread in a write, and the model's thread may be deep
in a driver. Both front ends use this one; it knows neither of them.
"""

from __future__ import annotations

import os
import signal
import sys
import termios
import threading
from collections.abc import Callable
from contextlib import suppress
from types import FrameType, TracebackType
from typing import Any

GRACE_S = 1.5
"""Seconds between a signal and the watchdog's end of the process."""

SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)

# Leave the alternate screen, show the cursor, plain text, no mouse reports, no bracketed paste, no focus reports, and
# pop the keyboard protocol: all that a full-screen program may have switched on.
_PLAIN_SCREEN = b"\x1b[?1049l\x1b[?25h\x1b[0m\x1b[?1000;1002;1003;1006;1015l\x1b[?2004l\x1b[?1004l\x1b[<u\r\n"


class Interrupted(BaseException):
    """Raised in the main thread by a signal, where nothing better was arranged. Not for `except Exception`."""


class Leaving:
    """Within `with`, signals end the program in an orderly way, and after `GRACE_S` in any way.

    A second signal does not wait, unless it says once more that the line has dropped: the kernel and the shell both say
    that. Signals that were ignored before, as `nohup` does it, stay ignored. Enter it on the main thread.
    """

    def __init__(self, *, full_screen: bool = False, grace_s: float = GRACE_S) -> None:
        """`full_screen`: the terminal must be brought back from a full-screen program where time runs out."""
        self.on_signal: Callable[[], None] = _raise_interrupted
        """What the first signal calls, on the main thread, between two of its instructions. By default it raises
        `Interrupted` there."""
        self.outlives_the_line: Callable[[], bool] = lambda: False
        """Asked on the main thread when the line drops: whether there is something to finish without it. Then
        `on_signal` is called all the same, and the program takes its time."""
        self.without_line = False
        """True once the line has dropped and the program goes on without it: it must not touch the terminal."""
        self.signum: int | None = None
        """The first signal that is to end the program."""
        self._full_screen = full_screen
        self._grace_s = grace_s
        self._before: dict[int, Any] = {}
        self._terminal: list[Any] | None = None
        self._terminals: list[int] = []
        self._left = threading.Event()

    @property
    def exit_code(self) -> int:
        """What a shell expects of a program that a signal ended: 130 for SIGINT. 0 where none came."""
        return 0 if self.signum is None else 128 + self.signum

    def __enter__(self) -> Leaving:
        with suppress(OSError, termios.error, ValueError, AttributeError):  # no terminal there
            self._terminal = termios.tcgetattr(sys.stdin.fileno())
        self._terminals = [descriptor for descriptor in range(3) if os.isatty(descriptor)]
        for number in SIGNALS:
            before = signal.getsignal(number)
            if before is not signal.SIG_IGN:
                self._before[number] = before
                signal.signal(number, self._handle)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        # The watchdog goes on where a signal came: closing down is what may hang.
        if self.signum is None:
            self._left.set()
        for number, before in self._before.items():
            signal.signal(number, before)

    def line_dropped(self) -> None:
        """The terminal has gone away and no signal may have said so: the same as if one had. From any thread."""
        if signal.SIGHUP in self._before:
            os.kill(os.getpid(), signal.SIGHUP)
        else:
            self.on_signal()

    def leave(self) -> None:
        """Ends the process with `exit_code`, output flushed, without Python's own shutdown.

        That shutdown waits for nobody: it would pull the ground from under a model thread that is still computing.
        """
        for stream in (sys.stdout, sys.stderr):
            with suppress(OSError, ValueError, AttributeError):
                stream.flush()
        os._exit(self.exit_code)

    def _handle(self, number: int, frame: FrameType | None) -> None:
        if number == signal.SIGHUP and (self.without_line or self.signum == signal.SIGHUP):
            return
        if self.signum is not None:
            self._end()
        if number == signal.SIGHUP and self.outlives_the_line():
            self._let_go()
            self.on_signal()
            return
        self.signum = number
        threading.Thread(target=self._watch, name="gptoss-watchdog", daemon=True).start()
        self.on_signal()

    def _let_go(self) -> None:
        """Leaves the dead terminal alone: what still writes to it writes to nowhere."""
        self.without_line = True
        self._terminal = None
        nowhere = os.open(os.devnull, os.O_RDWR)
        for descriptor in self._terminals:
            os.dup2(nowhere, descriptor)
        os.close(nowhere)

    def _watch(self) -> None:
        if not self._left.wait(self._grace_s):
            self._end()

    def _end(self) -> None:
        self.restore_terminal()
        os._exit(self.exit_code)

    def restore_terminal(self) -> None:
        """Brings the terminal back to how it was found. Never blocks, never raises; from any thread."""
        if self._terminal is None:
            return
        with suppress(OSError, termios.error, ValueError, AttributeError):
            termios.tcsetattr(sys.stdin.fileno(), termios.TCSANOW, self._terminal)
        if self._full_screen:
            with suppress(OSError, ValueError):
                # A descriptor of our own: whoever shares the terminal must not find it non-blocking.
                screen = os.open("/dev/tty", os.O_WRONLY | os.O_NONBLOCK | os.O_NOCTTY)
                os.write(screen, _PLAIN_SCREEN)
                os.close(screen)


def _raise_interrupted() -> None:
    raise Interrupted
