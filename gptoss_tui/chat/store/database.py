"""Opens the conversations' file, whatever state it is in: new, old, damaged, of a newer program, or not to be written.

Folder 0700, files 0600. A damaged file is kept aside under a dated name and a new one begun; an old one is backed up
before it is changed; one of a newer program is left alone. Knows no conversation.
"""

from __future__ import annotations

import fcntl
import os
import sqlite3
import time
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from gptoss_tui.chat.store import schema, search
from gptoss_tui.errors import GptOssError

FILE = "conversations.db"
BACKUPS_KEPT = 3
CHECKED_BYTES = 64 * 2**20
"""A file up to this size is looked through when it is opened, which takes a second at the very most."""

_DAMAGED = (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB)
_BESIDE = ("", "-wal", "-shm")


class StoreError(GptOssError):
    """The conversations' file cannot be used as it is."""


class NewerFile(StoreError):
    """A newer program has written it, or another one: it is not touched."""


@dataclass(frozen=True, slots=True)
class Database:
    """The file, open for writing."""

    connection: sqlite3.Connection
    notices: tuple[str, ...]
    """What a person should know: a line each."""


def default_folder() -> Path:
    """The user's state folder."""
    from platformdirs import user_state_path

    return user_state_path("gptoss")


def open_database(folder: Path, migrations: Sequence[str] = schema.MIGRATIONS) -> Database:
    """Opens the file in `folder` for writing, and makes what is missing. Blocks while another process opens it.

    Raises `StoreError`: `NewerFile` where trying again is of no use.
    """
    file = folder / FILE
    try:
        _make_folder(folder)
        with _alone(folder):
            return _open(file, migrations)
    except sqlite3.Error as fault:
        raise told(fault, file) from fault
    except OSError as fault:
        raise StoreError(f"{folder} cannot be written: {fault.strerror}", _HINT) from fault


def open_to_read(folder: Path) -> sqlite3.Connection:
    """The file in `folder`, only to read. Raises `StoreError`; `FileNotFoundError` where nothing was ever saved."""
    file = folder / FILE
    if not file.exists():
        raise FileNotFoundError(file)
    try:
        connection = schema.connect_to_read(file)
        _refuse_newer(connection, file, len(schema.MIGRATIONS))
        if schema.version(connection) < len(schema.MIGRATIONS):
            # Reading knows one shape of the tables only.
            connection.close()
            opened = open_database(folder)
            opened.connection.close()
            connection = schema.connect_to_read(file)
    except sqlite3.Error as fault:
        raise told(fault, file) from fault
    return connection


def is_damage(fault: sqlite3.Error) -> bool:
    """True where the file itself is at fault."""
    return (getattr(fault, "sqlite_errorcode", 0) & 0xFF) in _DAMAGED


def told(fault: sqlite3.Error, file: Path) -> StoreError:
    """The fault in words."""
    code = getattr(fault, "sqlite_errorcode", 0) & 0xFF
    if code == sqlite3.SQLITE_FULL:
        return StoreError("The disk is full", "Make room; what was said meanwhile is saved then.")
    if code == sqlite3.SQLITE_BUSY:
        return StoreError(f"Another process holds {file}", "What was said is saved as soon as it lets go.")
    if code in _DAMAGED:
        return StoreError(f"{file} is damaged", "The next gptoss keeps it aside and begins a new one.")
    return StoreError(f"{file} cannot be written: {fault}", _HINT)


_HINT = "Check the folder, its disk and its permissions; with --no-save nothing is kept, or said about it."


def _make_folder(folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    status = folder.stat()
    if status.st_mode & 0o077 and status.st_uid == os.getuid():
        folder.chmod(0o700)


@contextmanager
def _alone(folder: Path) -> Iterator[None]:
    """One process at a time makes, migrates or puts aside a file."""
    descriptor = os.open(folder / "opening.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        with suppress(OSError):  # a file system without locks
            fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


def _open(file: Path, migrations: Sequence[str]) -> Database:
    notices: list[str] = []
    try:
        connection = _connect(file, len(migrations))
    except sqlite3.DatabaseError as fault:
        if not is_damage(fault):
            raise
        kept = _keep_aside(file)
        notices.append(f"The conversations' file was damaged. It is kept as {kept}, and a new one was begun.")
        connection = _connect(file, len(migrations))
    try:
        schema.migrate(connection, lambda version: notices.append(_back_up(connection, file, version)), migrations)
        connection.execute("BEGIN IMMEDIATE")
        search.prepare(connection)
        connection.execute("COMMIT")
    except BaseException:
        connection.close()
        raise
    return Database(connection, tuple(notices))


def _connect(file: Path, known: int) -> sqlite3.Connection:
    """A connection to a file of a format up to `known` that SQLite finds whole. Raises `sqlite3.Error`, `NewerFile`."""
    # Made before SQLite does: its own files take these permissions over.
    os.close(os.open(file, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600))
    file.chmod(0o600)
    connection = schema.connect(file)
    try:
        _refuse_newer(connection, file, known)
        schema.make_durable(connection)
        if file.stat().st_size <= CHECKED_BYTES:
            found = connection.execute("PRAGMA quick_check(1)").fetchone()
            if found[0] != "ok":
                fault = sqlite3.DatabaseError(found[0])
                fault.sqlite_errorcode = sqlite3.SQLITE_CORRUPT
                raise fault
    except BaseException:
        connection.close()
        raise
    return connection


def _refuse_newer(connection: sqlite3.Connection, file: Path, known: int) -> None:
    """Raises `NewerFile` for a file that is not ours to change."""
    version, application = schema.version(connection), schema.application(connection)
    tables = connection.execute("SELECT count(*) FROM sqlite_schema").fetchone()[0]
    if application != schema.APPLICATION_ID and (application or version or tables):
        raise NewerFile(f"{file} belongs to another program", "Move it away, and conversations can be saved here.")
    if version > known:
        raise NewerFile(
            f"{file} was written by a newer gptoss (its format is {version}; this one knows {known})",
            "Update gptoss to see and to save conversations.",
        )


def _keep_aside(file: Path) -> Path:
    """Renames a damaged file, with what belongs to it, and returns its new name."""
    kept = _free(file.with_name(f"{file.name}.damaged-{time.strftime('%Y-%m-%d-%H%M%S')}"))
    for end in _BESIDE:
        with suppress(FileNotFoundError):
            file.with_name(file.name + end).rename(kept.with_name(kept.name + end))
    return kept


def _back_up(connection: sqlite3.Connection, file: Path, version: int) -> str:
    """Copies the file as it is, what stands in its log included, and says where to; the oldest copies go."""
    copy = _free(file.with_name(f"{file.name}.format-{version}-{time.strftime('%Y-%m-%d-%H%M%S')}"))
    os.close(os.open(copy, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600))
    with closing(sqlite3.connect(copy)) as target:
        connection.backup(target)
    copies = sorted(file.parent.glob(f"{file.name}.format-*"), key=lambda each: each.stat().st_mtime)
    for old in copies[:-BACKUPS_KEPT]:
        old.unlink()
    return f"The conversations' file was brought to a newer format; as it was it is kept as {copy}."


def _free(file: Path) -> Path:
    """The name itself, or with a number behind it where it is taken."""
    number, name = 1, file
    while name.exists():
        number += 1
        name = file.with_name(f"{file.name}-{number}")
    return name
