"""Selecting a turn: by key, by a click, and what can be done with the one that is selected or under the mouse.

There is a selection only while the conversation has the focus. Knows no session.
"""

from __future__ import annotations

from typing import ClassVar

from textual import events
from textual.binding import BindingType
from textual.containers import VerticalScroll
from textual.message import Message
from textual.widget import Widget

from gptoss_tui.keys import Keymap
from gptoss_tui.keys.conversation import CHAT
from gptoss_tui.tui.actions import bindings
from gptoss_tui.tui.widgets.heading import Acted
from gptoss_tui.tui.widgets.turn import Turn

_LINES = 3
"""How far a step goes while a turn reaches beyond the window."""


class Selecting(VerticalScroll, can_focus=True):
    """The part of #chat that knows which turn is meant."""

    BINDINGS: ClassVar[list[BindingType]] = [*bindings(CHAT)]
    # A click says which turn is meant; coming by key, it is the last one.
    FOCUS_ON_CLICK = False

    class Selected(Message):
        """Another turn is selected, or none."""

    class Left(Message):
        """The person went below the last turn."""

    def __init__(self, keymap: Keymap) -> None:
        super().__init__(id="chat")
        self.turns: list[Turn] = []
        self.selected: Turn | None = None
        self._under_mouse: Turn | None = None
        self._idle = False
        names = ("edit", "retry", "continue", "answer", "fork", "copy")
        self._keys = {name: keymap.key(f"chat.{name}") for name in names}

    @property
    def meant(self) -> Turn | None:
        """The selected turn, else the last one that was asked."""
        if self.selected is not None:
            return self.selected
        return next((turn for turn in reversed(self.turns) if turn.view is not None), None)

    def turn_of(self, widget: object) -> Turn | None:
        """The turn that a widget is a part of."""
        found = (
            next((node for node in widget.ancestors_with_self if isinstance(node, Turn)), None)
            if isinstance(widget, Widget)
            else None
        )
        return found if found in self.turns else None

    # Who is selected

    def select(self, turn: Turn | None, *, scroll: bool = True) -> None:
        """Selects a turn, and brings it into sight unless told not to; None: nothing is selected any more."""
        if turn is not self.selected:
            if self.selected is not None:
                self.selected.remove_class("-selected")
            self.selected = turn
            if turn is not None:
                turn.add_class("-selected")
            self.offer_ways()
            self.post_message(self.Selected())
        if turn is not None and scroll:
            self.scroll_to_widget(turn, animate=False, top=turn.outer_size.height >= self.size.height)

    def select_again(self) -> None:
        """The selected turn may have been drawn anew."""
        if self.selected is None or self.selected in self.turns:
            return
        number = self.selected.view.number if self.selected.view is not None else 0
        same = (turn for turn in self.turns if turn.view is not None and turn.view.number == number)
        self.select(next(same, self.turns[-1] if self.turns else None), scroll=False)

    def walk(self, by: int) -> None:
        """Selects the turn so many further; from elsewhere, the last one. Below the last one, leaves."""
        if self.selected not in self.turns:
            if by < 0 and self.turns:
                self.focus(scroll_visible=False)
                self.select(self.turns[-1])
            return
        assert self.selected is not None
        at = self.turns.index(self.selected) + by
        if at >= len(self.turns):
            self.post_message(self.Left())
        elif at >= 0:
            self.select(self.turns[at])
        else:
            self.scroll_home(animate=False)

    def action_step(self, by: int) -> None:
        """Goes on reading: within the turn while it reaches beyond the window, then to the next one."""
        turn = self.selected
        if turn is not None:
            window, region = self.scrollable_content_region, turn.region
            beyond = region.bottom > window.bottom if by > 0 else region.y < window.y
            if beyond:
                self.scroll_relative(y=by * _LINES, animate=False)
                return
        self.walk(by)

    def action_do(self, name: str) -> None:
        """Something is to be done with the selected turn."""
        if (turn := self.meant) is not None:
            self.post_message(Acted(turn, name))

    # Focus and mouse

    def on_focus(self) -> None:
        """Somebody comes to read: the last turn is selected."""
        if self.selected is None and self.turns:
            self.select(self.turns[-1])

    def on_descendant_focus(self, event: events.DescendantFocus) -> None:
        """A part of a turn has the focus: that turn is meant."""
        if (turn := self.turn_of(event.widget)) is not None:
            self.select(turn, scroll=False)

    def on_blur(self) -> None:
        """Somebody goes elsewhere."""
        self.call_later(self._left)

    def on_descendant_blur(self) -> None:
        """Somebody goes elsewhere, perhaps."""
        self.call_later(self._left)

    def _left(self) -> None:
        if self.screen.is_current and not self.has_focus_within:
            self.select(None)

    def on_click(self, event: events.Click) -> None:
        """A click on a turn selects it."""
        turn = self.turn_of(event.widget)
        if turn is not None and not self.screen.get_selected_text():
            self.select(turn, scroll=False)
            if not self.has_focus_within:
                self.focus(scroll_visible=False)

    def on_enter(self, event: events.Enter) -> None:
        """The mouse is over something."""
        self._hover(self.turn_of(event.node))

    def on_leave(self, _event: events.Leave) -> None:
        """The mouse is over it no longer."""
        self._hover(None)

    def _hover(self, turn: Turn | None) -> None:
        if turn is not self._under_mouse:
            self._under_mouse = turn
            self.offer_ways()

    # What can be done

    def set_idle(self, idle: bool) -> None:
        """Whether the model could be asked something now."""
        if idle != self._idle:
            self._idle = idle
            self.offer_ways()

    def offer_ways(self) -> None:
        """Shows what can be done on the turns that are looked at, and on no other."""
        for turn in self.turns:
            if turn is self.selected:
                turn.offer(self._keys, idle=self._idle)
            else:
                turn.offer({} if turn is self._under_mouse else None, idle=self._idle)
