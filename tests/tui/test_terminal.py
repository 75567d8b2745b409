"""What a terminal without the kitty keyboard protocol sends for alt, and what it answers."""

from __future__ import annotations

import time

import pytest
from textual import events

from gptoss_tui.colours import Answers
from gptoss_tui.tui.terminal import BackgroundTold, TerminalParser


def read(sent: str, *, expected: bool = False) -> list[object]:
    """Keys' names and other messages, waiting for what waits."""
    TerminalParser.answers = Answers(expected=expected)
    parser = TerminalParser()
    messages = list(parser.feed(sent))
    deadline = time.monotonic() + 0.5
    while not messages and time.monotonic() < deadline:
        messages += parser.tick()
    return [message.key if isinstance(message, events.Key) else message for message in messages]


@pytest.mark.parametrize(
    ("sent", "keys"),
    [
        ("\x1b\r", ["alt+enter"]),
        ("\x1b1", ["alt+1"]),
        ("\x1br", ["alt+r"]),
        ("\x1bR", ["alt+shift+r"]),
        ("\x1b?", ["alt+question_mark"]),
        ("\x1b\x7f", ["alt+backspace"]),
        ("\x1b", ["escape"]),
        ("\x1b[A", ["up"]),
        ("\x1bOA", ["up"]),
        ("\x1b[114;3u", ["alt+r"]),
        ("ab", ["a", "b"]),
    ],
)
def test_keys(sent: str, keys: list[str]) -> None:
    assert read(sent) == keys


@pytest.mark.parametrize("cut", range(1, 27))
def test_a_paste_is_a_paste_whatever_is_in_it(cut: int) -> None:
    sent = "\x1b[200~a\x1b\r\x1b[Ab\x1b[201~x"
    TerminalParser.answers = Answers(expected=False)
    parser = TerminalParser()
    # A paste's beginning comes in one piece: terminals write it at once.
    cut = max(6, cut)
    messages = [*parser.feed(sent[:cut]), *parser.feed(sent[cut:])]
    paste, key = messages
    assert isinstance(paste, events.Paste)
    assert paste.text == "a\r[Ab"
    assert isinstance(key, events.Key)
    assert key.key == "x"


def test_an_answer_is_no_typing() -> None:
    told, *keys = read("\x1b]11;rgb:ffff/ffff/ffff\x07hi", expected=True)
    assert isinstance(told, BackgroundTold)
    assert told.light
    assert keys == ["h", "i"]
    assert read("\x1b", expected=True) == ["escape"]
