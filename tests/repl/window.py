"""The REPL on a pseudo-terminal, seen through a terminal emulator: what a person has before their eyes."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from itertools import islice
from pathlib import Path
from typing import Any

import pyte

from tests.cli.program import Terminal, command, environment

PATIENCE_S = 15.0
"""After this long something hangs. No test waits for it where all is well."""


class Window:
    """`gptoss repl` in a window of its own."""

    def __init__(
        self,
        argv: list[str],
        *,
        folder: Path,
        columns: int = 100,
        rows: int = 30,
        env: Mapping[str, str] | None = None,
    ) -> None:
        """`folder` holds the state of this one, its prompt history among it."""
        ours = {"XDG_STATE_HOME": str(folder), "XDG_CONFIG_HOME": str(folder), "HOME": str(folder), **(env or {})}
        self.terminal = Terminal(argv, columns=columns, rows=rows, env=environment(ours))
        self._screen = pyte.HistoryScreen(columns, rows, history=50_000, ratio=0.5)
        self._stream = pyte.ByteStream(self._screen)
        self._fed = 0
        self._above: list[str] = []

    def __enter__(self) -> Window:
        return self

    def __exit__(self, *exc: object) -> None:
        self.terminal.__exit__(*exc)

    @property
    def lines(self) -> list[str]:
        """Everything from the beginning of the scrollback to the last row."""
        self._stream.feed(self.terminal.written[self._fed :])
        self._fed = len(self.terminal.written)
        # What has scrolled away does not change.
        for row in islice(self._screen.history.top, len(self._above), None):
            self._above.append("".join(row[at].data for at in range(self._screen.columns)).rstrip())
        return [*self._above, *(line.rstrip() for line in self._screen.display)]

    @property
    def text(self) -> str:
        """The same as one text."""
        return "\n".join(self.lines)

    @property
    def screen(self) -> Any:
        """The emulator."""
        assert self.lines is not None
        return self._screen

    def resize(self, columns: int, rows: int) -> None:
        """Makes the window another size."""
        assert self.lines is not None
        self._screen.resize(rows, columns)
        self.terminal.resize(columns, rows)

    def until(self, condition: Callable[[], bool]) -> None:
        """Reads what the program writes until `condition` holds."""
        deadline = time.monotonic() + PATIENCE_S
        while not condition():
            assert time.monotonic() < deadline, f"it never came; on the screen:\n{self.text}"
            self.terminal.read()

    def until_shown(self, text: str, times: int = 1) -> None:
        """Reads until `text` stands there so many times."""
        self.until(lambda: self.text.count(text) >= times)

    def until_prompt(self) -> None:
        """Reads until the prompt stands there: from then on keys are the program's."""
        self.until(lambda: any(line == ">" for line in self.lines))

    def type(self, text: str) -> None:
        """Presses keys."""
        self.terminal.type(text.encode())


def repl(*args: object) -> list[str]:
    """The command line of it."""
    return command("repl", *args)


def script(folder: Path, pieces: Sequence[tuple[str, str]]) -> Path:
    """Writes what the model is to write, as (channel, text) of each token."""
    file = folder / "script.json"
    file.write_text(json.dumps(list(pieces)))
    return file


def scripted(file: Path, *options: str) -> list[str]:
    """The command line of the REPL on a script: see `tests.repl.scripted`."""
    return [sys.executable, "-m", "tests.repl.scripted", str(file), *options]
