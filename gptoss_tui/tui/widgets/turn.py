"""One turn of the conversation: what the person asked, how the model thought, what it answered, how it ended.

Draws deltas; knows no session. Every text of a person or a model is content, never markup.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, ClassVar

from textual import events
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.widgets import Static

from gptoss_tui.chat import format
from gptoss_tui.harmony.messages import Channel
from gptoss_tui.keys.table import THINKING
from gptoss_tui.tui.actions import bindings
from gptoss_tui.tui.widgets.answer import Answer
from gptoss_tui.tui.widgets.grows import Grows
from gptoss_tui.visible import Visible, visible, visible_token

if TYPE_CHECKING:
    from gptoss_tui.chat.tree import Node


class Thinking(Grows, Vertical, can_focus=True):
    """Text that is written before the answer: one line while closed, the whole text while open."""

    BINDINGS: ClassVar[list[BindingType]] = [*bindings(THINKING)]

    def __init__(self, label: str) -> None:
        super().__init__()
        self._label = label
        self._raw: list[str] = []
        self._shown: list[str] = []
        self._sanitiser = Visible()
        self.opened = False
        self.tokens = 0
        self.elapsed_s = 0.0
        self._head = Static(classes="thinking--head")
        self._body = Static(classes="thinking--body")

    def compose(self) -> ComposeResult:
        """A line, and the text under it."""
        yield self._head
        self._body.display = False
        yield self._body

    @property
    def text(self) -> str:
        """What the model wrote, as it wrote it."""
        return "".join(self._raw)

    def write(self, text: str, tokens: int, elapsed_s: float) -> None:
        """More of the text; `tokens` and `elapsed_s` are what this block took so far."""
        self._raw.append(text)
        self._shown.append(self._sanitiser.feed(text))
        self.tokens, self.elapsed_s = tokens, elapsed_s
        self.refresh_text()

    def refresh_text(self) -> None:
        """Draws the line, and the text where it is open."""
        sign = "▾" if self.opened else "▸"
        took = f"{self.tokens:,} {'token' if self.tokens == 1 else 'tokens'}"
        if not math.isnan(self.elapsed_s):
            took += f" · {format.seconds(self.elapsed_s)}"
        self._head.update(Content.assemble((f"{sign} {self._label}", "$secondary"), (f" · {took}", "$muted")))
        if self.opened:
            self._body.update(Content("".join(self._shown).strip("\n") or "…"))

    def action_fold(self) -> None:
        """Opens or closes the block."""
        self.opened = not self.opened
        self._body.display = self.opened
        self.refresh_text()

    def action_copy(self) -> None:
        """Copies the text as it was written."""
        self.app.copy_to_clipboard(self.text)
        self.app.notify(f"{self._label} copied.")

    def on_click(self, event: events.Click) -> None:
        """A click on the line opens or closes the block."""
        if event.widget is self._head:
            self.action_fold()


class Note(Static):
    """A line from the program: how an answer ended, what went wrong, what can be done."""

    def __init__(self, text: str, *, kind: str = "info") -> None:
        super().__init__(Content(visible(text)), classes=f"-{kind}")


class Turn(Grows, Vertical):
    """A prompt and its answer. Parts are added as the model begins them."""

    def __init__(self, prompt: str, nodes: Sequence[Node] = ()) -> None:
        super().__init__()
        self.prompt = prompt
        self.nodes = tuple(node.id for node in nodes)
        """What of the conversation's tree is drawn here: the prompt and its answer. Empty while it was not asked."""
        self._recalled = tuple(nodes)
        self._label = Static(classes="turn--you")
        self._parts: list[Thinking | Answer] = []
        self._key: tuple[Channel | None, str | None] | None = None
        self._part_tokens = 0
        self._part_began = 0.0
        self.queued = False

    def compose(self) -> ComposeResult:
        """The prompt; the answer follows when there is one."""
        yield self._label
        yield Static(Content(visible(self.prompt)), classes="turn--prompt")

    async def recall(self, notes: Callable[[Node], list[tuple[str, str]]]) -> None:
        """Draws an answer that was written before; one that is being written may go on behind it.

        `notes` tells (text, kind) of the lines under an answer.
        """
        for node in self._recalled:
            for message in node.messages if node.role == "assistant" else ():
                tokens = len(message.token_ids or ())
                await self.write(message.channel, message.recipient, message.text, tokens, math.nan)
            if node.role == "assistant" and node.ending != "writing":
                await self.complete()
                await self.mount_all(Note(text, kind=kind) for text, kind in notes(node))

    def on_mount(self) -> None:
        """Says whether it waits."""
        self.set_queued(self.queued)

    def set_queued(self, queued: bool, why: str = "") -> None:
        """Marks the prompt as waiting, visibly, or takes the mark away."""
        self.queued = queued
        self._label.update(Content.assemble(("You", "$accent bold"), (f"  {why}" if queued else "", "$warning")))

    async def write(self, channel: Channel | None, recipient: str | None, text: str, tokens: int, at: float) -> None:
        """More of the answer: `tokens` chose this text, the last one `at` seconds after the prompt was sent."""
        key = (channel, recipient)
        if key != self._key:
            await self._begin(channel, recipient)
            self._key = key
            self._part_tokens, self._part_began = 0, at
        self._part_tokens += tokens
        part = self._parts[-1]
        if isinstance(part, Thinking):
            part.write(text, self._part_tokens, at - self._part_began)
        else:
            part.write(text)

    async def _begin(self, channel: Channel | None, recipient: str | None) -> None:
        if not self._parts:
            await self.mount(Static(Content.styled("gpt-oss", "$success bold"), classes="turn--model"))
        part: Thinking | Answer
        if recipient:
            part = Thinking(f"Call of {visible_token(recipient)}")
        elif channel == "analysis":
            part = Thinking("Thinking")
        else:
            part = Answer()
        self._parts.append(part)
        await self.mount(part)

    async def complete(self) -> None:
        """The answer is whole: every part is drawn once more."""
        for part in self._parts:
            if isinstance(part, Answer):
                await part.complete()
        self._key = None

    @property
    def answer(self) -> str:
        """The answer's text as it was written."""
        return "\n\n".join(part.text for part in self._parts if isinstance(part, Answer))

    @property
    def thinking(self) -> list[Thinking]:
        """The blocks of thinking, first one first."""
        return [part for part in self._parts if isinstance(part, Thinking)]
