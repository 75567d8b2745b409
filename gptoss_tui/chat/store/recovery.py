"""What dead processes left half done, and what was deleted: put right, and removed for good.

The tokens that were saved of an answer are gathered at once; they become an interrupted answer as soon as somebody has
the vocabulary that reads them. Each function is part of somebody's transaction. Knows neither files nor threads.
"""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Callable, Collection

from gptoss_tui.chat.store import rows, search
from gptoss_tui.chat.store.packing import pack
from gptoss_tui.chat.tree import Node

RESTORABLE_S = 30 * 86_400.0
"""How long a deleted conversation can be restored."""

ReadBack = Callable[[Node], Node]
"""An answer that was being written when its process died, as if it had been stopped there."""


def settle(c: sqlite3.Connection, living: Collection[str]) -> None:
    """Ends what was under way in processes that are none of `living`."""
    writing = "SELECT DISTINCT written_by FROM nodes WHERE ending = 'writing' AND written_by IS NOT NULL"
    for (writer,) in c.execute(writing).fetchall():
        if writer not in living:
            _gather(c, writer)
    for (instance,) in c.execute("SELECT DISTINCT open_by FROM conversations WHERE open_by IS NOT NULL").fetchall():
        if instance not in living:
            c.execute("UPDATE conversations SET dropped = updated, open_by = NULL WHERE open_by = ?", (instance,))


def leave(c: sqlite3.Connection, instance: str, *, dropped: bool) -> None:
    """`instance` ends; `dropped`: it was not its person who left, and wants to go on there."""
    _gather(c, instance)
    c.execute(
        "UPDATE conversations SET open_by = NULL, dropped = ? WHERE open_by = ?",
        (time.time() if dropped else None, instance),
    )


def _gather(c: sqlite3.Connection, writer: str) -> None:
    under_way = "SELECT key FROM nodes WHERE ending = 'writing' AND written_by = ?"
    for (key,) in c.execute(under_way, (writer,)).fetchall():
        ids = rows.saved_ids(c, key)
        c.execute(
            "UPDATE nodes SET token_ids = ?, tokens = ?, written_by = NULL WHERE key = ?", (pack(ids), len(ids), key)
        )
        c.execute("DELETE FROM pieces WHERE node = ?", (key,))


def left_over(c: sqlite3.Connection) -> list[tuple[str, str | None]]:
    """(vocabulary's digest, folder of the model) of answers that dead processes left, each pair once."""
    return c.execute(
        """SELECT DISTINCT nodes.vocabulary, folder FROM nodes JOIN conversations ON conversations.key = conversation
           WHERE ending = 'writing' AND written_by IS NULL AND nodes.tokens > 0"""
    ).fetchall()


def read_back(c: sqlite3.Connection, vocabulary: str, read: ReadBack) -> None:
    """Makes interrupted answers of those that dead processes left, where their ids belong to `vocabulary`."""
    left = c.execute(
        """SELECT DISTINCT conversations.id, conversations.key FROM nodes
           JOIN conversations ON conversations.key = conversation
           WHERE ending = 'writing' AND written_by IS NULL AND nodes.vocabulary = ?""",
        (vocabulary,),
    )
    for conversation_id, key in left.fetchall():
        under_way = rows.writers(c, conversation_id)
        updated = c.execute("SELECT updated FROM conversations WHERE key = ?", (key,)).fetchone()[0]
        for node in list(rows.get_nodes(c, key)):
            if node.ending == "writing" and node.vocabulary == vocabulary and node.id not in under_way:
                rows.put_node(c, conversation_id, read(node))
        # Reading is no change that lists should put first.
        c.execute("UPDATE conversations SET updated = ? WHERE key = ?", (updated, key))


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
