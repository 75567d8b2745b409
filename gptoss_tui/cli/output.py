"""Standard output as a command writes it: UTF-8, flushed, and quiet once nobody reads it any more."""

from __future__ import annotations

import io
import os
import sys

from gptoss_tui.errors import GptOssError


class ClosedPipe(Exception):
    """Nobody reads standard output any more, as after `| head`. Not a fault."""


class Output:
    """Writes text to standard output. Raises `ClosedPipe`, or `GptOssError` where it cannot be written otherwise."""

    def __init__(self) -> None:
        if sys.stdout is None:
            raise GptOssError("Standard output is closed", "Let it go to a terminal, a file or a pipe.")
        self._stream = sys.stdout
        self.terminal = self._stream.isatty()
        """Whether a person sees it directly."""
        if isinstance(self._stream, io.TextIOWrapper):
            # On a terminal its own encoding decides what it can show.
            self._stream.reconfigure(encoding=None if self.terminal else "utf-8", errors="replace")

    def write(self, text: str) -> None:
        """Writes and flushes."""
        try:
            self._stream.write(text)
            self._stream.flush()
        except BrokenPipeError:
            self._give_up()
            raise ClosedPipe from None
        except OSError as error:
            self._give_up()
            raise GptOssError(
                f"Standard output cannot be written: {error.strerror}", "Check the disk, or where it is redirected to."
            ) from None

    def _give_up(self) -> None:
        """Lets what is still buffered go nowhere, or Python would try, and complain, as it ends."""
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, self._stream.fileno())
        os.close(nowhere)
