"""The conversation: turns from top to bottom, the newest in sight until the person scrolls away. Knows no session."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from textual.app import ComposeResult
from textual.containers import Vertical, VerticalScroll

from gptoss_tui.chat.attach import prompt_of
from gptoss_tui.chat.forks import turns
from gptoss_tui.keys import Keymap
from gptoss_tui.tui.widgets.grows import Grows
from gptoss_tui.tui.widgets.turn import Note, Turn

if TYPE_CHECKING:
    from gptoss_tui.chat.tree import Node


class _Said(Grows, Vertical):
    """All that was said."""


class ChatPane(VerticalScroll, can_focus=True):
    """#chat."""

    def __init__(self, keymap: Keymap, notices: Sequence[str] = ()) -> None:
        super().__init__(id="chat")
        send, newline, help_key = (keymap.first(f"prompt.{name}") for name in ("send", "newline", "help"))
        self._welcome = f"Ask something: {send} sends, {newline} breaks the line, / lists commands, {help_key} helps."
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

    async def ask(self, prompt: str, nodes: Sequence[Node] = ()) -> Turn:
        """A new turn at the end; `nodes` where it is in the conversation's tree already."""
        await self.query(".-welcome").remove()
        turn = Turn(prompt, nodes)
        self.turns.append(turn)
        await self._said.mount(turn)
        self.anchor()
        return turn

    async def show_path(self, path: Sequence[Node], notes: Callable[[Node], list[tuple[str, str]]]) -> Turn | None:
        """Draws a path; the turn at its end, None where it is empty. What is drawn already is not drawn again.

        `notes` tells (text, kind) of the lines under an answer.
        """
        parts = turns(path)
        kept = 0
        for turn, part in zip(self.turns, parts, strict=False):
            if turn.nodes != tuple(node.id for node in part) or any(node.ending == "writing" for node in part):
                break
            kept += 1
        for turn in self.turns[kept:]:
            await turn.remove()
        del self.turns[kept:]
        for part in parts[kept:]:
            turn = await self.ask(prompt_of(part[0].text) if part[0].role == "user" else "", part)
            await turn.recall(notes)
        if not parts:
            await self.clear()
        return self.turns[-1] if self.turns else None

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
