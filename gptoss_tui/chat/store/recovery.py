"""What dead processes left half done: answers become interrupted ones, with the tokens that were saved.

The ids are put right at once; their text follows as soon as somebody has the vocabulary they belong to. Each function
is part of somebody's transaction. Knows neither files nor threads.
"""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Callable, Collection, Sequence

from gptoss_tui.chat.store import rows, search
from gptoss_tui.chat.store.packing import pack, unpack
from gptoss_tui.chat.tree import Ending
from gptoss_tui.harmony.messages import Message

RESTORABLE_S = 30 * 86_400.0
"""How long a deleted conversation can be restored."""

ReadBack = Callable[[Sequence[int]], tuple[tuple[Message, ...], Ending]]
"""An answer's ids as the messages that go into a conversation, and how it ended."""


def settle(c: sqlite3.Connection, living: Collection[str]) -> None:
    """Ends what was under way in processes that are none of `living`."""
    for (writer,) in c.execute("SELECT DISTINCT written_by FROM nodes WHERE written_by IS NOT NULL").fetchall():
        if writer not in living:
            _interrupt(c, writer)
    for (instance,) in c.execute("SELECT DISTINCT open_by FROM conversations WHERE open_by IS NOT NULL").fetchall():
        if instance not in living:
            c.execute("UPDATE conversations SET dropped = updated, open_by = NULL WHERE open_by = ?", (instance,))


def leave(c: sqlite3.Connection, instance: str, *, dropped: bool) -> None:
    """`instance` ends; `dropped`: it was not its person who left, and wants to go on there."""
    _interrupt(c, instance)
    c.execute(
        "UPDATE conversations SET open_by = NULL, dropped = ? WHERE open_by = ?",
        (time.time() if dropped else None, instance),
    )


def _interrupt(c: sqlite3.Connection, writer: str) -> None:
    for key, packed in c.execute("SELECT key, token_ids FROM nodes WHERE written_by = ?", (writer,)).fetchall():
        ids = max(unpack(packed), rows.get_pieces(c, key), key=len)
        c.execute(
            """UPDATE nodes SET token_ids = ?, tokens = ?, ending = 'interrupted', written_by = NULL, unread = ?
               WHERE key = ?""",
            (pack(ids), len(ids), bool(ids), key),
        )
        c.execute("DELETE FROM pieces WHERE node = ?", (key,))


def read_back(c: sqlite3.Connection, vocabulary: str, read: ReadBack) -> None:
    """Gives answers that were cut off their text, where their ids belong to `vocabulary`."""
    unread = c.execute("SELECT key, token_ids FROM nodes WHERE unread AND vocabulary = ?", (vocabulary,)).fetchall()
    for key, packed in unread:
        messages, ending = read(unpack(packed))
        rows.put_messages(c, key, messages)
        c.execute("UPDATE nodes SET unread = 0, ending = ? WHERE key = ?", (ending, key))


def purge(c: sqlite3.Connection, before: float) -> list[str]:
    """Removes what was deleted before that time for good, and returns the ids."""
    gone = c.execute("SELECT key, id FROM conversations WHERE deleted < ?", (before,)).fetchall()
    if gone:
        keys = [key for key, _ in gone]
        marks = ",".join("?" * len(keys))
        nodes = c.execute(f"SELECT key FROM nodes WHERE conversation IN ({marks})", keys).fetchall()
        search.forget(c, keys, [key for (key,) in nodes])
        c.execute(f"DELETE FROM conversations WHERE key IN ({marks})", keys)
    return [conversation_id for _, conversation_id in gone]
