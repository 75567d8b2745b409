"""Terminals that take what they are sent slowly, or for a while not at all; and what is sent at all."""

from __future__ import annotations

import json
import time
from pathlib import Path

import pyte
import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.color import ColorSystem
from rich.console import Console
from rich.segment import Segment
from rich.style import Style
from textual.strip import Strip

from gptoss_tui.tui.pacer import LOW_INSTRUMENTS_S, LOW_S, Pacer
from gptoss_tui.tui.pen import Pen
from tests.benchmarks.tui_terminal import Terminal

TOKENS, PACE = 6_000, 600.0
"""Ten seconds in which nobody reads."""
COLUMNS, ROWS = 250, 70


def test_a_stalled_terminal_neither_stops_the_model_nor_loses_a_token(tmp_path: Path) -> None:
    report = tmp_path / "report.json"
    screen = pyte.Screen(COLUMNS, ROWS)
    stream = pyte.ByteStream(screen)
    with Terminal("tests.tui.writing_child", [str(report), str(TOKENS), str(PACE)], COLUMNS, ROWS) as terminal:
        seen = terminal.read(30, until=b"writing") or b""
        # From here on nobody reads. The answer is written, shown and reported all the same.
        deadline = time.monotonic() + 60
        while not report.exists():
            assert time.monotonic() < deadline, "the interface waits for the terminal"
            time.sleep(0.05)
        told = json.loads(report.read_text())
        assert told["behind"]
        assert told["answer"].split() == [f"n{number}" for number in range(TOKENS)]
        assert told["took_s"] < 3 * TOKENS / PACE + 5
        # Now it reads again, and has the last picture soon: what was between was never sent.
        stream.feed(_plain(seen))
        sent = 0
        while not any(f"n{TOKENS - 1}" in line for line in screen.display):
            assert time.monotonic() < deadline + 30, "\n".join(screen.display)
            read = terminal.read(0.2) or b""
            sent += len(read)
            stream.feed(_plain(read))
        assert sent < 300_000
        terminal.type("\x11")
        while terminal.read(1.0) is not None:
            pass


def _plain(sent: bytes) -> bytes:
    # pyte does not know the private sequences of keyboard protocols and would print their ends.
    return sent.replace(b"\x1b[>25u", b"").replace(b"\x1b[<u", b"")


_STYLES = st.builds(
    Style,
    color=st.sampled_from([None, "#d7dde3", "#7fb6d6", "red", "default"]),
    bgcolor=st.sampled_from([None, "#11151a", "#2a4152", "default"]),
    bold=st.booleans(),
    italic=st.booleans(),
    underline=st.booleans(),
    reverse=st.booleans(),
)


@given(st.lists(st.tuples(st.text("ab ", min_size=1, max_size=3), st.none() | _STYLES), max_size=12))
def test_what_differs_says_the_same_as_the_whole(parts: list[tuple[str, Style | None]]) -> None:
    pen = Pen(ColorSystem.TRUECOLOR)
    ours = "".join(pen.to(style) + text for text, style in parts) + pen.plain()
    console = Console(color_system="truecolor", force_terminal=True)
    theirs = Strip([Segment(text, style) for text, style in parts]).render(console)
    screens = []
    for written in (ours, theirs):
        screen = pyte.Screen(40, 2)
        pyte.Stream(screen).feed(written)
        screens.append([screen.buffer[0][column] for column in range(40)])
    assert screens[0] == screens[1]
    assert len(ours) <= len(theirs)


@pytest.mark.parametrize("colours", [ColorSystem.EIGHT_BIT, ColorSystem.STANDARD, None])
def test_a_colour_is_what_the_terminal_has(colours: ColorSystem | None) -> None:
    sent = Pen(colours).to(Style(color="#ff0000", bold=True))
    assert "38;2" not in sent
    assert sent.startswith("\x1b[1")


def test_low_bandwidth_draws_twice_a_second() -> None:
    pacer = Pacer(low_bandwidth=True)
    pacer.drawn(10.0, 1.0)
    assert pacer.wait_s(10.0) == pytest.approx(LOW_S)
    assert sum(pacer.instruments_due(at / 100) for at in range(1_000, 2_000)) == 10 / LOW_INSTRUMENTS_S
