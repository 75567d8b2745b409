"""Leaving a real terminal: signals and a hung-up line end the program soon, with the terminal as it was found."""

from __future__ import annotations

import os
import pty
import select
import signal
import sys
import termios
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.chat.talker import talking_checkpoint

ROOT = Path(__file__).parents[2]
RAMBLING = "<|channel|>final<|message|>" + "Oh, yes" * 50 + "<|return|>"


class Line:
    """The program in a terminal whose other end is ours."""

    def __init__(self, folder: Path, state: Path) -> None:
        self.master, self.slave = pty.openpty()
        termios.tcsetwinsize(self.slave, (36, 120))
        self.before = termios.tcgetattr(self.slave)
        self.seen = b""
        self.pid = os.fork()
        if self.pid == 0:
            os.setsid()
            for descriptor in (0, 1, 2):
                os.dup2(self.slave, descriptor)
            os.close(self.master)
            # These would be believed before the terminal itself.
            os.environ.pop("COLUMNS", None)
            os.environ.pop("LINES", None)
            os.environ.update(TERM="xterm-256color", XDG_STATE_HOME=str(state), PYTHONPATH=str(ROOT))
            os.execv(sys.executable, [sys.executable, "-m", "gptoss_tui", str(folder), "--temperature", "0"])

    def until(self, wanted: bytes) -> None:
        """Reads until the program has drawn this."""
        deadline = time.monotonic() + 30
        while wanted not in self.seen:
            assert time.monotonic() < deadline, self.seen[-2000:]
            self.read(0.1)

    def read(self, seconds: float) -> None:
        """Reads what is there."""
        if select.select([self.master], [], [], seconds)[0]:
            self.seen += os.read(self.master, 65536)

    def left(self, reading: bool = True) -> tuple[int, float]:
        """(exit code, seconds) once the program has ended."""
        began = time.monotonic()
        while time.monotonic() - began < 10:
            pid, status = os.waitpid(self.pid, os.WNOHANG)
            if pid:
                return os.waitstatus_to_exitcode(status), time.monotonic() - began
            if reading:
                self.read(0.02)
            else:
                select.select([], [], [], 0.02)
        raise AssertionError("it never left")


@pytest.fixture
def line(tmp_path: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Line]:
    """The program, writing without end."""
    folder = talking_checkpoint(tmp_path_factory.mktemp("rambler"), [RAMBLING])
    line = Line(folder, tmp_path)
    line.until(b"Ask something")
    os.write(line.master, b"Go on\r")
    line.until(b"writing")
    yield line
    os.close(line.slave)


@pytest.mark.parametrize(("number", "code"), [(signal.SIGTERM, 143), (signal.SIGHUP, 129), (signal.SIGINT, 130)])
def test_a_signal_ends_it_and_restores_the_terminal(line: Line, number: int, code: int) -> None:
    os.kill(line.pid, number)
    assert line.left()[0] == code
    while select.select([line.master], [], [], 0.1)[0]:
        line.read(0)
    assert line.seen.rindex(b"\x1b[?1049l") > line.seen.rindex(b"\x1b[?1049h")
    assert termios.tcgetattr(line.slave)[3] == line.before[3]


def test_a_stalled_terminal_keeps_nobody(line: Line) -> None:
    select.select([], [], [], 1.0)
    os.kill(line.pid, signal.SIGTERM)
    assert line.left(reading=False)[0] == 143


def test_a_line_that_is_hung_up_ends_it(line: Line) -> None:
    os.close(line.slave)
    line.slave = os.open(os.devnull, os.O_RDONLY)
    os.close(line.master)
    line.left(reading=False)
