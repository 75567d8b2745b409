"""The status line: which model, where it runs, what it does and how fast. One row; what does not fit is left out."""

from __future__ import annotations

import math
from dataclasses import dataclass

from rich.cells import cell_len
from textual.content import Content
from textual.widget import Widget

from gptoss_tui.chat import format
from gptoss_tui.tui import bars
from gptoss_tui.tui.snapshot import Phase, Snapshot
from gptoss_tui.visible import visible_token

_STATES: dict[Phase, tuple[str, str]] = {
    "loading": ("◌", "loading"),
    "failed": ("✕", "no model"),
    "idle": ("○", "idle"),
    "reading": ("◐", "reading prompt"),
    "writing": ("●", "writing"),
    "stopping": ("◐", "stopping"),
}
_STYLES: dict[Phase, str] = {
    "loading": "$warning",
    "failed": "$error",
    "idle": "$muted",
    "reading": "$warning",
    "writing": "$success",
    "stopping": "$warning",
}


@dataclass(frozen=True, slots=True)
class _Piece:
    """Something the line says, and how much it matters."""

    spans: tuple[tuple[str, str], ...]
    rank: int
    """0 matters most; the highest rank is left out first."""
    right: bool = False
    """True for what stands at the right."""

    @property
    def cells(self) -> int:
        return sum(cell_len(text) for text, _ in self.spans)


class StatusLine(Widget):
    """#status: drawn from the snapshot's figures alone."""

    ALLOW_SELECT = False

    def __init__(self) -> None:
        super().__init__(id="status")
        self.snapshot = Snapshot()
        self._drawn: tuple[object, ...] = ()

    def show(self, snapshot: Snapshot) -> None:
        """Draws the line anew where it says something else now."""
        self.snapshot = snapshot
        drawn = (snapshot.notice, *(piece.spans for piece in self._pieces()))
        if drawn != self._drawn:
            self._drawn = drawn
            self.refresh()

    def render(self) -> Content:
        """The pieces that fit, the state and its figures at the right."""
        width = self.size.width
        if self.snapshot.notice:
            return Content.styled(f" {self.snapshot.notice}"[:width], "$warning")
        pieces = self._pieces()
        while len(pieces) > 1 and 1 + sum(piece.cells + 2 for piece in pieces) > width:
            pieces.remove(max(pieces, key=lambda piece: piece.rank))
        left = [piece for piece in pieces if not piece.right]
        right = [piece for piece in pieces if piece.right]
        used = 2 + sum(piece.cells for piece in pieces) + 2 * (max(0, len(left) - 1) + max(0, len(right) - 1))
        space = " " * max(0, width - used)
        return Content.assemble(" ", *_joined(left), space, *_joined(right), " ")

    def on_click(self) -> None:
        """Says why nothing is saved."""
        if self.snapshot.unsaved:
            self.app.notify(self.snapshot.unsaved, markup=False)

    def _pieces(self) -> list[_Piece]:
        now = self.snapshot
        pieces = [_Piece((("gptoss", "$accent bold"),), 7)]
        if now.info is not None:
            name = format.shorten(visible_token(now.info.name, 80), 32)
            pieces.append(_Piece(((name, "$foreground"),), 2))
            about = f"{format.bits(now.info.bits_per_weight)} · {now.info.device}"
            pieces.append(_Piece(((about, "$muted"),), 5))
        pieces.append(_Piece((("effort ", "$muted"), (now.effort, "$foreground")), 6))
        if now.unsaved:
            mark = ("private", "$muted") if now.private else ("✕ not saved", "$warning")
            pieces.append(_Piece((mark,), 6 if now.private else 1))
        if now.queued:
            pieces.append(_Piece(((f"{now.queued} queued", "$warning"),), 4))
        pieces.append(_Piece(tuple(self._state()), 0, right=True))
        pieces += self._speed()
        return pieces

    def _state(self) -> list[tuple[str, str]]:
        now = self.snapshot
        sign, name = _STATES[now.phase]
        spans = [(f"{sign} {name}", _STYLES[now.phase])]
        if now.phase in ("loading", "reading") and now.total:
            percent = min(100, 100 * now.done // now.total)
            spans.append((f" {percent:>2} %", "$foreground"))
        return spans

    def _speed(self) -> list[_Piece]:
        now, pieces = self.snapshot, []
        if now.phase == "reading" and now.total:
            pieces.append(_Piece(((f"{now.done:,} of {now.total:,} tokens", "$muted"),), 3, right=True))
        speed = now.last_second if now.phase in ("reading", "writing", "stopping") else now.mean
        if not math.isnan(speed):
            name = "mean " if now.phase == "idle" else ""
            figure = f"{format.rate(speed):>5}"
            pieces.append(_Piece(((name, "$muted"), (figure, "$foreground"), (" tok/s", "$muted")), 1, right=True))
        if now.history and now.phase != "reading":
            pieces.append(_Piece(((f"{bars.sparkline(now.history, 10):▁>10}", "$accent"),), 3, right=True))
        if now.phase == "writing" and not math.isnan(now.mean):
            pieces.append(_Piece((("mean ", "$muted"), (format.rate(now.mean), "$foreground")), 8, right=True))
        if now.phase in ("idle", "writing", "stopping") and not math.isnan(now.first_token_s):
            took = format.seconds(now.first_token_s)
            pieces.append(_Piece((("first token ", "$muted"), (took, "$foreground")), 9, right=True))
        return pieces


def _joined(pieces: list[_Piece]) -> list[tuple[str, str] | str]:
    parts: list[tuple[str, str] | str] = []
    for at, piece in enumerate(pieces):
        if at:
            parts.append("  ")
        parts += piece.spans
    return parts
