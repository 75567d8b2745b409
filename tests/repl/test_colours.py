"""How many colours a drawing terminal gets, and that they suit its background."""

from __future__ import annotations

from pathlib import Path

import pytest
from prompt_toolkit.output import ColorDepth

from gptoss_tui.colours import QUESTION
from gptoss_tui.repl.styles import prompt_style
from gptoss_tui.themes import Theme, shipped_themes
from tests.repl.window import Window, script, scripted

ANSWER = "\x1b]11;rgb:ffff/ffff/ffff\x1b\\"


@pytest.mark.parametrize(
    ("env", "wanted", "unwanted"),
    [
        ({"COLORTERM": "truecolor"}, b"38;2;", b"38;5;"),
        ({"COLORTERM": ""}, b"38;5;", b"38;2;"),
        ({"COLORTERM": "", "TERM": "xterm"}, b"\x1b[0;", b"38;"),
        ({"NO_COLOR": "1"}, b"\x1b[", b"38;"),
        ({"CLICOLOR": "0"}, b"\x1b[", b"38;"),
        ({"COLORTERM": "truecolor", "FORCE_COLOR": "2"}, b"38;5;", b"38;2;"),
    ],
)
def test_as_the_environment_has_it(env: dict[str, str], wanted: bytes, unwanted: bytes, tmp_path: Path) -> None:
    with Window(scripted(script(tmp_path, [("final", "Hello")])), folder=tmp_path, env=env) as window:
        window.until_prompt()
        window.until_shown("ready")
        assert wanted in window.terminal.written
        assert unwanted not in window.terminal.written


def test_a_light_background_is_asked_for_and_followed(tmp_path: Path) -> None:
    with Window(scripted(script(tmp_path, [("final", "Hello")])), folder=tmp_path) as window:
        window.until_prompt()
        assert window.terminal.written.count(QUESTION) == 1
        # Among what is typed, and in pieces, as over a slow line.
        window.type("/the" + ANSWER[:9])
        window.type(ANSWER[9:] + "me\r")
        window.until_shown("* gptoss-light")
        # A second one, which nobody has asked for any more, is no typing either.
        window.type(ANSWER)
        window.type("Hi\r")
        window.until_shown("> Hi")


def test_escape_is_a_key_while_the_answer_is_awaited(tmp_path: Path) -> None:
    file = script(tmp_path, [("final", f"word{at} ") for at in range(100_000)])
    with Window(scripted(file, "20"), folder=tmp_path) as window:
        window.until_prompt()
        window.type("Hi\r")
        window.until_shown("writing")
        window.type("\x1b")
        window.until_shown("Stopped.")


@pytest.mark.parametrize("env", [{"COLORFGBG": "0;15"}, {"NO_COLOR": "1"}, {"TERM": "screen-256color", "TMUX": ""}])
def test_who_is_not_asked(env: dict[str, str], tmp_path: Path) -> None:
    with Window(scripted(script(tmp_path, [("final", "Hello")])), folder=tmp_path, env=env) as window:
        window.until_shown("ready")
        assert QUESTION not in window.terminal.written
        window.type("/theme\r")
        window.until_shown("* gptoss-light" if "COLORFGBG" in env else "* gptoss-dark")


@pytest.mark.parametrize("theme", shipped_themes().values(), ids=lambda theme: theme.name)
@pytest.mark.parametrize("depth", [ColorDepth.MONOCHROME, ColorDepth.ANSI_COLORS_ONLY, ColorDepth.DEFAULT])
def test_what_is_marked_is_seen_with_few_colours_too(theme: Theme, depth: ColorDepth) -> None:
    style = prompt_style(theme, depth)
    few = depth is not ColorDepth.DEFAULT
    for marked in ("status.chosen", "selected", "search.current", "completion-menu.completion.current"):
        assert style.get_attrs_for_style_str(f"class:{marked}").reverse == few, marked
    assert style.get_attrs_for_style_str("class:auto-suggestion").dim == (depth is ColorDepth.MONOCHROME)
