"""Whatever a model writes, the terminal obeys none of it: through a real emulator, in both forms of the REPL."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.repl.window import Window, script, scripted

HOSTILE = {
    "C0": "".join(map(chr, range(32))),
    "C1": "".join(map(chr, range(127, 160))),
    "CSI": "\x1b[2J\x1b[H\x1b[31mred\x1b[?1049h\x1b[?25l\x9b2J",
    "title": "\x1b]0;owned\x07\x1b]8;;http://evil.test\x1b\\link\x1b]8;;\x1b\\",
    "clipboard": "\x1b]52;c;b3duZWQ=\x07",
    "device control": '\x1bP$q"p\x1b\\\x1b_Gq=1\x1b\\\x1b^x\x1b\\\x1bXx\x1b\\',
    "unterminated": "\x1b]0;never ended",
    "reset": "\x1bc\x1b#8\x0e\x1b(0",
    "bidirectional": "user\u202egpj.exe\u2066\u2069",
    "zero width": "a" + "\u0301" * 5_000 + "\u200b" * 5_000 + "\ufeff",
    "long line": "x" * 100_000,
    "markdown": "```\x1b[2J\n\x1b]0;a\x07\n```\n| \x1b[2J | b |\n|---|---|\n[\x1b[2J](\x1b]0;a\x07)\n**\x1b[2J**",
}


FLOODS = ("zero width", "long line")


def test_nothing_is_obeyed(tmp_path: Path) -> None:
    # Cut into the smallest tokens, so that every sequence comes in pieces.
    tokens = [char for kind, text in HOSTILE.items() if kind not in FLOODS for char in f"{kind}: {text}\n"]
    pieces = [("analysis", token) for token in tokens] + [("final", token) for token in tokens]
    with Window(scripted(script(tmp_path, [*pieces, ("final", "\nthe end.")])), folder=tmp_path) as window:
        check(window)
        # What stood above is still there.
        assert window.lines[0] == "/help lists keys and commands."
        assert "␛[2J␛[H␛[31mred␛[?1049h" in window.text


@pytest.mark.parametrize("kind", FLOODS)
def test_a_flood(kind: str, tmp_path: Path) -> None:
    text = HOSTILE[kind]
    tokens = [text[at : at + 997] for at in range(0, len(text), 997)]
    pieces = [
        *(("analysis", token) for token in tokens),
        *(("final", token) for token in tokens),
        ("final", "\nthe end."),
    ]
    with Window(scripted(script(tmp_path, pieces)), folder=tmp_path) as window:
        check(window)
        assert len(window.terminal.written) < 1_000_000


def check(window: Window) -> None:
    """Has the answer written, looks at what came to the terminal, and leaves."""
    window.until_prompt()
    window.type("Hi\r")
    window.until_shown("the end.")
    window.until_shown("ready")
    assert window.screen.title == ""
    assert_harmless(window.terminal.written)
    window.type("/quit\r")
    assert window.terminal.wait() == 0
    assert window.terminal.attributes == window.terminal.before


def test_nothing_is_obeyed_in_line_mode(tmp_path: Path) -> None:
    text = "".join(text for kind, text in HOSTILE.items() if kind not in ("long line", "zero width"))
    pieces = [("analysis", char) for char in text] + [("final", char) for char in text] + [("final", "\nthe end.")]
    with Window(scripted(script(tmp_path, pieces), "--plain"), folder=tmp_path, columns=80, rows=24) as window:
        window.type("Hi\n")
        window.until_shown("the end.")
        controls = set(window.terminal.written.decode()) & {*map(chr, range(32)), *map(chr, range(127, 160))}
        assert controls <= {"\r", "\n"}
        assert "\u202e" not in window.terminal.written.decode()


def assert_harmless(written: bytes) -> None:
    """Only what the REPL itself sends: cursor, colours, erasing downwards, and modes that it takes back."""
    text = written.decode()
    own = re.compile(r"\x1b\[(?:\?(?:2004|25|7|12|1)[hl]|[0-9;]*[mABCDJK])|[\r\n\x08]")
    rest = own.sub("", text)
    controls = {char for char in rest if char < " " or "\x7f" <= char < "\xa0"}
    assert not controls, {char: rest[max(0, rest.index(char) - 20) :][:60] for char in controls}
    # The whole screen is never erased, and no line is drawn from the right.
    assert "\x1b[2J" not in text
    assert not {"\u202e", "\u2066", "\u2069"} & set(text)
