"""What a session tells whoever keeps its conversations. Knows no file: `NullJournal` keeps nothing.

Every call returns at once and raises nothing: whoever keeps things does so on a thread of its own, and a disk that is
full must not end an answer.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Protocol

from gptoss_tui.chat.tree import Node
from gptoss_tui.engine.params import SamplingParams
from gptoss_tui.harmony.messages import Effort

Written = Callable[[], tuple[int, ...]]
"""The `token_ids` that a running answer would have if it ended now: what a continued one had before comes first.

From any thread, at any time, also long after the answer has ended; needs nobody to take the turn's events.
"""


@dataclass(frozen=True, slots=True)
class Conversation:
    """What holds for a whole conversation: all of its prompts begin with it, and the lists of conversations show it."""

    id: str
    """uuid4, as 32 hexadecimal digits."""
    title: str = ""
    """Empty before the first prompt."""
    instructions: str | None = None
    """The developer message, as it is now."""
    effort: Effort = "medium"
    date: str = ""
    """What the model is told, ISO; fixed from the first prompt on."""
    model: str = ""
    """The name of the model that answered last."""
    vocabulary: str = ""
    """The digest of that model's vocabulary."""
    params: SamplingParams = field(default_factory=SamplingParams)
    created: float = 0.0
    """Unix time in seconds."""
    origin: str | None = None
    """The conversation that this one was forked from."""


class Journal(Protocol):
    """Whoever keeps conversations. Called on the session's thread, in the order in which things happen."""

    def conversation(self, conversation: Conversation) -> None:
        """A conversation begins with its first node, or something about it has changed."""

    def added(self, conversation_id: str, node: Node, written: Written | None = None) -> None:
        """A node more. With `written` it is an answer that begins now; `replaced` comes when it has ended."""

    def replaced(self, conversation_id: str, node: Node, written: Written | None = None) -> None:
        """A node has other contents: its answer has ended. With `written`: it goes on being written from now on."""

    def moved(self, conversation_id: str, head: str | None) -> None:
        """Another node is the last one of what is shown."""


class NullJournal:
    """Keeps nothing: a private conversation."""

    def conversation(self, conversation: Conversation) -> None:
        """Not kept."""

    def added(self, conversation_id: str, node: Node, written: Written | None = None) -> None:
        """Not kept."""

    def replaced(self, conversation_id: str, node: Node, written: Written | None = None) -> None:
        """Not kept."""

    def moved(self, conversation_id: str, head: str | None) -> None:
        """Not kept."""
