"""The terminal's size and its pace: small, changing, stalled."""

from __future__ import annotations

import re
import time
from pathlib import Path

import pytest

from gptoss_tui.visible import FOLD
from tests.repl.window import Window, script, scripted

WORDS = [("final", f"word{at} ") for at in range(3_000)]


@pytest.mark.parametrize(("columns", "rows"), [(40, 12), (24, 6), (80, 24), (120, 36)])
def test_every_size_shows_the_answer_the_prompt_and_the_pace(columns: int, rows: int, tmp_path: Path) -> None:
    file = script(tmp_path, WORDS)
    with Window(scripted(file, "100"), folder=tmp_path, columns=columns, rows=rows) as window:
        window.until_prompt()
        window.type("Hi\r")
        window.until_shown("writing")
        window.until_shown("word20")
        window.until(lambda: "tok/s" in window.screen.display[-1] or "tok/s" in window.text.splitlines()[-1])
        assert max(map(len, window.lines)) < columns
        if columns >= 40:
            assert "temperature 1.00" in window.text
        window.type("/layers\r/kv\r")
        window.until_shown("23  full")
        assert max(map(len, window.lines)) < columns
        window.type("more")
        window.until_shown("> more")
        window.type("\x1b")
        window.until_shown("Stopped")


@pytest.mark.parametrize(("columns", "rows"), [(20, 24), (80, 5)])
def test_too_small_is_line_mode(columns: int, rows: int, tmp_path: Path) -> None:
    file = script(tmp_path, [("final", "Hello")])
    with Window(scripted(file), folder=tmp_path, columns=columns, rows=rows) as window:
        window.type("Hi\n")
        window.until_shown("Hello")
        assert b"\x1b" not in window.terminal.written


def test_rows_follow_a_new_width_in_mid_answer(tmp_path: Path) -> None:
    with Window(scripted(script(tmp_path, WORDS), "200"), folder=tmp_path, columns=100) as window:
        window.until_prompt()
        window.type("Hi\r")
        window.until_shown("word60")
        window.resize(50, 30)
        window.until_shown("word400")
        window.resize(90, 30)
        window.until_shown("word800")
        window.type("\x1b")
        window.until_shown("Stopped")
        lines = [line for line in window.lines if line.startswith("word")]
        # Each word once and in order; the emulator cuts the rows that stood there when it was made narrower.
        numbers = [int(at) for line in lines for at in re.findall(r"word(\d+)", line)]
        later = numbers[numbers.index(400) :]
        assert later == list(range(400, later[-1] + 1))
        late = [line for line in lines if "word700" in line]
        assert len(late[0]) > 50


@pytest.mark.parametrize("options", [(), ("--plain",)])
def test_a_stalled_terminal_neither_stops_the_model_nor_loses_a_token(options: tuple[str, ...], tmp_path: Path) -> None:
    count, stall_s = 10_000, 4.0
    # 90 KB of words are far more than what the system holds for a terminal.
    words = [("final", f"word{at} ") for at in range(count)]
    file = script(tmp_path, [*words, ("final", "the end.")])
    with Window(scripted(file, str(count), *options), folder=tmp_path, columns=100) as window:
        window.until_shown("gptoss" if options else "ready")
        window.type("Hi\r")
        window.until_shown("word0 ")
        # Nobody reads until nothing more arrives, and for much longer than the model needs.
        began, held = time.monotonic(), -1
        while (now := window.terminal.waiting) != held or time.monotonic() - began < stall_s:
            held = now
            time.sleep(0.2)
        window.until_shown("first token")
        figures = next(line for line in window.lines if "first token" in line)
        per_second = float(figures.split(" · ")[1].split()[0].replace(",", ""))
        assert count / per_second < stall_s - 1, "the model was held up"
        answer = "".join(line for line in window.lines).replace(FOLD, "")
        assert [int(at) for at in re.findall(r"word(\d+)", answer)] == list(range(count))
        assert "the end." in answer
