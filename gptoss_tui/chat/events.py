"""What a turn tells a front end: the engine's events with text in place of bare ids."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from gptoss_tui.engine.events import Finished, PrefillProgress, Step
from gptoss_tui.harmony.messages import Delta, Message

TurnReason = Literal["stop", "length", "context", "interrupted", "tool_call"]


@dataclass(frozen=True, slots=True)
class Token:
    """One token of the answer."""

    step: Step
    piece: str
    r"""The token as it is, for people: special ones by name, bytes that are no whole character as `\xNN`."""
    special: bool
    """True for a special token."""
    deltas: tuple[Delta, ...]
    """What it adds to the answer's messages; none for a header, a stop token, or a part of a character."""


@dataclass(frozen=True, slots=True)
class TurnFinished:
    """The last event of every turn that ends without a fault."""

    finished: Finished
    """The engine's figures."""
    reason: TurnReason
    """As the engine's; `tool_call` where the stop token was `<|call|>`."""
    text: str
    """The final channel: its deltas, put together."""
    analysis: str
    """The analysis channel; an empty line between two messages."""
    messages: tuple[Message, ...]
    """Everything that was written, as it was parsed; the last one is not complete where the answer was cut off."""


TurnEvent = PrefillProgress | Token | TurnFinished
