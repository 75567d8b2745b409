"""The conversation: turns from top to bottom, the newest in sight until the person scrolls away. Knows no session."""

from __future__ import annotations

from collections.abc import Sequence

from textual.app import ComposeResult
from textual.containers import Vertical, VerticalScroll

from gptoss_tui.keys import Keymap
from gptoss_tui.tui.widgets.grows import Grows
from gptoss_tui.tui.widgets.turn import Note, Turn


class _Said(Grows, Vertical):
    """All that was said."""


class ChatPane(VerticalScroll, can_focus=True):
    """#chat."""

    def __init__(self, keymap: Keymap, notices: Sequence[str] = ()) -> None:
        super().__init__(id="chat")
        send, newline, help_key = (keymap.first(f"prompt.{name}") for name in ("send", "newline", "help"))
        self._welcome = f"Ask something. {send} sends, {newline} breaks the line, / lists commands, {help_key} helps."
        self.turns: list[Turn] = []
        self.border_title = "Chat"
        self._about = Vertical(*(Note(line, kind="about") for line in notices), id="about")
        # As tall as the pane at least: Textual would hang a shorter conversation on the lower edge.
        self._said = _Said(self._about, Note(self._welcome, kind="welcome"), id="said")

    def compose(self) -> ComposeResult:
        """What the model is, then the conversation; an empty one says how to begin."""
        yield self._said

    def on_mount(self) -> None:
        """Stays at the end while the conversation grows."""
        self.anchor()

    async def introduce(self, *lines: str) -> None:
        """What the model is, above the conversation; it stays when the conversation is cleared."""
        await self._about.mount_all(Note(line, kind="about") for line in lines if line)

    async def ask(self, prompt: str) -> Turn:
        """A new turn at the end."""
        await self.query(".-welcome").remove()
        turn = Turn(prompt)
        self.turns.append(turn)
        await self._said.mount(turn)
        self.anchor()
        return turn

    async def forget(self, turn: Turn) -> None:
        """Takes a turn away that was never answered."""
        if turn in self.turns:
            self.turns.remove(turn)
            await turn.remove()

    async def note(self, text: str, kind: str = "info", *, under: Turn | None = None) -> None:
        """A line from the program, under a turn or at the end."""
        await (self._said if under is None else under).mount(Note(text, kind=kind))

    async def clear(self) -> None:
        """An empty conversation."""
        self.turns.clear()
        await self._said.remove_children([child for child in self._said.children if child is not self._about])
        await self._said.mount(Note(self._welcome, kind="welcome"))
