"""A sheet with a line to type in and a list under it: what every screen is on which something is found and chosen.

Knows nothing of what is listed: a subclass fills the list, and says what its lines mean.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Generic, TypeVar

from textual import events, on
from textual.app import ComposeResult
from textual.containers import Vertical
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import Input, OptionList, Static
from textual.widgets.option_list import Option

T = TypeVar("T")
Item = TypeVar("Item")

_LOW = 20

PAGE = 200
"""Lines that are made at once; more follow as the mark comes near the end."""


class ListScreen(ModalScreen[T | None], Generic[T, Item]):
    """The words keep the focus while the mark moves through the list; None is nothing chosen."""

    SHEET = ""
    """The sheet's widget id; its parts are called after it."""
    PLACEHOLDER = ""

    def __init__(self) -> None:
        super().__init__()
        self.items: list[Item] = []
        """What is listed now."""

    def compose(self) -> ComposeResult:
        """Words above, then a heading, the list, and a line on what is marked."""
        with Vertical(id=self.SHEET, classes="sheet"):
            yield Input(placeholder=self.PLACEHOLDER, id=f"{self.SHEET}-words", classes="sheet--words")
            yield Static(id=f"{self.SHEET}-head", classes="sheet--head")
            yield OptionList(id=f"{self.SHEET}-found", classes="sheet--found")
            yield Static(id=f"{self.SHEET}-foot", classes="sheet--foot")

    # What a subclass says

    def line(self, item: Item) -> Content:
        """One line of the list, for `width` cells at most; safe to show."""
        raise NotImplementedError

    def typed(self, words: str) -> None:
        """Other words stand there."""
        raise NotImplementedError

    def chosen(self, item: Item) -> None:
        """The person takes this one."""
        raise NotImplementedError

    def on_marked(self, item: Item | None) -> None:
        """The mark stands on another one."""

    # What it gets for that

    def name_sheet(self, title: str, keys: str) -> None:
        """What stands in the frame."""
        sheet = self.query_one(f"#{self.SHEET}")
        sheet.border_title, sheet.border_subtitle = title, keys

    def say(self, *, head: str | Content | None = None, foot: str | Content | None = None) -> None:
        """The line over the list, and the one under it; an empty one takes no room."""
        for part, text in (("head", head), ("foot", foot)):
            if text is not None:
                static = self.query_one(f"#{self.SHEET}-{part}", Static)
                static.display = bool(text)
                static.update(Content(text) if isinstance(text, str) else text)

    @property
    def words(self) -> Input:
        """Where words are typed."""
        return self.query_one(f"#{self.SHEET}-words", Input)

    @property
    def list(self) -> OptionList:
        """The list."""
        return self.query_one(f"#{self.SHEET}-found", OptionList)

    @property
    def width(self) -> int:
        """Cells of a line."""
        return max(20, self.list.scrollable_content_region.width - 2)

    @property
    def marked(self) -> Item | None:
        """The one that the mark stands on."""
        at = self.list.highlighted
        return self.items[at] if at is not None and at < len(self.items) else None

    def show_items(self, items: Sequence[Item], mark: int = 0) -> None:
        """Lists these, and marks the one at `mark`."""
        self.items = [*items]
        self.list.clear_options()
        self._more(mark + 1)
        self.list.highlighted = min(mark, len(self.items) - 1) if self.items else None
        self.on_marked(self.marked)

    def _more(self, wanted: int) -> None:
        """Makes lines until there are so many and some more."""
        made = self.list.option_count
        until = min(len(self.items), (wanted // PAGE + 1) * PAGE)
        if until > made:
            self.list.add_options([Option(self.line(item)) for item in self.items[made:until]])

    @on(Input.Changed)
    def _typed(self, event: Input.Changed) -> None:
        if event.input is self.words:
            self.typed(event.value)

    @on(Input.Submitted)
    def _entered(self, event: Input.Submitted) -> None:
        if event.input is self.words and (item := self.marked) is not None:
            self.chosen(item)

    @on(OptionList.OptionSelected)
    def _selected(self, event: OptionList.OptionSelected) -> None:
        self.chosen(self.items[event.option_index])

    @on(OptionList.OptionHighlighted)
    def _highlighted(self, event: OptionList.OptionHighlighted) -> None:
        self._more(event.option_index + PAGE // 4)
        self.on_marked(self.marked)

    def on_resize(self, _event: events.Resize) -> None:
        """Other lines for another width; a low window has no room for a frame around the sheet."""
        self.set_class(self.app.size.height < _LOW, "-short")
        self.refit()

    def refit(self) -> None:
        """Makes the lines anew."""
        if self.items:
            self.call_after_refresh(lambda: self.show_items(self.items, self.list.highlighted or 0))

    def action_move(self, by: int) -> None:
        """Moves the mark."""
        if self.items:
            at = max(0, min(len(self.items) - 1, (self.list.highlighted or 0) + by))
            self._more(at + 1)
            self.list.highlighted = at

    def action_leave(self) -> None:
        """Takes none."""
        self.dismiss(None)
