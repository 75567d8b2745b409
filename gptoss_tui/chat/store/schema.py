"""The tables of the conversations' file, as numbered migrations, and the settings of every connection to it.

`PRAGMA user_version` counts the migrations that a file has been through. A migration that has landed is never changed:
what comes later is a new one behind it. Knows SQL; `database` knows when a file may be touched.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Sequence
from pathlib import Path

APPLICATION_ID = 0x67707473
"""Says whose file this is, in the header of the file itself."""

BUSY_S = 5.0
"""How long a connection waits for another process that is writing."""

MIGRATIONS: tuple[str, ...] = (
    """
    CREATE TABLE conversations (
        key INTEGER PRIMARY KEY,
        id TEXT NOT NULL UNIQUE,
        title TEXT NOT NULL,
        instructions TEXT,
        effort TEXT NOT NULL,
        date TEXT NOT NULL,
        model TEXT NOT NULL,
        folder TEXT,
        vocabulary TEXT NOT NULL,
        params TEXT NOT NULL,
        origin TEXT,
        head TEXT,
        created REAL NOT NULL,
        updated REAL NOT NULL,
        deleted REAL,
        open_by TEXT,
        dropped REAL
    );
    CREATE INDEX conversations_by_date ON conversations (updated);
    CREATE TABLE nodes (
        key INTEGER PRIMARY KEY,
        conversation INTEGER NOT NULL REFERENCES conversations (key) ON DELETE CASCADE,
        id TEXT NOT NULL,
        parent TEXT,
        role TEXT NOT NULL,
        ending TEXT,
        edited INTEGER NOT NULL,
        created REAL NOT NULL,
        tokens INTEGER NOT NULL,
        token_ids BLOB NOT NULL,
        vocabulary TEXT NOT NULL,
        figures TEXT,
        looked INTEGER NOT NULL DEFAULT 0,
        written_by TEXT,
        UNIQUE (conversation, id)
    );
    CREATE INDEX nodes_counted ON nodes (conversation, role, tokens);
    CREATE INDEX nodes_under_way ON nodes (ending) WHERE ending = 'writing';
    CREATE TABLE messages (
        node INTEGER NOT NULL REFERENCES nodes (key) ON DELETE CASCADE,
        place INTEGER NOT NULL,
        role TEXT NOT NULL,
        text TEXT NOT NULL,
        channel TEXT,
        recipient TEXT,
        name TEXT,
        constrain TEXT,
        complete INTEGER NOT NULL,
        token_ids BLOB,
        PRIMARY KEY (node, place)
    ) WITHOUT ROWID;
    CREATE TABLE pieces (
        node INTEGER NOT NULL REFERENCES nodes (key) ON DELETE CASCADE,
        first INTEGER NOT NULL,
        token_ids BLOB NOT NULL,
        PRIMARY KEY (node, first)
    ) WITHOUT ROWID;
    CREATE TABLE marks (name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
    """,
)
"""Each takes a file from the version before it to its own number, counted from 1."""


def connect(file: Path) -> sqlite3.Connection:
    """A connection that may write; `make_durable` comes next. Makes the file where there is none.

    The caller begins and ends transactions. Raises `sqlite3.Error`.
    """
    return sqlite3.connect(file, timeout=BUSY_S, isolation_level=None, check_same_thread=False)


def make_durable(connection: sqlite3.Connection) -> None:
    """Sets a connection so that a commit is on the disk when it returns. Changes the file. Raises `sqlite3.Error`."""
    if not version(connection):
        connection.execute("PRAGMA auto_vacuum = INCREMENTAL")  # holds for a new file only
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("PRAGMA synchronous = FULL")
    # On macOS an fsync stops at the drive's own cache, and these go on to the platter; elsewhere they do nothing.
    connection.execute("PRAGMA fullfsync = ON")
    connection.execute("PRAGMA checkpoint_fullfsync = ON")
    connection.execute("PRAGMA foreign_keys = ON")
    # What was deleted for good is not to be found in the file's free pages.
    connection.execute("PRAGMA secure_delete = ON")


def connect_to_read(file: Path) -> sqlite3.Connection:
    """A connection that only reads, also from a folder in which nothing may be written. Raises `sqlite3.Error`."""
    where = file.absolute().as_uri()
    try:
        return _reader(f"{where}?mode=ro")
    except sqlite3.OperationalError:
        # Reading a file in WAL mode makes two files beside it; where that is forbidden, nobody writes it either.
        return _reader(f"{where}?immutable=1")


def _reader(uri: str) -> sqlite3.Connection:
    connection = sqlite3.connect(uri, uri=True, timeout=BUSY_S, isolation_level=None, check_same_thread=False)
    try:
        connection.execute("SELECT count(*) FROM sqlite_schema").fetchone()
    except BaseException:
        connection.close()
        raise
    return connection


def version(connection: sqlite3.Connection) -> int:
    """The migrations that the file has been through."""
    return int(connection.execute("PRAGMA user_version").fetchone()[0])


def application(connection: sqlite3.Connection) -> int:
    """Whose file it says it is; 0 where it does not say."""
    return int(connection.execute("PRAGMA application_id").fetchone()[0])


def migrate(
    connection: sqlite3.Connection, back_up: Callable[[int], None], migrations: Sequence[str] = MIGRATIONS
) -> None:
    """Brings the file to the newest version, all or nothing; `back_up(version)` first, where it holds anything.

    Raises `sqlite3.Error`, and what `back_up` raises.
    """
    present = version(connection)
    if present >= len(migrations):
        return
    if present:
        back_up(present)
    steps = "".join(migrations[present:])
    connection.executescript(
        f"BEGIN IMMEDIATE; {steps} PRAGMA application_id = {APPLICATION_ID};"
        f" PRAGMA user_version = {len(migrations)}; COMMIT;"
    )
