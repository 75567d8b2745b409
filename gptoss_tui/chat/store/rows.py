"""Conversations and nodes as rows: written, read back, and told apart. Each function is part of somebody's transaction.

Knows the tables and neither files nor threads.
"""

from __future__ import annotations

import json
import sqlite3
import time
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

from gptoss_tui.chat.journal import Conversation
from gptoss_tui.chat.store import search
from gptoss_tui.chat.store.codec import Archive, figures_from_json, figures_to_json, params_from_json
from gptoss_tui.chat.store.packing import pack, pack_text, unpack, unpack_text
from gptoss_tui.chat.tree import Node, Tree
from gptoss_tui.harmony.messages import Message


@dataclass(frozen=True, slots=True)
class Listed:
    """One conversation in a list."""

    id: str
    title: str
    """Unsafe, as it came from a person or a file."""
    model: str
    folder: str | None
    """Where its model was read from, on this machine."""
    created: float
    updated: float
    """Unix seconds."""
    deleted: float | None
    """When it was deleted; it can be restored until it is purged."""
    prompts: int
    tokens: int
    """Tokens that its answers hold."""
    open_by: str | None
    """The instance that has it open, or had it open when it died."""
    dropped: float | None
    """When it lost its terminal or its process; None where its person left it."""


def put_conversation(c: sqlite3.Connection, conversation: Conversation, folder: str | None = None) -> None:
    """Writes what holds for a whole conversation; a new row where it is new. `folder`: where its model is."""
    fields = (
        pack_text(conversation.title),
        _packed(conversation.instructions),
        conversation.effort,
        pack_text(conversation.date),
        pack_text(conversation.model),
        pack_text(conversation.vocabulary),
        json.dumps(asdict(conversation.params)),
        conversation.origin,
        time.time(),
    )
    c.execute(
        """INSERT INTO conversations
           (id, created, folder, title, instructions, effort, date, model, vocabulary, params, origin, updated)
           VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
           ON CONFLICT (id) DO UPDATE SET (folder, title, instructions, effort, date, model, vocabulary, params, origin,
           updated) = (coalesce(excluded.folder, folder), excluded.title, excluded.instructions, excluded.effort,
           excluded.date, excluded.model, excluded.vocabulary, excluded.params, excluded.origin, excluded.updated)""",
        (conversation.id, conversation.created, folder, *fields),
    )
    search.index_title(c, key_of(c, conversation.id), conversation.title)


def key_of(c: sqlite3.Connection, conversation_id: str) -> int:
    """The row of a conversation. Raises `KeyError`."""
    row = c.execute("SELECT key FROM conversations WHERE id = ?", (conversation_id,)).fetchone()
    if row is None:
        raise KeyError(conversation_id)
    return int(row[0])


def put_node(c: sqlite3.Connection, conversation_id: str, node: Node, written_by: str | None = None) -> None:
    """Writes a node, or what it has become. `written_by`: the instance that goes on writing it."""
    conversation = key_of(c, conversation_id)
    figures = None if node.figures is None else json.dumps(figures_to_json(node.figures))
    c.execute(
        """INSERT INTO nodes
           (conversation, id, parent, role, ending, edited, created, token_ids, tokens, vocabulary, figures, written_by)
           VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
           ON CONFLICT (conversation, id) DO UPDATE SET (ending, edited, token_ids, tokens, vocabulary, figures,
           written_by) = (excluded.ending, excluded.edited, excluded.token_ids, excluded.tokens, excluded.vocabulary,
           excluded.figures, excluded.written_by)""",
        (
            *(conversation, node.id, node.parent, node.role, node.ending, node.edited, node.created),
            *(pack(node.token_ids), len(node.token_ids), pack_text(node.vocabulary), figures, written_by),
        ),
    )
    key = node_key(c, conversation, node.id)
    put_messages(c, key, node.messages)
    c.execute("DELETE FROM pieces WHERE node = ?", (key,))
    c.execute("UPDATE conversations SET updated = ? WHERE key = ?", (time.time(), conversation))


def node_key(c: sqlite3.Connection, conversation: int, node_id: str) -> int:
    """The row of a node. Raises `KeyError`."""
    row = c.execute("SELECT key FROM nodes WHERE conversation = ? AND id = ?", (conversation, node_id)).fetchone()
    if row is None:
        raise KeyError(node_id)
    return int(row[0])


def put_messages(c: sqlite3.Connection, key: int, messages: Sequence[Message]) -> None:
    """Writes what a node says, in place of what it said."""
    c.execute("DELETE FROM messages WHERE node = ?", (key,))
    c.executemany(
        "INSERT INTO messages VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        (
            (
                *(key, place, m.role, pack_text(m.text), m.channel),
                *map(_packed, (m.recipient, m.name, m.constrain)),
                *(m.complete, None if m.token_ids is None else pack(m.token_ids)),
            )
            for place, m in enumerate(messages)
        ),
    )
    search.index_node(c, key, "\n\n".join(message.text for message in messages))


def put_piece(c: sqlite3.Connection, conversation_id: str, node_id: str, first: int, ids: Sequence[int]) -> None:
    """More of an answer that is being written: the ids from place `first` on."""
    key = node_key(c, key_of(c, conversation_id), node_id)
    c.execute("INSERT OR REPLACE INTO pieces VALUES (?, ?, ?)", (key, first, pack(ids)))


def put_head(c: sqlite3.Connection, conversation_id: str, head: str | None) -> None:
    """What is shown ends with this node from now on; the way to it was looked at last."""
    conversation = key_of(c, conversation_id)
    c.execute("UPDATE conversations SET head = ?, updated = ? WHERE key = ?", (head, time.time(), conversation))
    path = """WITH RECURSIVE path (id, parent, looked) AS (
        SELECT id, parent, looked FROM nodes WHERE conversation = :key AND id = :head
        UNION ALL
        SELECT nodes.id, nodes.parent, nodes.looked FROM nodes JOIN path ON nodes.id = path.parent
        WHERE nodes.conversation = :key)
        SELECT id, parent FROM path WHERE NOT looked"""
    for node_id, parent in c.execute(path, {"key": conversation, "head": head}).fetchall():
        c.execute(
            "UPDATE nodes SET looked = (id = ?) WHERE conversation = ? AND parent IS ?", (node_id, conversation, parent)
        )


def put_open(c: sqlite3.Connection, conversation_id: str, instance: str) -> None:
    """`instance` has this conversation open from now on, and no other."""
    c.execute("UPDATE conversations SET open_by = NULL, dropped = NULL WHERE open_by = ?", (instance,))
    c.execute(
        "UPDATE conversations SET open_by = ?, dropped = NULL, deleted = NULL WHERE id = ?", (instance, conversation_id)
    )


def put_archive(c: sqlite3.Connection, archive: Archive, folder: str | None = None) -> None:
    """Writes a whole conversation."""
    conversation_id = archive.conversation.id
    put_conversation(c, archive.conversation, folder)
    for node in archive.tree.nodes:
        put_node(c, conversation_id, node)
    put_head(c, conversation_id, archive.tree.head)
    key = key_of(c, conversation_id)
    c.execute("UPDATE nodes SET looked = 0 WHERE conversation = ?", (key,))
    for child in archive.tree.looked.values():
        c.execute("UPDATE nodes SET looked = 1 WHERE conversation = ? AND id = ?", (key, child))
    if archive.updated:
        c.execute("UPDATE conversations SET updated = ? WHERE key = ?", (archive.updated, key))


def get_archive(c: sqlite3.Connection, conversation_id: str) -> Archive:
    """A whole conversation. Raises `KeyError`.

    An answer whose ending is `writing` holds the ids that were saved of it, and no text of its own yet: a process is
    writing it, or died over it.
    """
    row = c.execute(
        """SELECT key, title, instructions, effort, date, model, vocabulary, params, origin, created, updated, head
           FROM conversations WHERE id = ?""",
        (conversation_id,),
    ).fetchone()
    if row is None:
        raise KeyError(conversation_id)
    key, title, instructions, effort, date, model, vocabulary, params, origin, created, updated, head = row
    conversation = Conversation(
        id=conversation_id,
        title=unpack_text(title),
        instructions=_unpacked(instructions),
        effort=effort,
        date=unpack_text(date),
        model=unpack_text(model),
        vocabulary=unpack_text(vocabulary),
        params=params_from_json(json.loads(params)),
        created=created,
        origin=origin,
    )
    looked = c.execute("SELECT parent, id FROM nodes WHERE conversation = ? AND looked", (key,))
    return Archive(conversation, Tree(get_nodes(c, key), head, dict(looked.fetchall())), updated)


def get_nodes(c: sqlite3.Connection, conversation: int) -> Iterator[Node]:
    """The nodes of the conversation in that row, in order of creation."""
    said: dict[int, list[Message]] = {}
    for key, message in _messages(c, conversation):
        said.setdefault(key, []).append(message)
    rows = c.execute(
        """SELECT key, id, parent, role, ending, edited, created, token_ids, vocabulary, figures, written_by
           FROM nodes WHERE conversation = ? ORDER BY key""",
        (conversation,),
    )
    for key, node_id, parent, role, ending, edited, created, ids, vocabulary, figures, written_by in rows.fetchall():
        node = Node(
            id=node_id,
            parent=parent,
            role=role,
            messages=tuple(said.get(key, ())),
            token_ids=unpack(ids),
            vocabulary=unpack_text(vocabulary),
            ending=ending,
            figures=None if figures is None else figures_from_json(json.loads(figures)),
            edited=bool(edited),
            created=created,
        )
        yield node if written_by is None else replace(node, token_ids=saved_ids(c, key))


def saved_ids(c: sqlite3.Connection, key: int) -> tuple[int, ...]:
    """The ids that were saved of an answer under way; of one that was gone on with, at least what it had before."""
    pieces = c.execute("SELECT token_ids FROM pieces WHERE node = ? ORDER BY first", (key,))
    written = tuple(token for (packed,) in pieces for token in unpack(packed))
    begun = c.execute("SELECT token_ids FROM nodes WHERE key = ?", (key,)).fetchone()
    return written or unpack(begun[0])


def writers(c: sqlite3.Connection, conversation_id: str) -> dict[str, str]:
    """For each answer under way its node's id, and the instance that writes it."""
    rows = c.execute(
        """SELECT nodes.id, written_by FROM nodes JOIN conversations ON conversations.key = conversation
           WHERE ending = 'writing' AND written_by IS NOT NULL AND conversations.id = ?""",
        (conversation_id,),
    )
    return dict(rows.fetchall())


def _messages(c: sqlite3.Connection, conversation: int) -> Iterator[tuple[int, Message]]:
    rows = c.execute(
        """SELECT node, messages.role, text, channel, recipient, name, constrain, complete, messages.token_ids
           FROM messages JOIN nodes ON nodes.key = node WHERE conversation = ? ORDER BY node, place""",
        (conversation,),
    )
    for key, role, text, channel, *names, complete, ids in rows:
        recipient, name, constrain = map(_unpacked, names)
        yield (
            key,
            Message(
                role,
                unpack_text(text),
                channel=channel,
                recipient=recipient,
                name=name,
                constrain=constrain,
                token_ids=None if ids is None else unpack(ids),
                complete=bool(complete),
            ),
        )


_LISTED = """SELECT id, title, model, folder, created, updated, deleted,
    (SELECT count(*) FROM nodes WHERE conversation = conversations.key AND role = 'user'),
    (SELECT coalesce(sum(tokens), 0) FROM nodes WHERE conversation = conversations.key),
    open_by, dropped FROM conversations"""


def list_conversations(c: sqlite3.Connection, *, deleted: bool = False) -> list[Listed]:
    """The conversations, the one that changed last first; `deleted`: those that can be restored, instead."""
    which = "NOT NULL" if deleted else "NULL"
    rows = c.execute(f"{_LISTED} WHERE deleted IS {which} ORDER BY updated DESC, key DESC")
    return [_listed(row) for row in rows]


def find_conversations(c: sqlite3.Connection, prefix: str) -> list[Listed]:
    """The conversations whose id begins with `prefix`, deleted ones included."""
    rows = c.execute(f"{_LISTED} WHERE substr(id, 1, ?) = ? ORDER BY updated DESC", (len(prefix), prefix))
    return [_listed(row) for row in rows]


def _listed(row: Sequence[Any]) -> Listed:
    conversation_id, title, model, *others = row
    return Listed(conversation_id, unpack_text(title), unpack_text(model), *others)


def _packed(text: str | None) -> str | bytes | None:
    return None if text is None else pack_text(text)


def _unpacked(stored: str | bytes | None) -> str | None:
    return None if stored is None else unpack_text(stored)
