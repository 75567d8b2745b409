"""`/help` in the REPL: whole words in columns, at every width, and true of the REPL."""

from __future__ import annotations

import pytest

from gptoss_tui.chat.commands import COMMANDS
from gptoss_tui.keys import Keymap
from gptoss_tui.repl.help import two_columns
from gptoss_tui.repl.keys import keys_help

ROWS = [(command.usage, command.help) for command in COMMANDS]


@pytest.mark.parametrize("width", [22, 38, 77, 100, 1_000])
@pytest.mark.parametrize("rows", [ROWS, keys_help(Keymap())])
def test_every_width(rows: list[tuple[str, str]], width: int) -> None:
    lines = two_columns(rows, width)
    names = [name for name, _ in rows]
    assert all(len(line) <= width or line in names for line in lines)
    # What is broken goes on under its own column, never under the names.
    begun = [line for line in lines if not line.startswith(" ")]
    assert all(line.startswith(name) for line, name in zip(begun, names, strict=True))
    assert " ".join(" ".join(lines).split()) == " ".join(" ".join(f"{name} {text}" for name, text in rows).split())


def test_the_keys_do_what_the_repl_does() -> None:
    told = " ".join(text for _, text in keys_help(Keymap()))
    assert "pane" not in told
    assert "selected" not in told
