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
        """What the prompt is being used for, the most important part first; empty: to ask."""
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
        width = self.outer_size.width - 6
        low = self.styles.border_bottom[0] in ("", "none", "hidden")
        above = [*self._state[:1], *([self._cost] if self._cost and (self._state or low) else []), *self._state[1:]]
        while len(above) > 1 and cell_len(" · ".join(above)) > width:
            # The last but one is how to leave, which matters more than how to send.
            del above[-2 if len(above) > 3 else -1]
        style = "$warning" if self._state else "$muted"
        self.border_title = Content.styled(" · ".join(above), style).markup if above else ""
        below = self._cost if not self._state and not low else ""
        self.border_subtitle = Content.styled(below, "$muted").markup if below else ""
