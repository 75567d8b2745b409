"""The sampling knobs, turned while the model writes. Draws `chat.controls`; what a knob does is decided there."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from textual import events
from textual.binding import BindingType
from textual.message import Message

from gptoss_tui.chat.controls import CONTROLS
from gptoss_tui.engine.params import SamplingParams
from gptoss_tui.errors import ParameterError
from gptoss_tui.keys.table import SAMPLING
from gptoss_tui.tui import bars
from gptoss_tui.tui.actions import bindings
from gptoss_tui.tui.widgets.panel import Panel, Part

if TYPE_CHECKING:
    from gptoss_tui.chat.controls import Control

_VALUE = 6
_LABEL = 11


@dataclass(frozen=True, slots=True)
class _Place:
    """Where a knob was drawn, in cells of the pane."""

    row: int
    left: int
    right: int
    track: int
    """First cell of the slider."""
    cells: int
    """Cells of the slider."""


class SamplingPane(Panel):
    """One line a knob, or two knobs a line where rows are few."""

    TITLE: ClassVar[str] = "Sampling"
    BINDINGS: ClassVar[list[BindingType]] = [*bindings(SAMPLING)]

    class Refused(Message):
        """A typed value that cannot be set."""

        def __init__(self, fault: ParameterError) -> None:
            super().__init__()
            self.fault = fault

    def __init__(self, turn: Callable[[SamplingParams], None]) -> None:
        """`turn` sets other parameters and shows them, at once, or the next key would begin with old ones."""
        super().__init__(id="sampling")
        self._turn = turn
        self.selected = 0
        self._typed = ""
        self._places: list[_Place] = []
        self._dragged: int | None = None

    @property
    def control(self) -> Control:
        """The selected knob."""
        return CONTROLS[self.selected]

    def title_parts(self) -> list[Part]:
        """What is special about the parameters as they stand."""
        params = self.snapshot.params
        seed = "" if params.seed is None else f" · seed {params.seed}"
        if params.temperature == 0:
            return [("  greedy", "accent"), (seed, "muted")]
        plain = params.top_p == 1 and not params.top_k and not params.min_p and params.repetition_penalty == 1
        return [("  unfiltered" if plain else "  filtered", "muted"), (seed, "muted")]

    def build(self, width: int, height: int) -> list[list[Part]]:
        """The knobs, and in the last free line what the selected one does."""
        columns = 2 if height < len(CONTROLS) and width >= 50 else 1
        per_column = -(-len(CONTROLS) // columns)
        gap = 1
        cell = (width - gap * (columns - 1)) // columns
        lines: list[list[Part]] = [[] for _ in range(per_column)]
        self._places = []
        for at, control in enumerate(CONTROLS):
            column, row = divmod(at, per_column)
            left = column * (cell + gap)
            if column:
                lines[row].append((" " * gap, ""))
            parts, place = self._knob(at, control, row, left, cell)
            lines[row] += parts
            self._places.append(place)
        about = f" {self.control.help.split('. ')[0].rstrip('.')}."
        if height > per_column and len(about) <= width:
            lines.append([(about, "muted")])
        return lines

    def _knob(self, at: int, control: Control, row: int, left: int, cell: int) -> tuple[list[Part], _Place]:
        chosen = self.has_focus and at == self.selected
        value = control.get(self.snapshot.params)
        shown = f"{self._typed}▏" if chosen and self._typed else control.format(value)
        share = (value - control.low) / (control.high - control.low)
        cells = max(3, cell - 2 - _LABEL - _VALUE - 2)
        start, knob, end = bars.slider(share, cells)
        is_off = control.off is not None and value == control.off
        parts: list[Part] = [
            ("▸" if chosen else " ", "accent"),
            (f"{control.label:<{_LABEL}}", "selected" if chosen else "label"),
            (f"{shown:>{_VALUE}} ", "accent" if chosen else "muted" if is_off else "value"),
            (start, "track" if is_off else "accent"),
            (knob, "accent" if chosen or not is_off else "muted"),
            (end, "track"),
            (" ", ""),
        ]
        used = 1 + _LABEL + _VALUE + 1 + cells + 1
        if cell > used:
            parts.append((" " * (cell - used), ""))
        return parts, _Place(row, left, left + cell, left + 1 + _LABEL + _VALUE + 1, cells)

    def _change(self, params: SamplingParams) -> None:
        if params != self.snapshot.params:
            self._turn(params)

    def action_select(self, by: int) -> None:
        """Selects another knob."""
        self._commit()
        self.selected = (self.selected + by) % len(CONTROLS)
        self.redraw()

    def action_turn(self, steps: int) -> None:
        """Turns the selected knob by steps."""
        self._typed = ""
        self._change(self.control.nudge(self.snapshot.params, steps))

    def action_fine(self, steps: int) -> None:
        """Turns the selected knob by fine steps."""
        self._typed = ""
        self._change(self.control.nudge(self.snapshot.params, steps, fine=True))

    def action_default(self) -> None:
        """Takes back a typed digit, or sets the selected knob to its default."""
        if self._typed:
            self._typed = self._typed[:-1]
            self.redraw()
            return
        self._change(self.control.assign(self.snapshot.params, self.control.get(SamplingParams())))

    def on_key(self, event: events.Key) -> None:
        """Digits type a value; Enter sets it; Escape takes it back."""
        if event.character and event.character in "0123456789.,":
            self._typed = (self._typed + event.character.replace(",", "."))[: _VALUE - 1]
        elif event.key == "enter" and self._typed:
            self._commit()
        elif event.key == "escape" and self._typed:
            self._typed = ""
        else:
            return
        event.stop()
        event.prevent_default()
        self.redraw()

    def _commit(self) -> None:
        typed, self._typed = self._typed, ""
        if not typed:
            return
        try:
            self._change(self.control.assign(self.snapshot.params, self.control.parse(typed)))
        except ParameterError as fault:
            self.post_message(self.Refused(fault))

    def on_focus(self) -> None:
        """Shows which knob is selected."""
        self.redraw()

    def on_blur(self) -> None:
        """A value half typed is set: leaving is no reason to lose it."""
        self._commit()
        self.redraw()

    def _knob_at(self, event: events.MouseEvent) -> int | None:
        offset = event.get_content_offset(self)
        if offset is None:
            return None
        for at, place in enumerate(self._places):
            if place.row == offset.y + self.scroll_offset.y and place.left <= offset.x < place.right:
                return at
        return None

    def _turn_to(self, event: events.MouseEvent, at: int) -> None:
        place, control = self._places[at], CONTROLS[at]
        share = bars.slider_share(event.x - self.gutter.left - place.track, place.cells)
        self._change(control.set(self.snapshot.params, control.low + share * (control.high - control.low)))

    def on_mouse_down(self, event: events.MouseDown) -> None:
        """A click on a track turns the knob there and begins a drag."""
        at = self._knob_at(event)
        if at is None:
            return
        self._commit()
        self.selected = at
        place = self._places[at]
        if place.track <= event.x - self.gutter.left < place.track + place.cells:
            self._dragged = at
            self.capture_mouse()
            self._turn_to(event, at)
        self.redraw()

    def on_mouse_move(self, event: events.MouseMove) -> None:
        """Drags the knob."""
        if self._dragged is not None:
            self._turn_to(event, self._dragged)

    def on_mouse_up(self, _event: events.MouseUp) -> None:
        """Ends the drag."""
        if self._dragged is not None:
            self._dragged = None
            self.release_mouse()

    def _on_mouse_scroll_up(self, event: events.MouseScrollUp) -> None:
        self._wheel(event, 1)

    def _on_mouse_scroll_down(self, event: events.MouseScrollDown) -> None:
        self._wheel(event, -1)

    def _wheel(self, event: events.MouseEvent, steps: int) -> None:
        at = self._knob_at(event)
        if at is not None:
            event.stop()
            event.prevent_default()
            self._change(CONTROLS[at].nudge(self.snapshot.params, steps))
