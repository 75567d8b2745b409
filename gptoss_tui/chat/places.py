"""Places in a prompt that are come back to: how the next one begins, and where others may leave this one. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from gptoss_tui.harmony.messages import Message
from gptoss_tui.harmony.vocabulary import Vocabulary

RECENT = 6
"""Prompts, newest first, whose editing is kept cheap, besides the first one of all."""


def next_prompt(messages: Sequence[Message]) -> Message:
    """What comes next as far as it is known now: the beginning of a person's message, or of a tool's answer."""
    last = messages[-1] if messages else None
    if last is not None and last.is_call and last.recipient is not None:
        return replace(Message.tool(last.recipient, ""), complete=False)
    return replace(Message.user(""), complete=False)


def pins(vocabulary: Vocabulary, ids: Sequence[int]) -> tuple[int, ...]:
    """Where another prompt may leave this one, likeliest first: at its end (another answer), and where the text of each
    of the newest prompts, and of the first one, begins (an edit)."""
    frame = [vocabulary.special["<|start|>"], *vocabulary.encode("user"), vocabulary.special["<|message|>"]]
    texts: list[int] = []
    at = -1
    while True:
        try:
            at = ids.index(frame[-1], at + 1)
        except ValueError:
            break
        # Texts hold no special tokens, so this can only be the frame of a person's message.
        if list(ids[at + 1 - len(frame) : at + 1]) == frame:
            texts.append(at + 1)
    kept = [*reversed(texts[-RECENT:]), *texts[:1]]
    return tuple(dict.fromkeys((len(ids) - 1, *kept)))
