"""`Harmony`: one object for all that a conversation needs to become tokens and to come back from them."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from gptoss_tui.harmony.messages import Effort, Message, Role, Tool
from gptoss_tui.harmony.parse import Parser
from gptoss_tui.harmony.render import render
from gptoss_tui.harmony.vocabulary import Vocabulary, load_vocabulary


class Harmony:
    """The vocabulary of one checkpoint, and harmony's format on it. Immutable; may be used from several threads."""

    def __init__(self, vocabulary: Vocabulary) -> None:
        self.vocabulary = vocabulary
        stops = ("<|return|>", "<|call|>", "<|endoftext|>")
        self.stop_ids = frozenset(vocabulary.special[name] for name in stops if name in vocabulary.special)
        """Tokens that end an answer. `<|end|>` is none: it ends one message of it."""

    @classmethod
    def load(cls, folder: Path | str) -> Harmony:
        """Reads `folder`/tokenizer.json; raises `VocabularyError`."""
        return cls(load_vocabulary(folder))

    def render(
        self,
        messages: Sequence[Message],
        *,
        instructions: str | None = None,
        effort: Effort = "medium",
        tools: Sequence[Tool] = (),
        date: str | None = None,
    ) -> list[int]:
        """The ids of a whole prompt; see `gptoss_tui.harmony.render.render`."""
        return render(self.vocabulary, messages, instructions=instructions, effort=effort, tools=tools, date=date)

    def parser(self, *, role: Role | None = "assistant", resume: Message | None = None) -> Parser:
        """A new parser for one answer; see `gptoss_tui.harmony.parse.Parser`."""
        return Parser(self.vocabulary, role=role, resume=resume)

    def piece(self, token_id: int) -> str:
        r"""The token for people: special ones by name, bytes that are no whole character as `\xNN`."""
        return self.vocabulary.piece(token_id)
