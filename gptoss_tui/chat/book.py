"""One conversation with its tree, told to a journal step by step. Knows no engine and renders nothing."""

from __future__ import annotations

import datetime
import time
from collections.abc import Sequence
from dataclasses import replace

from gptoss_tui.chat import format
from gptoss_tui.chat.answers import recovered
from gptoss_tui.chat.attach import prompt_of
from gptoss_tui.chat.forks import forked
from gptoss_tui.chat.journal import Conversation, Journal, Written
from gptoss_tui.chat.tree import Node, Tree, new_id
from gptoss_tui.harmony import Harmony


class Book:
    """A conversation. What is done to its tree through here reaches the journal; an empty one is not worth telling."""

    def __init__(self, conversation: Conversation, tree: Tree, journal: Journal, *, known: bool) -> None:
        """`known`: the journal has this conversation as it is."""
        self.tree = tree
        self._conversation = conversation
        self._journal = journal
        self._known = known

    @classmethod
    def begun(cls, journal: Journal, date: str | None, tree: Tree | None = None) -> Book:
        """A new conversation, on today's date where `date` is None."""
        date = date if date is not None else datetime.date.today().isoformat()
        conversation = Conversation(new_id(), date=date, created=time.time())
        return cls(conversation, tree if tree is not None else Tree(), journal, known=False)

    def fork(self, path: Sequence[Node]) -> Book:
        """A new conversation that begins with a path of this one, on the same date: another one would be another
        prefix."""
        present = self._conversation
        conversation = replace(present, id=new_id(), created=time.time(), origin=present.id)
        book = Book(conversation, forked(path), self._journal, known=False)
        book._tell()
        return book

    @property
    def conversation(self) -> Conversation:
        """What holds for all of it."""
        return self._conversation

    def describe(self, conversation: Conversation) -> None:
        """Something about it has changed."""
        if conversation != self._conversation:
            self._conversation = conversation
            if self._known:
                self._journal.conversation(conversation)

    def recover(self, harmony: Harmony) -> None:
        """Ends the answers that were being written when the program that wrote them ended."""
        for node in self.tree.nodes:
            if node.ending == "writing":
                self.replace(recovered(harmony, node))

    def add(self, node: Node, written: Written | None = None) -> None:
        """A node more; `written` where it is an answer that begins."""
        if not self._conversation.title:
            self._conversation = replace(self._conversation, title=format.title(prompt_of(node.text)))
        self._tell()
        self.tree.add(node)
        self._journal.added(self._conversation.id, node, written)

    def replace(self, node: Node, written: Written | None = None) -> None:
        """A node has other contents; `written` where it goes on being written."""
        self._tell()
        self.tree.replace(node)
        self._journal.replaced(self._conversation.id, node, written)

    def move(self, head: str) -> None:
        """Another node is the last one of the path."""
        self._tell()
        self.tree.move(head)
        self._journal.moved(self._conversation.id, head)

    def _tell(self) -> None:
        """Tells the journal all there is, where it does not know it yet."""
        if self._known:
            return
        self._known = True
        self._journal.conversation(self._conversation)
        for node in self.tree.nodes:
            self._journal.added(self._conversation.id, node)
        if self.tree.head is not None:
            self._journal.moved(self._conversation.id, self.tree.head)
