"""The thread that writes: what happened, in order and at once, and what a running answer has so far, twice a second.

Whoever tells it something never waits. Where writing fails, what is to be written waits, and is tried again until it is
on the disk. Knows no conversation: a job is a function of a connection.
"""

from __future__ import annotations

import atexit
import os
import sqlite3
import threading
from collections.abc import Callable, Hashable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from gptoss_tui.chat.journal import Written
from gptoss_tui.chat.store.database import FILE, NewerFile, StoreError, is_damage, open_database, told

POLL_S = 0.4
"""Seconds between two looks at a running answer. With the time that a commit takes, half a second."""
RETRY_S = 2.0
PATIENCE = 3
"""Times that another process may hold the file for longer than `schema.BUSY_S` before somebody is told."""
LEAVING_S = 2.0
"""How long the interpreter's end waits for a writer that nobody closed."""

Job = Callable[[sqlite3.Connection], None]


@dataclass(slots=True)
class _Running:
    """An answer under way."""

    written: Written
    put: Callable[[sqlite3.Connection, int, Sequence[int]], None]
    saved: int = 0
    """How many of its ids are on the disk."""


class Writer:
    """One file, one thread. `tell` is called on that thread, with a line or two for a person."""

    def __init__(
        self, folder: Path, tell: Callable[[str], None], *, first: Job, last: Job, afresh: Callable[[], Sequence[Job]]
    ) -> None:
        """`first` is done once the file is open, before all else, and `last` after all else; `afresh` says everything
        again, where the file was lost while it was open."""
        self._folder = folder
        self._tell = tell
        self._first = first
        self._last = last
        self._afresh = afresh
        self._changed = threading.Condition()
        self._jobs: list[Job] = []
        self._running: dict[Hashable, _Running] = {}
        self._submitted = self._done = 0
        self._closing = False
        self._hopeless = False
        self._connection: sqlite3.Connection | None = None
        self._inode: tuple[int, int] | None = None
        self._opened = threading.Event()
        self._failures = 0
        self._trouble: StoreError | None = None
        self._thread = threading.Thread(target=self._run, name="gptoss-store", daemon=True)
        self._thread.start()
        atexit.register(self.close, LEAVING_S)

    @property
    def trouble(self) -> StoreError | None:
        """Why nothing is being saved at present; None where all is well."""
        return self._trouble

    def ready(self, timeout: float) -> bool:
        """Waits until the file is open, or cannot be opened; whether it is open."""
        return self._opened.wait(timeout) and self._connection is not None

    def submit(self, job: Job) -> None:
        """Does `job` in a transaction, soon, after those before it. From any thread; returns at once."""
        with self._changed:
            if not self._hopeless:
                self._jobs.append(job)
                self._submitted += 1
                self._changed.notify_all()

    def watch(
        self, key: Hashable, written: Written, put: Callable[[sqlite3.Connection, int, Sequence[int]], None]
    ) -> None:
        """Looks at a running answer from now on: `put(connection, first, ids)` writes what is new of it."""
        with self._changed:
            self._running[key] = _Running(written, put)
            self._changed.notify_all()

    def unwatch(self, key: Hashable) -> None:
        """The answer has ended."""
        with self._changed:
            self._running.pop(key, None)

    def flush(self, timeout: float) -> bool:
        """Waits until all that was submitted is on the disk, with what answers have so far; whether it is."""
        self.submit(lambda connection: None)
        with self._changed:
            wanted = self._submitted
            self._changed.wait_for(lambda: self._done >= wanted or self._hopeless, timeout)
            return self._done >= wanted and not self._hopeless

    def close(self, timeout: float) -> bool:
        """Writes what waits, tries once where that fails, and ends; whether it has ended in time."""
        with self._changed:
            self._closing = True
            self._changed.notify_all()
        self._thread.join(timeout)
        atexit.unregister(self.close)
        return not self._thread.is_alive()

    # On the thread

    def _run(self) -> None:
        while True:
            with self._changed:
                self._changed.wait_for(self._due, self._pause())
                closing, jobs, running = self._closing, list(self._jobs), list(self._running.values())
            if not self._hopeless:
                self._step(jobs, running)
            if closing:
                if not self._failures and not self._hopeless:
                    self._step([self._last], ())
                self._disconnect()
                return

    def _due(self) -> bool:
        waiting = bool(self._jobs) or self._connection is None
        return self._closing or (waiting and not self._failures and not self._hopeless)

    def _pause(self) -> float | None:
        if self._hopeless:
            return None
        if self._failures:
            return RETRY_S
        return POLL_S if self._running else None

    def _step(self, jobs: Sequence[Job], running: Sequence[_Running]) -> None:
        try:
            again = self._connect()
            if again:
                for answer in running:
                    answer.saved = 0
            self._commit([*again, *jobs], running)
        except NewerFile as fault:
            self._give_up(fault)
        except StoreError as fault:
            self._failed(fault)
        except sqlite3.Error as fault:
            if is_damage(fault) or not isinstance(fault, sqlite3.OperationalError):
                self._disconnect()
            self._failed(told(fault, self._folder / FILE))
        else:
            self._succeeded(len(jobs))

    def _connect(self) -> Sequence[Job]:
        """Opens the file where it is not open, or is no longer where it was; the jobs that this makes necessary."""
        file = self._folder / FILE
        lost = self._inode is not None and _inode(file) != self._inode
        if lost:
            self._disconnect()
        if self._connection is not None:
            return ()
        opened = open_database(self._folder)
        self._connection = opened.connection
        # A file made anew knows nothing; one that was only closed hears what it knows.
        again = () if self._inode is None else self._afresh()
        self._inode = _inode(file)
        for notice in opened.notices:
            self._say(notice)
        if lost:
            self._say("The conversations' file went away while it was open. This conversation is in a new one.")
        return (self._first, *again)

    def _disconnect(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            with suppress(sqlite3.Error):
                connection.close()

    def _commit(self, jobs: Sequence[Job], running: Sequence[_Running]) -> None:
        connection = self._connection
        assert connection is not None
        connection.execute("BEGIN IMMEDIATE")
        try:
            for job in jobs:
                _attempt(connection, job, self._say)
            counts = []
            for answer in running:
                ids = answer.written()
                if len(ids) > answer.saved:
                    answer.put(connection, answer.saved, ids[answer.saved :])
                counts.append(len(ids))
            connection.execute("COMMIT")
        except BaseException:
            if connection.in_transaction:
                with suppress(sqlite3.Error):
                    connection.execute("ROLLBACK")
            raise
        for answer, count in zip(running, counts, strict=True):
            answer.saved = count

    def _succeeded(self, jobs: int) -> None:
        with self._changed:
            del self._jobs[:jobs]
            self._done += jobs
            self._changed.notify_all()
        self._failures = 0
        self._opened.set()
        if self._trouble is not None:
            self._trouble = None
            self._say("Conversations are saved again, with all that was said meanwhile.")

    def _failed(self, fault: StoreError) -> None:
        self._failures += 1
        cause = fault.__cause__
        busy = getattr(cause, "sqlite_errorcode", 0) & 0xFF == sqlite3.SQLITE_BUSY
        if self._trouble is None and (not busy or self._failures >= PATIENCE):
            self._trouble = fault
            self._say(f"Nothing is being saved. {fault.message}. {fault.hint}")
        self._opened.set()

    def _give_up(self, fault: StoreError) -> None:
        self._trouble = fault
        with self._changed:
            self._hopeless = True
            self._jobs.clear()
            self._running.clear()
            self._changed.notify_all()
        self._say(f"Nothing is being saved. {fault.message}. {fault.hint}")
        self._opened.set()

    def _say(self, text: str) -> None:
        # A screen that is gone, or any other fault of whoever listens, must not end the writing.
        with suppress(Exception):
            self._tell(text)


def _attempt(connection: sqlite3.Connection, job: Job, tell: Callable[[str], None]) -> None:
    """A job that can never be done must not keep those behind it from the disk."""
    connection.execute("SAVEPOINT job")
    try:
        job(connection)
    except sqlite3.OperationalError:
        raise
    except (sqlite3.IntegrityError, sqlite3.InterfaceError, sqlite3.ProgrammingError, LookupError, ValueError) as bug:
        connection.execute("ROLLBACK TO job")
        tell(f"Something could not be saved: {type(bug).__name__}: {bug}. This is a bug: please report it.")
    connection.execute("RELEASE job")


def _inode(file: Path) -> tuple[int, int] | None:
    try:
        status = os.stat(file)
    except OSError:
        return None
    return status.st_dev, status.st_ino
