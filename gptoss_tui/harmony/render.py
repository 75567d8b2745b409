"""A conversation to tokens, in OpenAI's harmony format (openai/harmony, docs/format.md).

Decides what of a conversation the model still sees: the analysis of answers that are done is left out. Knows no model
and keeps nothing between calls: the same arguments give the same ids.
"""

from __future__ import annotations

import datetime
from collections.abc import Sequence

from gptoss_tui.errors import ParameterError
from gptoss_tui.harmony.messages import CHANNELS, EFFORTS, Effort, Message, Tool
from gptoss_tui.harmony.typescript import functions
from gptoss_tui.harmony.vocabulary import FORMATTING, Vocabulary

_IDENTITY = "You are ChatGPT, a large language model trained by OpenAI."
_CUTOFF = "2024-06"


def render(
    vocabulary: Vocabulary,
    messages: Sequence[Message],
    *,
    instructions: str | None = None,
    effort: Effort = "medium",
    tools: Sequence[Tool] = (),
    date: str | None = None,
) -> list[int]:
    """The ids of a whole prompt: system message, developer message where there is something to say, conversation.

    Ends with `<|start|>assistant`, or, where the last message is not `complete`, with that message's own content.
    `date` is ISO (2025-06-28); None takes today's. Empty instructions count as none. Raises `ParameterError` for an
    effort or a date that is none, and for a tool's message without the tool's name.
    """
    if effort not in EFFORTS:
        raise ParameterError(f"effort cannot be {effort!r}", f"Give one of {', '.join(EFFORTS)}.")
    writer = _Writer(vocabulary)
    writer.message("system", _system_text(effort, _iso_date(date), with_functions=bool(tools)))
    if instructions or tools:
        writer.message("developer", _developer_text(instructions, tools))
    left_open = bool(messages) and not messages[-1].complete
    kept = visible(messages)
    for place, message in enumerate(kept, 1):
        writer.conversation(message, closed=not (left_open and place == len(kept)))
    if not left_open:
        writer.special("<|start|>")
        writer.text("assistant")
    return writer.ids


def visible(messages: Sequence[Message]) -> list[Message]:
    """The messages that the model gets to see.

    Left out is the analysis of every answer that ended in a final message, and what an earlier answer was thinking when
    it was stopped. The analysis of an answer that is waiting for a tool stays: it is the same train of thought.
    """
    kept: list[Message] = []
    turn: list[Message] = []
    for message in messages:
        if message.role == "user" and turn:
            kept += _visible_turn(turn, over=True)
            turn = []
        turn.append(message)
    return kept + _visible_turn(turn, over=False)


def _visible_turn(turn: list[Message], *, over: bool) -> list[Message]:
    """`turn` is what was asked and all that answered it; `over` where something was asked after it."""
    told = [message for message in turn if message.role == "assistant" and message.channel != "analysis"]
    ended = bool(told) and told[-1].channel == "final"
    if ended and (over or (told[-1] is turn[-1] and told[-1].complete)):
        return [message for message in turn if message.channel != "analysis"]
    while over and turn[-1].channel == "analysis":
        turn = turn[:-1]
    return turn


class _Writer:
    """Collects ids. Each run of text is encoded by itself, since tokens do not reach across special ones."""

    def __init__(self, vocabulary: Vocabulary) -> None:
        self.ids: list[int] = []
        self._vocabulary = vocabulary
        self._formatting = frozenset(vocabulary.special[name] for name in FORMATTING)

    def special(self, name: str) -> None:
        self.ids.append(self._vocabulary.special[name])

    def text(self, text: str) -> None:
        self.ids += self._vocabulary.encode(text)

    def message(self, role: str, text: str) -> None:
        self.special("<|start|>")
        self.text(role)
        self.special("<|message|>")
        self.text(text)
        self.special("<|end|>")

    def conversation(self, message: Message, *, closed: bool) -> None:
        self.special("<|start|>")
        recipient = message.recipient
        if message.role == "tool":
            if not message.name:
                raise ParameterError(
                    "A tool's message does not say which tool", "Make it with Message.tool(name, text)."
                )
            self.text(message.name)
            recipient = recipient or "assistant"
        else:
            self.text(message.role)
        if recipient:
            self.text(f" to={recipient}")
        if message.channel:
            self.special("<|channel|>")
            self.text(message.channel)
        if message.constrain:
            self.text(" ")
            self.special("<|constrain|>")
            self.text(message.constrain)
        self.special("<|message|>")
        self._content(message)
        if closed:
            self.special("<|call|>" if message.is_call else "<|end|>")

    def _content(self, message: Message) -> None:
        # A malformed answer may hold formatting tokens in its content. Verbatim they would break the frame around it;
        # as text they are what the person saw.
        if message.token_ids is None or not self._formatting.isdisjoint(message.token_ids):
            self.text(message.text)
        else:
            self.ids += message.token_ids


def _system_text(effort: Effort, date: str, *, with_functions: bool) -> str:
    channels = f"# Valid channels: {', '.join(CHANNELS)}. Channel must be included for every message."
    if with_functions:
        channels += "\nCalls to these tools must go to the commentary channel: 'functions'."
    head = f"{_IDENTITY}\nKnowledge cutoff: {_CUTOFF}\nCurrent date: {date}"
    return "\n\n".join((head, f"Reasoning: {effort}", channels))


def _developer_text(instructions: str | None, tools: Sequence[Tool]) -> str:
    sections = [f"# Instructions\n\n{instructions}"] if instructions else []
    if tools:
        sections.append(functions(tools))
    return "\n\n".join(sections)


def _iso_date(date: str | None) -> str:
    if date is None:
        return datetime.date.today().isoformat()
    try:
        return datetime.date.fromisoformat(date).isoformat()
    except (TypeError, ValueError) as error:
        raise ParameterError(f"date cannot be {date!r}", "Give it as YEAR-MONTH-DAY, such as 2025-06-28.") from error
