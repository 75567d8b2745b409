"""A journal that keeps everything in memory, and checks that what it is told makes sense."""

from __future__ import annotations

from dataclasses import dataclass, field

from gptoss_tui.chat.journal import Conversation, Written
from gptoss_tui.chat.tree import Node, Tree


@dataclass
class Kept:
    """One conversation as it was told."""

    conversation: Conversation
    tree: Tree = field(default_factory=Tree)
    written: dict[str, Written] = field(default_factory=dict)
    """Of the answers that are being written."""


class RecordingJournal:
    """Raises where a node comes before its conversation or its parent, or a head before its node."""

    def __init__(self) -> None:
        self.kept: dict[str, Kept] = {}

    def conversation(self, conversation: Conversation) -> None:
        if conversation.id in self.kept:
            self.kept[conversation.id].conversation = conversation
        else:
            self.kept[conversation.id] = Kept(conversation)

    def added(self, conversation_id: str, node: Node, written: Written | None = None) -> None:
        kept = self.kept[conversation_id]
        kept.tree.add(node)
        self._writing(kept, node, written)

    def replaced(self, conversation_id: str, node: Node, written: Written | None = None) -> None:
        kept = self.kept[conversation_id]
        kept.tree.replace(node)
        self._writing(kept, node, written)

    def moved(self, conversation_id: str, head: str | None) -> None:
        self.kept[conversation_id].tree.move(head)

    def _writing(self, kept: Kept, node: Node, written: Written | None) -> None:
        assert (node.ending == "writing") == (written is not None)
        kept.written.pop(node.id, None)
        if written is not None:
            kept.written[node.id] = written
