"""`Store`: keeps conversations for one process, as a `Journal`: tells the writer what happened, and never waits for it.

Also knows which processes run beside this one, and what the last one left behind. Knows no front end.
"""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from gptoss_tui.chat.journal import Conversation, Written
from gptoss_tui.chat.store import recovery, rows
from gptoss_tui.chat.store.codec import Archive
from gptoss_tui.chat.store.database import StoreError, default_folder
from gptoss_tui.chat.store.instances import Instance, Other, living, others
from gptoss_tui.chat.store.writer import Job, Writer
from gptoss_tui.chat.tree import Node, Tree


@dataclass(slots=True)
class _Known:
    """A conversation that this process has written to, as it told it last."""

    conversation: Conversation
    nodes: dict[str, Node] = field(default_factory=dict)
    head: str | None = None


class Store:
    """Keeps conversations in `folder` until `close`. A `Journal`; every call but those that say so returns at once."""

    def __init__(self, folder: Path | None = None, *, tell: Callable[[str], None] = lambda text: None) -> None:
        """`folder` None: the user's state folder. `tell` hears, on another thread, what a person should know."""
        self.folder = folder if folder is not None else default_folder()
        self._instance = Instance(self.folder)
        self._known: dict[str, _Known] = {}
        self._open = ""
        self._model_folder: str | None = None
        self._dropped = False
        self._writer = Writer(
            self.folder, tell, first=self._settle, last=self._leave, afresh=lambda: list(self._again())
        )

    @property
    def trouble(self) -> StoreError | None:
        """Why nothing is being saved at present; None where all is well."""
        return self._writer.trouble

    @property
    def open_conversation(self) -> str:
        """The id of the conversation that was written to last; empty before the first."""
        return self._open

    def ready(self, timeout: float = 10.0) -> bool:
        """Waits until the file is open, or cannot be opened; whether it is open."""
        return self._writer.ready(timeout)

    def flush(self, timeout: float = 5.0) -> bool:
        """Waits until all that happened so far is on the disk, a running answer's tokens too; whether it is."""
        return self._writer.flush(timeout)

    def close(self, timeout: float = 1.0, *, dropped: bool = False) -> bool:
        """Saves what is left and ends, waiting no longer than this; whether all is on the disk.

        `dropped`: a signal or a dead line ended the program, and its person will want to go on where it was.
        """
        self._dropped = dropped
        ended = self._writer.close(timeout)
        if ended:
            self._instance.close()
        return ended and self.trouble is None

    def uses(self, model_folder: Path) -> None:
        """Where the model that answers from now on was read from: a conversation is resumed with it."""
        self._model_folder = str(model_folder.absolute())

    def forget(self, conversation_id: str) -> None:
        """It was deleted, and is not what this process has open."""
        self._known.pop(conversation_id, None)
        if conversation_id == self._open:
            self._open = ""
            self._instance.tell("open", "")

    # Processes

    def others(self) -> list[Other]:
        """The gptoss processes that run beside this one."""
        return others(self.folder, self._instance.id)

    def finishing(self) -> None:
        """The terminal is gone; an answer is being finished."""
        self._instance.tell("finishing", self._open)

    # What a session tells

    def adopt(self, archive: Archive) -> None:
        """A conversation is gone on with."""
        known = _Known(archive.conversation, {node.id: node for node in archive.tree.nodes}, archive.tree.head)
        self._known[archive.conversation.id] = known
        self._opened(archive.conversation.id)

    def conversation(self, conversation: Conversation) -> None:
        """It begins, or something about it has changed."""
        known = self._known.setdefault(conversation.id, _Known(conversation))
        known.conversation = conversation
        self._writer.submit(partial(rows.put_conversation, conversation=conversation, folder=self._model_folder))
        if conversation.id != self._open:
            self._opened(conversation.id)

    def added(self, conversation_id: str, node: Node, written: Written | None = None) -> None:
        """A node more."""
        self._put(conversation_id, node, written)

    def replaced(self, conversation_id: str, node: Node, written: Written | None = None) -> None:
        """A node has other contents."""
        self._put(conversation_id, node, written)

    def moved(self, conversation_id: str, head: str | None) -> None:
        """Another node is the last one of what is shown."""
        if (known := self._known.get(conversation_id)) is not None:
            known.head = head
        self._writer.submit(partial(rows.put_head, conversation_id=conversation_id, head=head))

    def _put(self, conversation_id: str, node: Node, written: Written | None) -> None:
        if (known := self._known.get(conversation_id)) is not None:
            known.nodes[node.id] = node
        key = (conversation_id, node.id)
        writer = None if written is None else self._instance.id
        self._writer.unwatch(key)
        self._writer.submit(partial(rows.put_node, conversation_id=conversation_id, node=node, written_by=writer))
        if written is not None:

            def put(c: sqlite3.Connection, first: int, ids: Sequence[int]) -> None:
                rows.put_piece(c, conversation_id, node.id, first, ids)

            self._writer.watch(key, written, put)

    def _opened(self, conversation_id: str) -> None:
        self._open = conversation_id
        self._instance.tell("open", conversation_id)
        self._writer.submit(partial(rows.put_open, conversation_id=conversation_id, instance=self._instance.id))

    # On the writer's thread

    def _settle(self, c: sqlite3.Connection) -> None:
        """What dead processes left behind, and what was deleted long ago."""
        recovery.settle(c, {self._instance.id, *living(self.folder)})
        recovery.purge(c, time.time() - recovery.RESTORABLE_S)

    def _leave(self, c: sqlite3.Connection) -> None:
        recovery.leave(c, self._instance.id, dropped=self._dropped)

    def _again(self) -> Iterator[Job]:
        """All that this process knows, for a file that has lost it."""
        for known in list(self._known.values()):
            yield partial(_put_again, known, self._model_folder, self._instance.id)
        yield partial(rows.put_open, conversation_id=self._open, instance=self._instance.id)


def _put_again(known: _Known, folder: str | None, instance: str, c: sqlite3.Connection) -> None:
    rows.put_archive(c, Archive(known.conversation, Tree(list(known.nodes.values()), known.head)), folder)
    for node in known.nodes.values():
        if node.ending == "writing":
            rows.put_node(c, known.conversation.id, node, instance)
