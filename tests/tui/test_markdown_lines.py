"""An answer under way looks like the finished one, and lines are compared cell by cell."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.segment import Segment
from rich.style import Style
from textual.strip import Strip

from gptoss_tui.tui.diff import changed
from gptoss_tui.tui.markdown_lines import finished_until, lines, parted


def _plain(source: str, width: int = 40) -> list[str]:
    return [line.plain.rstrip() for line in lines(source, width)]


@pytest.mark.parametrize(
    ("source", "drawn"),
    [
        ("**bold** and `code`", ["bold and code"]),
        ("# Title\n\ntext", ["Title", "", "text"]),
        ("- one\n- two\n  - deep\n", ["• one", "• two", "  ▪ deep"]),
        ("3. three\n4. four", ["3. three", "4. four"]),
        ("> said\n> so", ["▌ said so"]),
        ("```python\nx = 1\n\ny = 2\n```", [" x = 1", "", " y = 2"]),
        ("| a | b |\n|---|---|\n| 1 | 2 |", ["| a | b |", "|---|---|", "| 1 | 2 |"]),
        ("<b>tag</b>", ["<b>tag</b>"]),
        ("[link](http://x) ~~no~~", ["link no"]),
        ("```py\nunfinished", [" unfinished"]),
    ],
)
def test_constructs_are_drawn(source: str, drawn: list[str]) -> None:
    assert _plain(source) == drawn


def test_long_items_hang_under_their_text() -> None:
    assert _plain("- one two three four", 12) == ["• one two", "  three four"]


@given(st.text(max_size=200), st.integers(8, 60))
def test_any_text_is_drawn_within_its_width(source: str, width: int) -> None:
    assert all(line.cell_length <= max(width, 16) for line in lines(source, width))


def test_only_the_last_block_may_still_change() -> None:
    source = "First.\n\nSecond *unfini"
    assert source[: finished_until(source)] == "First.\n\n"
    assert finished_until("- a\n\n- b") == 0
    assert finished_until("```\na\n\nb") == 0


def _strip(*parts: tuple[str, str]) -> Strip:
    return Strip([Segment(text, Style.parse(style)) for text, style in parts])


def test_rows_of_one_make_up_are_compared_piece_by_piece() -> None:
    before = _strip(("  1 ", "red"), ("same", "blue"), (" 12", "red"), ("x", "red"))
    after = _strip(("  2 ", "red"), ("same", "blue"), (" 13", "red"), ("y", "red"))
    assert changed(before, after) == [(0, 4), (8, 4)]
    assert changed(before, before) == []


def test_other_lines_are_compared_from_their_first_difference_on() -> None:
    before = _strip(("same", "blue"), ("abc", "red"), ("     ", ""))
    after = _strip(("same", "blue"), ("abcdef", "red"), ("  ", ""))
    assert changed(before, after) == [(4, 8)]


@pytest.mark.parametrize(
    ("opening", "line"),
    [("```python\n", "value = 1\n"), ("| a | b |\n|---|---|\n", "| 1 | 2 |\n"), ("", "- an item\n")],
)
def test_a_long_block_is_parted_and_goes_on_as_it_began(opening: str, line: str) -> None:
    source = opening + line * 100 + line[:3]
    block, rest = parted(source, 500)
    assert block == opening + line * 100
    assert rest == opening + line[:3]
    assert parted(rest, 500) == ("", rest)
    assert parted("x" * 1_000, 500) == ("", "x" * 1_000)
