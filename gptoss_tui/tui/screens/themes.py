"""Chooses the theme: the screen behind the list takes on each one's colours as the mark moves over it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import OptionList
from textual.widgets.option_list import Option

from gptoss_tui.keys import Keymap
from gptoss_tui.keys.table import THEMES
from gptoss_tui.themes import Theme
from gptoss_tui.tui.actions import bindings
from gptoss_tui.visible import visible_token


class ThemeScreen(ModalScreen[None]):
    """A list at the side; leaving it brings the theme back that was there before."""

    BINDINGS: ClassVar[list[BindingType]] = [*bindings(THEMES)]

    def __init__(
        self, themes: Mapping[str, Theme], keymap: Keymap, show: Callable[[str], None], keep: Callable[[str], None]
    ) -> None:
        """`show` draws in a theme, `keep` makes it the default."""
        super().__init__()
        self._themes = themes
        self._keymap = keymap
        self._show, self._keep = show, keep
        self._before = ""

    def compose(self) -> ComposeResult:
        """One line a theme."""
        with Vertical(id="themes"):
            yield OptionList(*(Option(_line(theme), id=name) for name, theme in self._themes.items()), id="themes-list")

    def on_mount(self) -> None:
        """Begins at the theme in use."""
        self._before = self.app.theme
        sheet = self.query_one("#themes")
        sheet.border_title = "Themes"
        keep, back = self._keymap.first("themes.keep"), self._keymap.first("themes.back")
        sheet.border_subtitle = f"enter use · {keep} keep · {back} back"
        self.query_one(OptionList).highlighted = list(self._themes).index(self._before)

    @property
    def _marked(self) -> str:
        at = self.query_one(OptionList).highlighted
        return list(self._themes)[at] if at is not None else self._before

    @on(OptionList.OptionHighlighted)
    def _preview(self) -> None:
        if self._marked != self.app.theme:
            self._show(self._marked)

    @on(OptionList.OptionSelected)
    def _use(self) -> None:
        self._show(self._marked)
        self.dismiss()

    def action_keep(self) -> None:
        """Uses the marked theme, now and next time."""
        self._show(self._marked)
        self._keep(self._marked)
        self.dismiss()

    def action_leave(self) -> None:
        """The colours as they were."""
        self._show(self._before)
        self.dismiss()


def _line(theme: Theme) -> Content:
    return Content.assemble(f"{visible_token(theme.name, 24):<24} ", ("dark" if theme.dark else "light", "$muted"))
