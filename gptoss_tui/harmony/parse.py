"""Sampled tokens to messages, one token at a time, whatever the model writes.

Never raises and loses no text. A header is read where `<|start|>` or `<|channel|>` begins one; what turns out to be no
header is text of the message that is being written, or of a plain one without a channel. Knows no model and no
conversation.
"""

from __future__ import annotations

import codecs
from collections.abc import Sequence

from gptoss_tui.harmony.headers import Header, HeaderReader
from gptoss_tui.harmony.messages import Channel, Delta, Message, Role
from gptoss_tui.harmony.vocabulary import Vocabulary

_PLAIN = Header("assistant")
_ENDS = ("<|end|>", "<|return|>", "<|call|>", "<|endoftext|>")


class Parser:
    """Feed it every sampled id, stop tokens included. The texts of a message's deltas concatenate to its text."""

    def __init__(
        self, vocabulary: Vocabulary, *, role: Role | None = "assistant", resume: Message | None = None
    ) -> None:
        """`role` is what the prompt's last header named, None before a `<|start|>`.

        `resume` is the message that the prompt left open: what comes first is more of its content, and deltas hold only
        what is new.
        """
        self._vocabulary = vocabulary
        self._start = vocabulary.special["<|start|>"]
        self._channel = vocabulary.special["<|channel|>"]
        self._message = vocabulary.special["<|message|>"]
        self._ends = frozenset(vocabulary.special[name] for name in _ENDS if name in vocabulary.special)
        self._done: list[Message] = []
        self._open: _Content | None = None
        self._header: HeaderReader | None = None
        if resume is not None:
            header = Header(resume.role, resume.channel, resume.recipient, resume.name, resume.constrain)
            self._open = _Content(header)
            ids = vocabulary.encode(resume.text) if resume.token_ids is None else resume.token_ids
            self._write(ids)
        elif role is not None:
            self._header = HeaderReader(role)

    @property
    def channel(self) -> Channel | None:
        """The channel of the message that is being written; None in a header and between messages."""
        return self._open.header.channel if self._open is not None and self._header is None else None

    def feed(self, token_id: int) -> list[Delta]:
        """What this token adds to the text: one delta, or none while it is part of the frame or of a character."""
        if self._header is not None:
            return self._feed_header(self._header, token_id)
        if token_id in (self._start, self._channel):
            self._begin_header(token_id)
            return []
        if token_id in self._ends:
            return self._close()
        if token_id == self._message and self._open is None:
            self._open = _Content(_PLAIN)
            return []
        return self._write([token_id])

    def finish(self) -> list[Message]:
        """The messages so far; the last one is not `complete` where no token ended it.

        Their `token_ids` are the sampled ids of the content. A character that the end cut in two is in the ids but not
        in the text, and a header that it cut off is in no message. May be called at any time: it changes nothing.
        """
        return self._done + ([] if self._open is None else [self._open.message(complete=False)])

    def _begin_header(self, token_id: int) -> None:
        if token_id == self._start:
            self._header = HeaderReader(opening=(token_id,))
            return
        self._header = HeaderReader("assistant")
        self._add(self._header, token_id)

    def _feed_header(self, header: HeaderReader, token_id: int) -> list[Delta]:
        if token_id == self._message:
            read = header.read()
            if read is None:
                return self._give_up([*header.ids, token_id])
            deltas = self._close()
            self._open = _Content(read)
            self._header = None
            return deltas
        if token_id in self._ends:
            deltas = self._give_up(header.ids)
            return _joined(deltas + self._close())
        if token_id == self._start or (token_id == self._channel and header.has_channel):
            deltas = self._give_up(header.ids)
            self._begin_header(token_id)
            return deltas
        return [] if self._add(header, token_id) else self._give_up(header.ids)

    def _add(self, header: HeaderReader, token_id: int) -> bool:
        special = self._vocabulary.is_special(token_id)
        return header.add(token_id, self._vocabulary.token_bytes(token_id), special=special)

    def _give_up(self, ids: Sequence[int]) -> list[Delta]:
        """What looked like a header is text after all."""
        self._header = None
        return self._write(ids)

    def _write(self, ids: Sequence[int]) -> list[Delta]:
        if not ids:
            return []
        if self._open is None:
            self._open = _Content(_PLAIN)
        content = self._open
        return self._delta(content, "".join(content.add(i, self._vocabulary.token_bytes(i)) for i in ids))

    def _close(self) -> list[Delta]:
        """Ends the message under way. A stop token where there is none ends nothing and says nothing."""
        content, self._header = self._open, None
        if content is None:
            return []
        deltas = self._delta(content, content.end())
        self._open = None
        self._done.append(content.message(complete=True))
        return deltas

    def _delta(self, content: _Content, text: str) -> list[Delta]:
        if not text:
            return []
        return [Delta(content.header.channel, text, content.header.recipient, message=len(self._done))]


class _Content:
    """The message that is being written."""

    __slots__ = ("_decoder", "_ids", "_texts", "header")

    def __init__(self, header: Header) -> None:
        self.header = header
        self._ids: list[int] = []
        self._texts: list[str] = []
        # As bytes.decode("utf-8", "replace") does it, but a character may arrive in parts.
        self._decoder = codecs.getincrementaldecoder("utf-8")("replace")

    def add(self, token_id: int, data: bytes) -> str:
        self._ids.append(token_id)
        return self._keep(self._decoder.decode(data))

    def end(self) -> str:
        return self._keep(self._decoder.decode(b"", final=True))

    def message(self, *, complete: bool) -> Message:
        header = self.header
        return Message(
            header.role,
            "".join(self._texts),
            channel=header.channel,
            recipient=header.recipient,
            name=header.name,
            constrain=header.constrain,
            token_ids=tuple(self._ids),
            complete=complete,
        )

    def _keep(self, text: str) -> str:
        if text:
            self._texts.append(text)
        return text


def _joined(deltas: list[Delta]) -> list[Delta]:
    """At most one delta a token: two of the same message become one."""
    if len(deltas) < 2:
        return deltas
    first = deltas[0]
    return [Delta(first.channel, "".join(d.text for d in deltas), first.recipient, first.message)]
