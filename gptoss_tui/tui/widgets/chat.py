"""The conversation: turns from top to bottom, the newest in sight until the person scrolls away. Knows no session."""

from __future__ import annotations

from textual.app import ComposeResult
from textual.containers import VerticalScroll

from gptoss_tui.tui.widgets.turn import Note, Turn

WELCOME = "Ask something. Enter sends, Ctrl-J breaks the line, / lists commands, ? helps."


class ChatPane(VerticalScroll, can_focus=True):
    """#chat."""

    def __init__(self) -> None:
        super().__init__(id="chat")
        self.turns: list[Turn] = []
        self.border_title = "Chat"

    def compose(self) -> ComposeResult:
        """An empty conversation says how to begin one."""
        yield Note(WELCOME, kind="welcome")

    def on_mount(self) -> None:
        """Stays at the end while the conversation grows."""
        self.anchor()

    async def introduce(self, *lines: str) -> None:
        """What the model is, above the conversation."""
        first = self.children[0] if self.children else None
        for line in lines:
            if line:
                await self.mount(Note(line, kind="about"), before=first)

    async def ask(self, prompt: str) -> Turn:
        """A new turn at the end."""
        await self.query(".-welcome").remove()
        turn = Turn(prompt)
        self.turns.append(turn)
        await self.mount(turn)
        self.anchor()
        return turn

    async def forget(self, turn: Turn) -> None:
        """Takes a turn away that was never answered."""
        if turn in self.turns:
            self.turns.remove(turn)
            await turn.remove()

    async def note(self, text: str, kind: str = "info", *, under: Turn | None = None) -> None:
        """A line from the program, under a turn or at the end."""
        await (self if under is None else under).mount(Note(text, kind=kind))

    async def clear(self) -> None:
        """An empty conversation."""
        self.turns.clear()
        for child in list(self.children):
            # What the model is stays true.
            if not child.has_class("-about"):
                await child.remove()
        await self.mount(Note(WELCOME, kind="welcome"))
