"""The token stream as it is: every token with its id, its probability and the parameters that chose it.

Draws chat events; nothing is prettified away: special tokens, whitespace and bytes that are no character are visible.
"""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from rich.cells import cell_len, set_cell_size
from textual import events
from textual.binding import BindingType

from gptoss_tui.chat import format
from gptoss_tui.chat.events import Token
from gptoss_tui.engine.params import SamplingParams
from gptoss_tui.keys.table import TOKENS
from gptoss_tui.tui.actions import bindings
from gptoss_tui.tui.widgets.panel import Panel, Part
from gptoss_tui.visible import visible_token

KEPT = 4_000
"""Tokens that can be looked at again."""
_PIECE = 24


@dataclass(frozen=True, slots=True)
class Row:
    """One token, ready to be drawn."""

    index: int
    """Position in the context, prompt included."""
    token_id: int
    piece: str
    """One visible line."""
    special: bool
    logprob: float
    temperature: float
    changed: str
    """What sampling parameter changed with this token, such as `temperature 1.00 → 0.70`; empty for none."""


_NAMES = (
    ("temperature", "temperature"),
    ("top_p", "top-p"),
    ("top_k", "top-k"),
    ("min_p", "min-p"),
    ("repetition_penalty", "repetition"),
)


def changes(before: SamplingParams | None, after: SamplingParams) -> str:
    """What was turned between two tokens, in words; empty where nothing was."""
    if before is None:
        return ""
    turned = (
        f"{name} {getattr(before, field):g} → {getattr(after, field):g}"
        for field, name in _NAMES
        if getattr(before, field) != getattr(after, field)
    )
    return ", ".join(turned)


def surprise(logprob: float) -> int:
    """0 where the model expected the token, 4 where it hardly did: each level is two bits of surprise."""
    if math.isnan(logprob):
        return 4
    return min(4, int(-logprob / math.log(2) / 2))


class TokensPane(Panel):
    """Running text coloured by surprise, and a table of the last tokens under it."""

    TITLE: ClassVar[str] = "Tokens"
    BINDINGS: ClassVar[list[BindingType]] = [*bindings(TOKENS)]

    def __init__(self) -> None:
        super().__init__(id="tokens")
        self._rows: deque[Row] = deque(maxlen=KEPT)
        self._params: SamplingParams | None = None
        self._frozen: list[Row] | None = None
        self._added = self._frozen_at = 0
        """Tokens that ever came, and how many there were when the view was frozen."""
        self._back = 0
        """How many tokens above the newest frozen one the table ends."""

    def begin(self, params: SamplingParams) -> None:
        """A new answer; the first token is compared with these parameters."""
        self._params = params

    def add(self, prompt_tokens: int, token: Token) -> None:
        """One token after a prompt of so many; drawn with the next `redraw`."""
        step = token.step
        changed = changes(self._params, step.params)
        self._params = step.params
        self._added += 1
        shown = visible_token(token.piece, _PIECE)
        self._rows.append(
            Row(
                prompt_tokens + step.index,
                step.token_id,
                shown,
                token.special,
                step.logprob,
                step.params.temperature,
                changed,
            )
        )

    def clear(self) -> None:
        """A new conversation."""
        self._rows.clear()
        self._frozen, self._back, self._params = None, 0, None
        self.redraw()

    @property
    def paused(self) -> bool:
        """True while the view stands still."""
        return self._frozen is not None

    def title_parts(self) -> list[Part]:
        """Paused or not, and how much came since."""
        if self._frozen is None:
            return [("  colour: surprise", "muted")] if self._rows else []
        return [("  paused", "warning"), (f" · {self._added - self._frozen_at:,} newer", "muted")]

    def build(self, width: int, height: int) -> list[list[Part]]:
        """Some lines of running text, then the table, newest last."""
        rows: Sequence[Row] = self._rows if self._frozen is None else self._frozen
        if not rows:
            return [[(" No tokens yet.", "muted")]]
        end = len(rows) - self._back
        text_lines = 0 if height < 4 else max(1, (height - 1) // 3)
        table_lines = height - text_lines - (1 if height >= 4 else 0)
        # A line of text holds at least a token for each four cells; more are cut at the front.
        window = _last(rows, end, max(table_lines, text_lines * width))
        lines = _running(window, width, text_lines) if text_lines else []
        if height >= 4:
            lines.append([(_header(width), "muted")])
        lines += [_table_row(row, width) for row in window[-table_lines:]]
        return lines

    def action_toggle_pause(self) -> None:
        """Freezes the view, or goes on with the newest token."""
        if self._frozen is None and self._rows:
            self._freeze()
        else:
            self._frozen = None
        self._back = 0
        self.redraw()

    def _freeze(self) -> None:
        self._frozen, self._frozen_at = list(self._rows), self._added

    def action_older(self, by: int) -> None:
        """Moves the frozen view."""
        if self._frozen is None:
            if by < 0 or not self._rows:
                return
            self._freeze()
        assert self._frozen is not None
        self._back = max(0, min(self._back + by, len(self._frozen) - 1))
        self.redraw()

    def action_newest(self) -> None:
        """Ends the pause."""
        self._frozen, self._back = None, 0
        self.redraw()

    def _on_mouse_scroll_up(self, event: events.MouseScrollUp) -> None:
        event.prevent_default()
        event.stop()
        self.action_older(3)

    def _on_mouse_scroll_down(self, event: events.MouseScrollDown) -> None:
        event.prevent_default()
        event.stop()
        if self._frozen is not None and self._back == 0:
            self.action_newest()
        else:
            self.action_older(-3)


def _last(rows: Sequence[Row], end: int, most: int) -> list[Row]:
    # A deque has no slices, and copying it whole five times a second would be waste.
    return [rows[at] for at in range(max(0, end - most), end)]


def _running(rows: Sequence[Row], width: int, lines: int) -> list[list[Part]]:
    """The end of the text, filled from the last line upwards, each token in the colour of its surprise."""
    filled: list[list[Part]] = [[]]
    used = 1
    for row in reversed(rows):
        text = row.piece
        cells = cell_len(text)
        if used + cells > width:
            if len(filled) == lines:
                break
            filled.append([])
            used = 1
        if used + cells > width:
            text, cells = set_cell_size(text, width - used), width - used
        filled[-1].append((text, "special" if row.special else f"surprise-{surprise(row.logprob)}"))
        used += cells
    filled += [[] for _ in range(lines - len(filled))]
    return [[(" ", ""), *reversed(line)] for line in reversed(filled)]


def _piece_cells(width: int) -> int:
    return max(8, min(_PIECE + 2, width - (33 if width >= 44 else 23)))


def _header(width: int) -> str:
    piece = set_cell_size("token", _piece_cells(width))
    return f"{'#':>7}  {piece} {'id':>6} {'p':>5} {'T':>5}"[:width]


def _table_row(row: Row, width: int) -> list[Part]:
    quoted = row.piece if row.special else f"'{row.piece}'"
    cells = _piece_cells(width)
    if cell_len(quoted) > cells:
        quoted = set_cell_size(quoted, cells - 1) + "…"
    style = "special" if row.special else f"surprise-{surprise(row.logprob)}"
    mark: Part = ("", "")
    if row.changed:
        words = f" ◂ {row.changed}"
        used = 7 + 2 + cells + 1 + 6 + 1 + 5 + 1 + 5
        mark = (words if used + cell_len(words) <= width else " ◂ changed" if used + 10 <= width else " ◂", "warning")
    return [
        (f"{row.index:>7,}  ", "muted"),
        (set_cell_size(quoted, cells), style),
        (f" {row.token_id:>6}", "muted"),
        (f" {format.probability(row.logprob):>5}", ""),
        (f" {row.temperature:>5.2f}", "muted"),
        mark,
    ]
