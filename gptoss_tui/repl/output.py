"""The terminal as prompt_toolkit writes to it, with three differences: its cursor's place is never asked for; what
belongs together goes out in one write, so that nothing flickers and a slow link sees whole pictures; and text that
would be obeyed does not get through, should it ever come this far."""

from __future__ import annotations

import sys
from contextlib import suppress
from typing import TextIO

from prompt_toolkit.output import ColorDepth
from prompt_toolkit.output.vt100 import Vt100_Output

_OVERRIDES = (*range(0x202A, 0x202F), *range(0x2066, 0x206A))
_OBEYED = dict.fromkeys((*range(32), *range(127, 160), *_OVERRIDES), "?")
for _harmless in (8, 10, 13):
    del _OBEYED[_harmless]  # prompt_toolkit's own way to move


class HeldOutput(Vt100_Output):
    """Between `hold` and `release`, flushing waits."""

    held = False

    @classmethod
    def on(cls, stdout: TextIO, term: str, depth: ColorDepth) -> HeldOutput:
        """For a terminal. Its cursor's place is never asked for: the answer would come late, among what is typed."""
        asked = Vt100_Output.from_pty(stdout, term=term)
        return cls(stdout, asked.get_size, term=term, default_color_depth=depth, enable_cpr=False)

    def write(self, data: str) -> None:
        """Text. What is written as text is never a command."""
        super().write(data if data.isascii() and data.isprintable() else data.translate(_OBEYED))

    def hold(self) -> None:
        """Lets what is written pile up."""
        self.held = True

    def release(self) -> None:
        """Sends all of it."""
        self.held = False
        self.flush()

    def flush(self) -> None:
        """Sends what was written, unless it is held. A terminal that has gone away is noticed by whoever reads it."""
        if not self.held:
            with suppress(OSError):
                super().flush()


def terminal_output(term: str, depth: ColorDepth) -> HeldOutput:
    """Standard output."""
    return HeldOutput.on(sys.stdout, term, depth)
