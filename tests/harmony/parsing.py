"""What the parser's tests share: completions spelled out, and what must hold of whatever is read from them."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace

from gptoss_tui.harmony import Harmony
from gptoss_tui.harmony.messages import Delta, Message


def ids_of(harmony: Harmony, spelled: str) -> list[int]:
    """Text with harmony's formatting tokens spelled out, as ids."""
    vocabulary = harmony.vocabulary
    ids: list[int] = []
    for part in re.split(r"(<\|\w+\|>)", spelled):
        ids += [vocabulary.special[part]] if part in vocabulary.special else vocabulary.encode(part)
    return ids


def parse(harmony: Harmony, ids: Sequence[int]) -> tuple[list[Message], list[Delta]]:
    parser = harmony.parser()
    fed = [parser.feed(token_id) for token_id in ids]
    assert all(len(deltas) <= 1 for deltas in fed)
    return parser.finish(), [delta for deltas in fed for delta in deltas]


def bare(messages: list[Message]) -> list[Message]:
    return [replace(message, token_ids=None) for message in messages]


def said(messages: list[Message]) -> list[tuple[str | None, str]]:
    return [(message.channel, message.text) for message in messages]


def assert_consistent(harmony: Harmony, messages: list[Message], deltas: list[Delta]) -> None:
    """Deltas make up the texts, the ids make up the texts, and only the last message may be open."""
    for place, message in enumerate(messages):
        own = [delta for delta in deltas if delta.message == place]
        assert "".join(delta.text for delta in own) == message.text
        assert {(d.channel, d.recipient) for d in own} <= {(message.channel, message.recipient)}
        assert message.token_ids is not None
        data = b"".join(map(harmony.vocabulary.token_bytes, message.token_ids))
        text = data.decode("utf-8", "replace")
        # A character that the end cut in two is left out of an open message.
        assert text == message.text or (not message.complete and text == message.text + "\ufffd")
    assert all(message.complete for message in messages[:-1])
    assert all(delta.text for delta in deltas)
