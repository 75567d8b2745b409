"""Full-text search over titles and texts: SQLite's FTS5 where it was built with it, reading everything where not.

The index is kept by hand instead of by triggers: a SQLite without FTS5 must be able to write the same file, and leaves
a mark that the index is behind. Knows the tables it indexes by their keys only.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from gptoss_tui.chat.store.packing import unpack_text

_AROUND = 60
"""Characters that an excerpt shows on either side of what was found."""
_WORDS = 16
_MOST = 300
"""Places that are looked at, best first: whoever finds more gives another word."""


@dataclass(frozen=True, slots=True)
class Match:
    """A conversation in which something was found."""

    conversation_id: str
    node_id: str | None
    """Where it was found best; None: in the title."""
    excerpt: str
    """Some of the text around it, unsafe as it was written."""


def prepare(c: sqlite3.Connection) -> bool:
    """Makes the index, or brings it up to date; False where this SQLite has none."""
    try:
        known = c.execute("SELECT 1 FROM sqlite_schema WHERE name = 'found'").fetchone()
        if known is None:
            c.execute("CREATE VIRTUAL TABLE found USING fts5 (text, tokenize = 'unicode61 remove_diacritics 2')")
        else:
            c.execute("SELECT rowid FROM found LIMIT 1").fetchone()
    except sqlite3.OperationalError as fault:
        if not _lacking(fault):
            raise
        return False
    behind = c.execute("DELETE FROM marks WHERE name = 'index' RETURNING 1").fetchall()
    if known is None or behind:
        c.execute("DELETE FROM found")
        for key, title in c.execute("SELECT key, title FROM conversations").fetchall():
            index_title(c, key, unpack_text(title))
        for key, text in _texts(c):
            index_node(c, key, text)
    return True


def index_title(c: sqlite3.Connection, conversation: int, title: str) -> None:
    """A conversation, by its row, has this title."""
    _index(c, 2 * conversation + 1, title)


def index_node(c: sqlite3.Connection, node: int, text: str) -> None:
    """A node, by its row, has this text."""
    _index(c, 2 * node, text)


def forget(c: sqlite3.Connection, conversations: Iterable[int], nodes: Iterable[int]) -> None:
    """These rows go away; what was said in them is not to be found in the index's own pages either."""
    try:
        for row in (*(2 * key + 1 for key in conversations), *(2 * key for key in nodes)):
            c.execute("DELETE FROM found WHERE rowid = ?", (row,))
        c.execute("INSERT INTO found (found) VALUES ('optimize')")
    except sqlite3.OperationalError as fault:
        _behind(c, fault)


def _index(c: sqlite3.Connection, row: int, text: str) -> None:
    try:
        c.execute("DELETE FROM found WHERE rowid = ?", (row,))
        if text:
            c.execute("INSERT INTO found (rowid, text) VALUES (?, ?)", (row, _encodable(text)))
    except sqlite3.OperationalError as fault:
        _behind(c, fault)


def _behind(c: sqlite3.Connection, fault: sqlite3.OperationalError) -> None:
    if not _lacking(fault):
        raise fault
    c.execute("INSERT OR REPLACE INTO marks VALUES ('index', 'behind')")


def _lacking(fault: sqlite3.OperationalError) -> bool:
    """True where it is FTS5, or the index, that is not there."""
    return str(fault).startswith("no such")


def search(c: sqlite3.Connection, words: str) -> list[Match]:
    """The conversations that hold all of these words in one text or title, the best one first; a word may be a
    beginning. What a full-text index does not know as a word, such as a part of a Chinese sentence, is found too."""
    wanted = words.split()
    if not wanted:
        return []
    return _indexed(c, wanted) or _read_through(c, wanted)


def _indexed(c: sqlite3.Connection, wanted: Sequence[str]) -> list[Match]:
    query = " ".join('"' + _encodable(word).replace('"', '""').replace("\0", " ") + '"*' for word in wanted)
    try:
        rows = c.execute(
            "SELECT rowid, snippet(found, 0, '', '', '…', ?) FROM found WHERE found MATCH ? ORDER BY rank LIMIT ?",
            (_WORDS, query, _MOST),
        ).fetchall()
    except sqlite3.OperationalError:
        return []
    return _matches(c, rows)


def _read_through(c: sqlite3.Connection, wanted: Sequence[str]) -> list[Match]:
    words = [word.casefold() for word in wanted]
    titles = c.execute("SELECT 2 * key + 1, title FROM conversations ORDER BY updated DESC").fetchall()
    texts = [(2 * key, text) for key, text in _texts(c)]
    rows: list[tuple[int, str]] = []
    for row, text in (*((row, unpack_text(title)) for row, title in titles), *reversed(texts)):
        folded = text.casefold()
        if all(word in folded for word in words):
            at = folded.index(words[0])
            rows.append((row, text[max(0, at - _AROUND) : at + _AROUND]))
    return _matches(c, rows)


def _texts(c: sqlite3.Connection) -> list[tuple[int, str]]:
    said: dict[int, list[str]] = {}
    for key, text in c.execute("SELECT node, text FROM messages ORDER BY node, place"):
        said.setdefault(key, []).append(unpack_text(text))
    return [(key, "\n\n".join(texts)) for key, texts in said.items()]


def _matches(c: sqlite3.Connection, rows: Sequence[tuple[int, str]]) -> list[Match]:
    """The first of each conversation that is not deleted."""
    found: dict[str, Match] = {}
    for row, excerpt in rows:
        if row % 2:
            told = c.execute("SELECT id, NULL FROM conversations WHERE key = ? AND deleted IS NULL", (row // 2,))
        else:
            told = c.execute(
                """SELECT conversations.id, nodes.id FROM nodes
                   JOIN conversations ON conversations.key = nodes.conversation
                   WHERE nodes.key = ? AND deleted IS NULL""",
                (row // 2,),
            )
        for conversation_id, node_id in told.fetchall():
            found.setdefault(conversation_id, Match(conversation_id, node_id, " ".join(excerpt.split())))
    return list(found.values())


def _encodable(text: str) -> str:
    return text.encode("utf-8", "replace").decode()
