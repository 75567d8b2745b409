"""Runs the program as a person does, in a process of its own, on a pipe or on a terminal."""

from __future__ import annotations

import fcntl
import json
import os
import pty
import select
import signal
import struct
import subprocess
import sys
import termios
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]

PATIENCE_S = 60.0
"""After this long something hangs. No test waits for it where all is well."""


@dataclass(frozen=True, slots=True)
class Result:
    """What came of it."""

    code: int
    out: str
    err: str

    @property
    def events(self) -> list[dict[str, Any]]:
        """Standard output as JSON Lines, as strictly as JSON has it."""
        return [json.loads(line, parse_constant=_refuse) for line in self.out.splitlines()]


def gptoss(*args: object, stdin: bytes | None = b"", env: Mapping[str, str] | None = None) -> Result:
    """Runs `gptoss` with these arguments; `stdin` None closes it."""
    done = subprocess.run(
        command(*args, stdin_closed=stdin is None),
        input=stdin,
        capture_output=True,
        env=environment(env),
        timeout=PATIENCE_S,
        check=False,
    )
    return Result(done.returncode, done.stdout.decode(), done.stderr.decode())


def command(*args: object, stdin_closed: bool = False) -> list[str]:
    """The command line of it."""
    program = [sys.executable, "-m", "gptoss_tui", *map(str, args)]
    return ["sh", "-c", 'exec "$@" <&-', "sh", *program] if stdin_closed else program


def environment(changes: Mapping[str, str] | None = None) -> dict[str, str]:
    """This process's, with a Hugging Face cache that holds nothing and with this working tree's program."""
    # A size in the environment would be believed before the pseudo-terminal's own.
    present = {name: value for name, value in os.environ.items() if name not in ("COLUMNS", "LINES")}
    ours = {"HF_HUB_CACHE": "/nonexistent", "TERM": "xterm-256color", "PYTHONPATH": str(ROOT)}
    return {**present, **ours, **(changes or {})}


def assert_fault(result: Result, message: str) -> None:
    """One clear line with `message` in it, a hint under it, exit code 1, no traceback, nothing on standard output."""
    lines = result.err.splitlines()
    assert result.code == 1, result
    assert "Traceback" not in result.err
    assert [line[:8] for line in lines[:1]] == ["gptoss: "], result.err
    assert message in lines[0]
    assert len(lines) == 2, result.err
    assert lines[1].startswith("  ")
    assert lines[1].strip()
    assert result.out == ""


class Terminal:
    """A program on a pseudo-terminal of its own, and all that it has written there."""

    def __init__(self, argv: list[str], *, columns: int = 100, rows: int = 30, **popen: Any) -> None:
        self._master, slave = pty.openpty()
        fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))
        self.before = termios.tcgetattr(slave)
        self.written = b""
        streams = {"stdin": slave, "stdout": slave, "stderr": slave, "env": environment(), **popen}
        popen = {"preexec_fn": _take_terminal, "start_new_session": True, **streams}
        self.process = subprocess.Popen(argv, **popen)
        self._slave = slave

    def __enter__(self) -> Terminal:
        return self

    def __exit__(self, *exc: object) -> None:
        self.process.kill()
        self.process.wait()
        self.hang_up()

    def hang_up(self) -> None:
        """The line drops, as when a connection is lost: nobody is at the other end any more."""
        for descriptor in (self._slave, self._master):
            with suppress(OSError):  # it is closed already
                os.close(descriptor)

    @property
    def attributes(self) -> list[Any]:
        """The terminal's settings now."""
        return termios.tcgetattr(self._slave)

    def resize(self, columns: int, rows: int) -> None:
        """Makes the window another size; the program is told by a signal."""
        fcntl.ioctl(self._slave, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))

    @property
    def waiting(self) -> int:
        """Bytes that the program wrote and nobody has read."""
        size = fcntl.ioctl(self._master, termios.FIONREAD, struct.pack("i", 0))
        return int(struct.unpack("i", size)[0])

    def read(self, seconds: float = 0.05) -> None:
        """Takes what the program writes, waiting no longer than this for it."""
        if select.select([self._master], [], [], seconds)[0]:
            self.written += os.read(self._master, 65536)

    def read_until(self, condition: Callable[[bytes], bool]) -> None:
        """Takes what it writes until `condition` holds of all of it."""
        deadline = time.monotonic() + PATIENCE_S
        while not condition(self.written):
            assert time.monotonic() < deadline, f"it never came; so far: {self.written!r}"
            self.read()

    def type(self, keys: bytes) -> None:
        """Presses keys."""
        os.write(self._master, keys)

    def paste(self, text: str) -> None:
        """Types much at once; what the program writes meanwhile is taken, or both would wait for each other."""
        left = text.encode()
        while left:
            self.read(0)
            left = left[os.write(self._master, left[:1024]) :]

    def wait(self) -> int:
        """Its exit code, once it has left. What it writes meanwhile is taken, so that it is not held up."""
        self.read_until(lambda written: self.process.poll() is not None)
        self.read()
        return self.process.returncode


def heed_signals() -> None:
    """For `preexec_fn`: whoever runs the tests in the background has had SIGINT ignored."""
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_DFL)


def _take_terminal() -> None:
    """Makes standard input the controlling terminal, as a shell does."""
    fcntl.ioctl(0, termios.TIOCSCTTY, 0)


def _refuse(constant: str) -> None:
    raise AssertionError(f"{constant} is no JSON")


def rewrite(path: Path, change: Callable[[dict[str, Any]], object]) -> None:
    """Changes a JSON file in place."""
    fields = json.loads(path.read_text())
    change(fields)
    path.write_text(json.dumps(fields))
