"""The main screen's panes, arranged by the window's size and by what the person wants to see. Computes nothing else."""

from __future__ import annotations

from textual import events, on
from textual.screen import Screen
from textual.widgets import Static

from gptoss_tui.tui.layout import ARRANGEMENTS, BROAD, LOW, SMALLEST, TALL, Arrangement, arrangement
from gptoss_tui.tui.widgets.chat import ChatPane
from gptoss_tui.tui.widgets.kv import KvPane
from gptoss_tui.tui.widgets.layers import LayersPane
from gptoss_tui.tui.widgets.panel import Panel
from gptoss_tui.tui.widgets.prompt import Prompt
from gptoss_tui.tui.widgets.sampling import SamplingPane
from gptoss_tui.tui.widgets.tokens import TokensPane


class Arranged(Screen[None]):
    """Which pane is where; the arrangements themselves are in app.tcss."""

    chat: ChatPane
    layers_pane: LayersPane
    kv: KvPane
    tokens: TokensPane
    sampling: SamplingPane
    prompt: Prompt

    def __init__(self) -> None:
        super().__init__()
        self.arranged: Arrangement = "wide"
        self._hidden = False
        """Instruments put away by the person; in a small window: not looked at."""
        self._swapped = False

    @property
    def panels(self) -> tuple[Panel, ...]:
        """The instruments, in the order of their tabs."""
        return (self.layers_pane, self.kv, self.tokens, self.sampling)

    def arrange_at_first(self) -> None:
        """For the window as it is, the layers in front."""
        self._rearrange(self.app.size.width, self.app.size.height)
        self._activate(self.layers_pane)

    def on_resize(self, event: events.Resize) -> None:
        """Another window, another arrangement."""
        self._rearrange(event.size.width, event.size.height)

    def _rearrange(self, columns: int, rows: int) -> None:
        self.arranged = arrangement(columns, rows)
        for name in ARRANGEMENTS:
            self.set_class(name == self.arranged, f"-{name}")
        self.set_class(rows >= TALL, "-tall")
        self.set_class(rows < LOW, "-low")
        self.set_class(columns >= BROAD, "-broad")
        for panel in self.panels:
            panel.set_tabbed(self.arranged != "wide")
        self.set_class(self._hidden, "-no-instruments")
        self.set_class(self._swapped and self.arranged == "small", "-swapped")
        if self.arranged == "tiny":
            needed = f"{SMALLEST[0]}×{SMALLEST[1]}"
            text = f"This window is {columns}×{rows}.\ngptoss needs {needed}.\nThe model goes on."
            self.query_one("#toosmall", Static).update(text)

    def _activate(self, pane: Panel) -> None:
        for panel in self.panels:
            panel.set_class(panel is pane, "-active")

    def toggle_panes(self) -> None:
        """Shows or hides the instruments; in a small window, switches between them and the chat."""
        if self.arranged == "small":
            self._swapped = not self._swapped
        else:
            self._hidden = not self._hidden
        self._rearrange(self.size.width, self.size.height)
        if self.focused is not None and not self.focused.is_on_screen:
            self.prompt.focus()

    def go_to(self, name: str) -> None:
        """Shows a pane and gives it the focus; from the pane itself, back to the prompt."""
        pane = self.chat if name == "chat" else next(panel for panel in self.panels if panel.id == name)
        if self.focused is pane or (pane is self.chat and pane.has_focus_within):
            self._swapped = False
            self._rearrange(self.size.width, self.size.height)
            self.prompt.focus()
            return
        self._swapped = pane is not self.chat
        if isinstance(pane, Panel):
            self._hidden = False
            self._activate(pane)
        self._rearrange(self.size.width, self.size.height)
        if pane.focusable and pane.is_on_screen:
            # At once: the next key may be under way already.
            self.set_focus(pane)
        else:
            self.call_after_refresh(pane.focus)

    @on(Panel.TabChosen)
    def _tab_chosen(self, event: Panel.TabChosen) -> None:
        self.go_to(event.pane)
