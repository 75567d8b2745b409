"""The frame around the prompt: what is being done with it, what sending it would cost, and the files it takes along."""

from __future__ import annotations

from collections.abc import Sequence

from rich.cells import cell_len
from textual.app import ComposeResult
from textual.containers import Horizontal, Vertical
from textual.content import Content
from textual.widgets import Static

from gptoss_tui.chat.attach import FileSize
from gptoss_tui.tui.widgets.prompt import Prompt
from gptoss_tui.tui.widgets.suggestions import Suggestions


class PromptBar(Vertical):
    """#promptbar. A low window has only its upper edge, so that everything is said there."""

    def __init__(self, suggestions: Suggestions, prompt: Prompt) -> None:
        super().__init__(id="promptbar")
        self._suggestions, self._prompt = suggestions, prompt
        self._state: tuple[str, ...] = ()
        self._cost = ""

    def compose(self) -> ComposeResult:
        """Lists above, the prompt below."""
        yield self._suggestions
        with Horizontal(id="promptline"):
            yield Static("❯", id="sign")
            yield self._prompt

    def say(self, state: Sequence[str]) -> None:
        """What the prompt is being used for: in words, in fewer, how it is sent and how it is left; empty: to ask."""
        self.set_class(bool(state), "-editing")
        self._state = tuple(state)
        self._draw()

    def tell(self, cost: str) -> None:
        """What sending would cost, or what was sent did."""
        self._cost = cost
        self._draw()

    def show_files(self, files: Sequence[FileSize]) -> None:
        """The files that go along, and those that cannot."""
        self._suggestions.show_files(files)

    def on_resize(self) -> None:
        """Another width, other words."""
        self._draw()

    def _draw(self) -> None:
        low = self.styles.border_bottom[0] in ("", "none", "hidden")
        above = self._above(self.outer_size.width - (2 if low else 6)) if self._state or low else ""
        self.border_title = Content.styled(above, "$warning" if self._state else "$muted").markup if above else ""
        below = self._cost if not self._state and not low else ""
        self.border_subtitle = Content.styled(below, "$muted").markup if below else ""

    def _above(self, width: int) -> str:
        """As much as fits; how to leave matters more than how to send."""
        cost, shorter = self._cost, self._cost.rpartition(", ")[2]
        if not self._state:
            return cost if cell_len(cost) <= width else shorter
        state, short, sends, leaves = self._state
        ways = ((state, cost, sends, leaves), (state, cost, leaves), (short, cost, leaves), (short, shorter, leaves))
        said = (" · ".join(part for part in parts if part) for parts in ways)
        return next((text for text in said if cell_len(text) <= width), f"{short} · {leaves}")
