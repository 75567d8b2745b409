"""What a terminal can show and how light it is: from its environment, and from its answer among what is typed."""

from __future__ import annotations

import os
import pty
import sys
import termios
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gptoss_tui.colours import ALL_COLOURS, Answers, answers_questions, background_is_light, colours

ANSWER = "\x1b]11;rgb:fafa/fafa/fafa\x1b\\"


@pytest.mark.parametrize(
    ("environment", "count"),
    [
        ({"TERM": "xterm-256color", "NO_COLOR": "1"}, 0),
        ({"TERM": "xterm-256color", "NO_COLOR": ""}, 256),
        ({"TERM": "xterm", "COLORTERM": "truecolor"}, ALL_COLOURS),
        ({"TERM": "xterm-direct"}, ALL_COLOURS),
        ({"TERM": "xterm-kitty"}, 256),
        ({"TERM": "screen"}, 16),
        ({}, 16),
        ({"CLICOLOR": "0", "COLORTERM": "truecolor"}, 0),
        ({"CLICOLOR": "0", "CLICOLOR_FORCE": "1", "TERM": "xterm-256color"}, 256),
        ({"FORCE_COLOR": "0", "COLORTERM": "truecolor"}, 0),
        ({"FORCE_COLOR": "3", "TERM": "xterm"}, ALL_COLOURS),
        ({"FORCE_COLOR": "2", "NO_COLOR": "1"}, 0),
        ({"STY": "1.tty", "TERM": "screen-256color", "COLORTERM": "truecolor"}, 256),
        ({"LC_TERMINAL": "iTerm2", "TERM": "xterm-256color"}, ALL_COLOURS),
    ],
)
def test_how_many_colours(environment: dict[str, str], count: int) -> None:
    assert colours(environment) == count


@pytest.mark.parametrize(("told", "light"), [("0;15", True), ("15;0", False), ("15;default", None), ("", None)])
def test_colorfgbg(told: str, light: bool | None) -> None:
    assert background_is_light({"COLORFGBG": told}) is light


def test_who_is_asked() -> None:
    asked = [
        term for term in ("xterm-256color", "dumb", "linux", "screen", "", "foot") if answers_questions({"TERM": term})
    ]
    assert asked == ["xterm-256color", "foot"]
    assert answers_questions({"TERM": "screen", "TMUX": "/tmp/tmux,1,0"})


@pytest.mark.parametrize(
    ("answer", "light"),
    [
        (ANSWER, True),
        ("\x1b]11;rgb:0000/0000/0000\x07", False),
        ("\x1b]11;rgb:f/f/f\x07", True),
        ("\x1b]11;rgba:1e1e/1e1e/1e1e/ffff\x1b\\", False),
    ],
)
def test_an_answer_is_understood_and_no_typing(answer: str, light: bool) -> None:
    assert Answers().take(f"ab{answer}c") == ("abc", light)


@given(st.integers(1, len(ANSWER) - 1), st.text("ab\r\x1b[A", max_size=6), st.text("xy", max_size=3))
def test_an_answer_in_two_pieces_is_understood_too(cut: int, before: str, after: str) -> None:
    answers = Answers()
    first, none = answers.take(before + ANSWER[:cut])
    second, light = answers.take(ANSWER[cut:] + after)
    assert none is None
    assert light is True
    assert first + second == before + after


def test_the_beginning_of_an_answer_that_is_none_is_typing() -> None:
    answers = Answers()
    assert answers.take("a\x1b]") == ("a", None)
    assert answers.take("b") == ("\x1b]b", None)
    assert answers.take("\x1b") == ("", None)
    typed = ""
    while not typed:
        typed = answers.released()
    assert typed == "\x1b"
    assert Answers(expected=False).take("\x1b]11") == ("\x1b]11", None)


def test_the_terminal_is_asked_and_left_as_it_was(tmp_path: Path) -> None:
    master, slave = pty.openpty()
    before = termios.tcgetattr(slave)
    pid = os.fork()
    if pid == 0:
        for descriptor in (0, 1):
            os.dup2(slave, descriptor)
        code = (
            "import termios, sys\n"
            "from gptoss_tui.colours import background_asked\n"
            "with background_asked({'TERM': 'xterm'}) as asked:\n"
            "    assert asked and not termios.tcgetattr(0)[3] & termios.ECHO\n"
            "with background_asked({}) as asked:\n"
            "    assert not asked\n"
        )
        os.execv(sys.executable, [sys.executable, "-c", code])
    assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 0
    assert os.read(master, 100) == b"\x1b]11;?\x1b\\"
    assert termios.tcgetattr(slave) == before
    os.close(slave)
    os.close(master)
