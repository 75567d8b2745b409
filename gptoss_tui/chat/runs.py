"""Tokens' text put together: a front end draws a few times a second, and then all that goes to one place at once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from gptoss_tui.harmony.messages import Channel

if TYPE_CHECKING:
    from gptoss_tui.chat.events import Token


@dataclass(frozen=True, slots=True)
class Run:
    """Text of one or more tokens in a row that goes to the same channel and recipient."""

    channel: Channel | None
    recipient: str | None
    text: str
    """As the model wrote it: not safe to show."""
    tokens: int
    """How many tokens it is of."""
    elapsed_s: float
    """When the last of them was chosen, on the answer's clock."""


def runs(tokens: Sequence[Token]) -> list[Run]:
    """The text that these tokens add, in order; tokens that add none are left out."""
    found: list[Run] = []
    for token in tokens:
        for delta in token.deltas:
            if not delta.text:
                continue
            at = token.step.elapsed_s
            last = found[-1] if found else None
            if last is not None and (last.channel, last.recipient) == (delta.channel, delta.recipient):
                found[-1] = Run(last.channel, last.recipient, last.text + delta.text, last.tokens + 1, at)
            else:
                found.append(Run(delta.channel, delta.recipient, delta.text, 1, at))
    return found
