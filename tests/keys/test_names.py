"""What people write for a key becomes one name, and what no terminal sends is refused or told."""

from __future__ import annotations

import time

import pytest
from textual._xterm_parser import XTermParser
from textual.events import Key

from gptoss_tui.keys import KeyNameError, display, key_named
from gptoss_tui.keys.names import sent_instead


@pytest.mark.parametrize(
    ("written", "name"),
    [
        ("ctrl+s", "ctrl+s"),
        ("Ctrl-S", "ctrl+shift+s"),
        ("C-x", "ctrl+x"),
        ("M-x", "alt+x"),
        ("Option+Enter", "alt+enter"),
        ("shift+alt+a", "alt+shift+a"),
        ("alt+A", "alt+shift+a"),
        ("A", "A"),
        ("esc", "escape"),
        ("Return", "enter"),
        ("PgUp", "pageup"),
        ("?", "question_mark"),
        ("+", "plus"),
        ("ctrl++", "ctrl+plus"),
        ("-", "minus"),
        ("ctrl+-", "ctrl+minus"),
        ("alt+/", "alt+slash"),
        ("é", "é"),
        ("↑", "up"),
        ("f12", "f12"),
    ],
)
def test_one_name_for_every_way_to_write_a_key(written: str, name: str) -> None:
    assert key_named(written) == name
    assert key_named(display(name)) == name


@pytest.mark.parametrize(
    ("written", "told"),
    [
        ("", "missing"),
        ("ctrl+", "ctrl"),
        ("cmd+k", "never reaches"),
        ("super+c", "never reaches"),
        ("ctl+k", "did you mean ctrl"),
        ("ctrl+entr", "did you mean enter"),
        ("shift+a", "write A"),
        ("shift+?", "the character itself"),
        ("f99", "no key f99"),
        ("\x07", "no key"),
    ],
)
def test_what_is_no_key_is_refused(written: str, told: str) -> None:
    with pytest.raises(KeyNameError, match=told):
        key_named(written)


@pytest.mark.parametrize("key", ["ctrl+a", "alt+x", "alt+enter", "shift+tab", "ctrl+left", "f5", "q", "alt+shift+up"])
def test_keys_that_every_terminal_sends(key: str) -> None:
    assert sent_instead(key) is None


@pytest.mark.parametrize(
    ("key", "other"),
    [
        ("ctrl+i", "tab"),
        ("ctrl+m", "enter"),
        ("ctrl+h", "backspace"),
        ("shift+enter", "enter"),
        ("ctrl+1", ""),
        ("ctrl+shift+a", ""),
        ("f13", ""),
    ],
)
def test_keys_that_few_terminals_send(key: str, other: str) -> None:
    assert sent_instead(key) == other


@pytest.mark.parametrize(
    ("sent", "key"),
    [
        *((chr(at), f"ctrl+{chr(96 + at)}") for at in range(1, 27) if chr(96 + at) not in "him"),
        ("\x1c", "ctrl+backslash"),
        ("\x1f", "ctrl+underscore"),
        ("\x1b[A", "up"),
        ("\x1b[1;3A", "alt+up"),
        ("\x1b[1;2D", "shift+left"),
        ("\x1b[1;5P", "ctrl+f1"),
        ("\x1b[Z", "shift+tab"),
        ("\x1ba", "alt+a"),
        ("\x1bA", "alt+shift+a"),
    ],
)
def test_textual_reads_these_keys_under_the_same_name(sent: str, key: str) -> None:
    parser = XTermParser()
    events = list(parser.feed(sent))
    deadline = time.monotonic() + 5
    while not events and time.monotonic() < deadline:
        events += parser.tick()
    assert [event.key for event in events if isinstance(event, Key)] == [key]
    assert sent_instead(key) is None
