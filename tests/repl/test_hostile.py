"""Whatever a model writes, the terminal obeys none of it: through a real emulator, in both forms of the REPL."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.hostile import ATTACKS, FLOODS, NAME, assert_only_drawing, assert_plain, pieces
from tests.repl.window import Window, repl, script, scripted


def written(*names: str) -> list[tuple[str, str]]:
    """All these attacks, as thinking, as a call's arguments would come, and as the answer."""
    tokens = [token for name in names for token in (f"\n{name}: ", *pieces(name))]
    return [(channel, token) for channel in ("analysis", "final") for token in tokens]


def test_nothing_is_obeyed(tmp_path: Path) -> None:
    file = script(tmp_path, [*written(*(name for name in ATTACKS if name not in FLOODS)), ("final", "\nthe end.")])
    with Window(scripted(file), folder=tmp_path) as window:
        check(window)
        # What stood above is still there.
        assert window.lines[0] == "/help lists keys and commands."
        assert "␛[2J␛[H␛[31mred␛[?1049h" in window.text


@pytest.mark.parametrize("name", FLOODS)
def test_a_flood(name: str, tmp_path: Path) -> None:
    with Window(scripted(script(tmp_path, [*written(name), ("final", "\nthe end.")])), folder=tmp_path) as window:
        check(window)
        assert len(window.terminal.written) < 1_000_000


def check(window: Window) -> None:
    """Has the answer written, looks at what came to the terminal, and leaves."""
    window.until_prompt()
    window.type("Hi\r")
    window.until_shown("the end.")
    window.until_shown("ready")
    assert window.screen.title == ""
    assert_only_drawing(window.terminal.written)
    window.type("/quit\r")
    assert window.terminal.wait() == 0
    assert window.terminal.attributes == window.terminal.before


def test_nothing_is_obeyed_in_line_mode(tmp_path: Path) -> None:
    file = script(tmp_path, [*written(*ATTACKS), ("final", "\nthe end.")])
    with Window(scripted(file, "--plain"), folder=tmp_path, columns=80, rows=24) as window:
        window.type("Hi\n")
        window.until_shown("the end.")
        assert_plain(window.terminal.written.decode())


def test_what_is_pasted_is_not_obeyed_either(tmp_path: Path) -> None:
    with Window(scripted(script(tmp_path, [("final", "the end.")])), folder=tmp_path) as window:
        window.until_shown("ready")
        text = "".join(ATTACKS[name] for name in ATTACKS if name not in FLOODS)
        # Bracketed paste: a terminal leaves out what would end it.
        window.type(f"\x1b[200~{text}\x1b[201~")
        window.until_shown("red")
        window.type("\r")
        check_shown(window)


def test_a_large_paste_is_one_prompt(tmp_path: Path) -> None:
    with Window(scripted(script(tmp_path, [("final", "the end.")])), folder=tmp_path) as window:
        window.until_shown("ready")
        window.terminal.paste("\x1b[200~" + "a line of text\r" * 3_000 + "last\x1b[201~")
        window.until_shown("  last")
        window.type("\r")
        check_shown(window)
        assert "… 2,991 more lines" in window.text


def check_shown(window: Window) -> None:
    """The answer came, and nothing but drawing."""
    window.until_shown("the end.")
    assert window.screen.title == ""
    assert_only_drawing(window.terminal.written)


@pytest.mark.parametrize("options", [(), ("--plain",)])
def test_names_and_faults_are_not_obeyed(options: tuple[str, ...], tmp_path: Path) -> None:
    folder = tmp_path / NAME
    folder.mkdir()
    (folder / "config.json").write_text('{"model_type": "\\u001b[2J"}')
    with Window(repl(*options, folder), folder=tmp_path) as window:
        window.until_shown("␛")
        assert window.screen.title == ""
        (assert_plain if options else lambda text: assert_only_drawing(text.encode()))(window.terminal.written.decode())
