"""An answer's rows: whatever is written, in whatever pieces, at whatever width, nothing in them is obeyed or lost."""

from __future__ import annotations

import re

from hypothesis import given, settings
from hypothesis import strategies as st

from gptoss_tui.chat.runs import Run
from gptoss_tui.harmony.messages import Channel
from gptoss_tui.repl.answer import AnswerRows
from gptoss_tui.repl.rows import Row, row_text

PARTS = (
    *"ab *_`~[]()|\n-#>1.\\:",
    *("日", "「", "👩\u200d👩", "❤\ufe0f", "e\u0301", "\x1b", "\x9b", "\u202e", "\r", "\t", "\u200b" * 12),
    *("```python\n", "```\n", "| a | b |\n|--|:-:|\n", "- [x] ", "def f():\n", "'''", "word", "\n\n"),
)
CHANNELS: list[Channel | None] = ["final", "final", "final", "analysis", None]
PIECES = st.lists(
    st.tuples(
        st.lists(st.sampled_from(PARTS), max_size=12).map("".join),
        st.sampled_from(CHANNELS),
        st.integers(8, 100),
    ),
    max_size=20,
)


@settings(max_examples=60, deadline=None)
@given(PIECES, st.sampled_from(["show", "fold"]))
def test_rows_hold_nothing_to_obey_and_all_letters(
    pieces: list[tuple[str, Channel | None, int]], thinking: str
) -> None:
    answer = AnswerRows(40, "show" if thinking == "show" else "fold")
    rows: list[Row] = []
    written = ""
    for text, channel, width in pieces:
        answer.width = width
        rows += answer.write(Run(channel, None, text, 1, 0.0))
        for row in answer.tail():
            assert not re.search(r"[\x00-\x1f\x7f-\x9f\u202e]", row_text(row))
        if channel != "analysis" or thinking == "show":
            written += text
    rows += answer.end()
    shown = "".join(row_text(row) for row in rows)
    assert not re.search(r"[\x00-\x1f\x7f-\x9f\u202e]", shown)
    # A language's name behind a fence may be shortened.
    for letter in ("日", "「"):
        assert shown.count(letter) == written.count(letter) or "```" in written or "~~~" in written
