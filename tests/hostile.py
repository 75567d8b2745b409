"""What a hostile model, file or name may hold, and how to tell whether a terminal obeyed any of it.

One list for both front ends, for `gptoss run`, and for the table in docs/terminals.md.
"""

from __future__ import annotations

import re

from gptoss_tui.colours import QUESTION

ATTACKS = {
    "C0 controls": "".join(map(chr, range(32))) + "\x7f",
    "C1 controls": "".join(map(chr, range(128, 160))),
    "CSI": "\x1b[2J\x1b[H\x1b[31mred\x1b[?1049h\x1b[?25l\x1b[5;10r\x1b[?1000h\x9b2J\x1b[6n\x1b[c",
    "window title (OSC 0, 2)": "\x1b]0;owned\x07\x1b]2;owned\x1b\\",
    "hyperlink (OSC 8)": "\x1b]8;;http://evil.test\x1b\\link\x1b]8;;\x1b\\",
    "clipboard (OSC 52)": "\x1b]52;c;b3duZWQ=\x07",
    "colours and questions (OSC 4, 10, 11)": "\x1b]4;1;#fff\x07\x1b]10;#000\x07\x1b]11;?\x07\x1b]1337;File=x:\x07",
    "DCS, APC, PM, SOS": '\x1bP$q"p\x1b\\\x1b_Gq=1\x1b\\\x1b^x\x1b\\\x1bXx\x1b\\\x90q\x9c\x9fG\x9c',
    "unterminated": "\x1b]0;never ended",
    "reset, character sets": "\x1bc\x1b#8\x0e\x1b(0\x1b)0\x0f\x1b7\x1b8\x1bD\x1bM",
    "bidirectional overrides": "user\u202egpj.exe\u2066\u2069\u200f",
    "zero-width flood": "a" + "\u0301" * 5_000 + "\u200b" * 5_000 + "\ufeff",
    "endless line": "x" * 100_000,
    "endless wide line": "字" * 20_000,
    "Markdown around them": "```\x1b[2J\n\x1b]0;a\x07\n```\n| \x1b[2J |\n|---|\n[\x1b[2J](\x1b]0;a\x07)\n**\x1b[2J**",
    "markup": "[bold red]x[/] [@click=app.quit]y[/] [/nonsense] <style>*{}</style>",
}
"""By the name that the table in docs/terminals.md has for it."""
FLOODS = ("zero-width flood", "endless line", "endless wide line")
"""Those that are long: cut into single characters they would take minutes."""

NAME = "\x1b]0;owned\x07\x1b[2J\u202emodel"
"""A name of a file or a folder, as an archive could bring it."""

_SEEN = re.compile("[\x00-\x09\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")
_DRAWING = re.compile(r"\x1b\[(?:\?(?:2004|25|7|12|1)[hl]|[0-9;]*[mABCDGHJK])|[\r\n\x08]")


def pieces(name: str) -> list[str]:
    """The attack as tokens would cut it: into single characters, so that a sequence is split at every place."""
    text = ATTACKS[name]
    size = 997 if name in FLOODS else 1
    return [text[at : at + size] for at in range(0, len(text), size)]


def assert_plain(text: str) -> None:
    """Nothing in it but text and line ends."""
    found = _SEEN.search(text.replace("\r\n", "\n"))
    assert found is None, text[max(0, found.start() - 30) :][:80]


def assert_only_drawing(written: bytes) -> None:
    """Beside text only what a program sends that draws on lines: cursor, colours, erasing downwards, and the modes that
    it takes back. The whole screen is never erased."""
    text = written.replace(QUESTION, b"", 1).decode()
    assert_plain(_DRAWING.sub("", text))
    assert "\x1b[2J" not in text
