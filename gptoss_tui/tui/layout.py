"""Which arrangement fits a window of so many columns and rows. Pure; the arrangements themselves are in app.tcss."""

from __future__ import annotations

from typing import Literal

Arrangement = Literal["wide", "beside", "under", "small", "tiny"]

ARRANGEMENTS: tuple[Arrangement, ...] = ("wide", "beside", "under", "small", "tiny")

SMALLEST = (40, 12)
"""Columns and rows under which nothing useful fits."""
BROAD = 180
"""Columns from which the panes beside the chat are wider."""
LOW = 30
"""Rows under which lists over the prompt are kept short."""
TALL = 46
"""Rows from which the wide arrangement can show every layer and one knob a line."""


def arrangement(columns: int, rows: int) -> Arrangement:
    """The arrangement for a window.

    wide: four panes beside the chat. beside: one pane at a time beside it, for wide but low windows. under: one pane at
    a time under it. small: the chat, or one pane instead of it. tiny: a message.
    """
    if columns < SMALLEST[0] or rows < SMALLEST[1]:
        return "tiny"
    if columns < 60 or rows < 16:
        return "small"
    if columns < 120:
        return "under"
    return "wide" if rows >= 30 else "beside"
