"""Whatever a model writes, the terminal under the interface obeys none of it: through a real emulator."""

from __future__ import annotations

import re
import sys
from pathlib import Path

import pytest

from tests.hostile import ATTACKS, FLOODS, pieces
from tests.repl.window import Window, script

# All that Textual sends by itself: cursor, colours, erasing, modes and questions about them, how keys are told, and the
# pointer's shape.
_OWN = re.compile(
    r"\x1b\[[?>=<]?[0-9;:]*(?:\$p|[A-HJKSTfhlmnqrstu])|\x1b\]22;[a-z-]+(?:\x07|\x1b\\)|\x1b[=>78]|[\r\n\x08]"
)
_CONTROLS = re.compile("[\x00-\x09\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")


@pytest.mark.parametrize(
    "names", [tuple(each for each in ATTACKS if each not in FLOODS), *((each,) for each in FLOODS)]
)
def test_nothing_is_obeyed(names: tuple[str, ...], tmp_path: Path) -> None:
    tokens = [token for name in names for token in (f"\n\n{name}: ", *pieces(name))]
    written = [(channel, token) for channel in ("analysis", "final") for token in tokens]
    file = script(tmp_path, [*written, ("final", "\n\nthe end")])
    argv = [sys.executable, "-m", "tests.tui.scripted_app", str(file)]
    with Window(argv, folder=tmp_path, columns=100, rows=30) as window:
        window.until_shown("Ask something")
        before = sent(window)
        window.type("attack\r")
        window.until_shown("the end")
        window.until(lambda: "idle" in window.screen.display[0])
        # pyte takes OSC 22, the pointer's shape, for a title.
        assert window.screen.title in ("", ";default")
        # The first row and the last are the interface's own, and stand where they stood. The program's name gives way
        # where the scripted model's speed takes its room.
        assert re.match(r" (?:gptoss  )?gpt-oss-20b-MLX-4bit  4\.50 bit", window.screen.display[0])
        window.until(lambda: "help" in window.screen.display[-1])
        # While it was written nothing was sent but drawing, colours, the pointer and synchronised output.
        assert sent(window) - before <= {"m", "H", "A", "B", "C", "D", "J", "K", "?25h", "?25l", "?2026h", "?2026l"}
        window.type("\x11")
        window.terminal.wait()
        assert window.terminal.attributes == window.terminal.before


def sent(window: Window) -> set[str]:
    """The kinds of sequences that came to the terminal; fails for a control that Textual does not send by itself."""
    text = window.terminal.written.decode(errors="replace")
    # What was read may end within a sequence.
    rest = _OWN.sub("", re.sub(r"\x1b(?:\[[0-9;:?]*|\][^\x07\x1b]*)?\Z", "", text))
    found = _CONTROLS.search(rest)
    assert found is None, rest[max(0, found.start() - 30) :][:80]
    modes = set(re.findall(r"\x1b\[([?>=<][0-9;:$]*[A-Za-z])", text))
    return modes | set(re.findall(r"\x1b\[[0-9;:]*([A-Za-z])", text))
