"""A pseudo-terminal with a program in it, for the tui benchmarks: counts bytes, types keys, notes times."""

from __future__ import annotations

import fcntl
import os
import pty
import select
import struct
import sys
import termios
import time
from collections.abc import Sequence
from types import TracebackType
from typing import Self


class Terminal:
    """Runs `python -m module arguments…` in a terminal of the given size."""

    def __init__(self, module: str, arguments: Sequence[str], columns: int = 120, rows: int = 36) -> None:
        self.began = time.monotonic()
        self.pid, self._master = pty.fork()
        if self.pid == 0:
            os.environ.update(TERM="xterm-256color", COLORTERM="truecolor", COLUMNS=str(columns), LINES=str(rows))
            os.execv(sys.executable, [sys.executable, "-m", module, *arguments])
        fcntl.ioctl(self._master, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))
        self.written = 0
        """Bytes that the program wrote so far."""

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        os.close(self._master)
        os.waitpid(self.pid, 0)

    def type(self, text: str) -> None:
        """Types."""
        os.write(self._master, text.encode())

    def read(self, seconds: float, until: bytes = b"") -> bytes | None:
        """What the program writes within `seconds`, or until it wrote `until`; None where it has ended."""
        seen, deadline = b"", time.monotonic() + seconds
        while (left := deadline - time.monotonic()) > 0:
            if not select.select([self._master], [], [], left)[0]:
                break
            try:
                data = os.read(self._master, 65536)
            except OSError:
                data = b""
            if not data:
                return None
            self.written += len(data)
            seen += data
            if until and until in seen:
                break
        return seen
