"""One turn of the conversation: what the person asked, how the model thought, what it answered, how it ended.

Draws deltas, and what was written before; knows no session. Every text of a person or a model is content, never markup.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING

from textual.app import ComposeResult
from textual.containers import Vertical
from textual.content import Content
from textual.widgets import Static

from gptoss_tui.chat.attach import prompt_of
from gptoss_tui.tui.widgets.answer import Answer
from gptoss_tui.tui.widgets.grows import Grows
from gptoss_tui.tui.widgets.heading import Heading, Way
from gptoss_tui.tui.widgets.note import Note
from gptoss_tui.tui.widgets.thinking import Thinking
from gptoss_tui.visible import visible, visible_token

if TYPE_CHECKING:
    from textual.widget import Widget

    from gptoss_tui.chat.tree import Node
    from gptoss_tui.harmony.messages import Channel
    from gptoss_tui.tui.turnview import TurnView

__all__ = ["Note", "Notes", "Thinking", "Turn"]

Notes = Callable[["Node"], Sequence[Note]]
"""The lines under an answer."""

_OF_PROMPT = (("edit", "edit"),)
_OF_ANSWER = (("retry", "retry"), ("continue", "continue"), ("answer", "edit"), ("fork", "fork"), ("copy", "copy"))
"""(action, title) of what can be done with a message."""


class Turn(Grows, Vertical):
    """A prompt and its answer. Parts are added as the model begins them."""

    def __init__(self, prompt: str = "", view: TurnView | None = None) -> None:
        """`view` where it is in the conversation's tree already; its prompt is shown then."""
        super().__init__()
        self.prompt = prompt_of(view.prompt.node.text) if view is not None and view.prompt is not None else prompt
        self.view = view
        """What of the conversation's tree is drawn here; None while it was not asked."""
        self.queued = False
        self._you = Heading("You", "$accent bold", "earlier", "later")
        self._model = Heading("gpt-oss", "$success bold", "previous", "next")
        self._model.add_class("-model")
        self._parts: list[Thinking | Answer] = []
        self._key: tuple[Channel | None, str | None] | None = None
        self._part_tokens = 0
        self._part_began = 0.0
        self._recalled: list[Widget] = []

    def compose(self) -> ComposeResult:
        """The prompt; the answer follows when there is one."""
        yield self._you
        yield Static(Content(visible(self.prompt)), classes="turn--prompt")
        yield from self._recalled

    def on_mount(self) -> None:
        """Says which of several it is."""
        if self.view is not None:
            self.describe(self.view)

    def describe(self, view: TurnView) -> None:
        """What it is in the tree now."""
        self.view = view
        for heading, place in ((self._you, view.prompt), (self._model, view.answer)):
            heading.say(branch=(place.at, len(place.others)) if place is not None else (0, 0))

    def set_queued(self, queued: bool, why: str = "") -> None:
        """Marks the prompt as waiting, visibly, or takes the mark away."""
        self.queued = queued
        self._you.say(said=why if queued else "")

    def offer(self, keys: Mapping[str, str] | None, *, idle: bool) -> None:
        """Shows what can be done with it, with keys where there are some; None: nobody looks."""
        ways: list[list[Way]] = [[], []]
        if keys is not None and self.view is not None:
            for at, named in enumerate((_OF_PROMPT, _OF_ANSWER)):
                # An answer that was never begun has no line of its own.
                row = ways[at if self._model.is_attached else 0]
                row += [(name, title, keys.get(name, "")) for name, title in named if self._can(name, idle=idle)]
        self._you.offer(ways[0])
        self._model.offer(ways[1])

    def _can(self, name: str, *, idle: bool) -> bool:
        assert self.view is not None
        match name:
            case "copy":
                return bool(self.answer)
            case "edit" | "retry":
                return idle and self.view.prompt is not None
            case "continue":
                return idle and self.view.continues
            case _:
                return idle and bool(self.answer)

    def recall(self, notes: Notes) -> None:
        """Draws, as it is mounted, the answers that were written before."""
        assert self.view is not None
        for node in self.view.nodes:
            if node.role != "assistant" or node.ending == "writing":
                continue
            for message in node.messages:
                self._recall(message.channel, message.recipient, message.text, len(message.token_ids or ()))
            self._recalled += notes(node)

    def _recall(self, channel: Channel | None, recipient: str | None, text: str, tokens: int) -> None:
        if not self._parts:
            self._recalled.append(self._model)
        part = _part(channel, recipient)
        if isinstance(part, Thinking):
            part.write(text, tokens, math.nan)
        else:
            part.recall(text)
        self._parts.append(part)
        self._recalled.append(part)

    async def reopen(self, node: Node) -> None:
        """Draws what an answer has that is being written: more of it will come."""
        for message in node.messages:
            await self.write(message.channel, message.recipient, message.text, len(message.token_ids or ()), math.nan)

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
        if not self._model.is_attached:
            await self.mount(self._model)
        part = _part(channel, recipient)
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


def _part(channel: Channel | None, recipient: str | None) -> Thinking | Answer:
    if recipient:
        return Thinking(f"Call of {visible_token(recipient)}")
    return Thinking("Thinking") if channel == "analysis" else Answer()
