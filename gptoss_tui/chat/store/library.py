"""The conversations as a collection: listed, found, searched, renamed, deleted and restored, taken in and given out.

Each call opens the file, does its work and closes it; that takes milliseconds, and as long as another process writes.
Knows no front end and no running conversation.
"""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TypeVar

from gptoss_tui.chat.store import recovery, rows, search
from gptoss_tui.chat.store.codec import Archive
from gptoss_tui.chat.store.database import FILE, StoreError, default_folder, open_database, open_to_read, told
from gptoss_tui.chat.store.instances import living
from gptoss_tui.chat.store.rows import Listed
from gptoss_tui.chat.store.saved_state import remove_state
from gptoss_tui.chat.store.search import Match
from gptoss_tui.chat.tree import Tree, new_id

T = TypeVar("T")

SHORT_ID = 8
"""Characters of an id that are shown: enough to tell it from the others."""
_LISTED = "gptoss sessions, or /sessions, shows their ids."


class Library:
    """What is kept in one folder. Calls raise `StoreError`."""

    def __init__(self, folder: Path | None = None, *, tell: Callable[[str], None] = lambda text: None) -> None:
        """`folder` None: the user's state folder. `tell` hears what a person should know about the file."""
        self._tell = tell
        self.folder = folder if folder is not None else default_folder()

    def listed(self, *, deleted: bool = False) -> list[Listed]:
        """The conversations, the one that changed last first; `deleted`: those that can be restored, instead."""
        return self._read(lambda c: rows.list_conversations(c, deleted=deleted), [])

    def search(self, words: str) -> list[Match]:
        """The conversations that hold all of these words; the best one first."""
        return self._read(lambda c: search.search(c, words), [])

    def find(self, wanted: str, *, deleted: bool = False) -> Listed:
        """The one conversation whose id begins with `wanted`; empty: the one that changed last.

        `deleted`: one that can be restored, instead. Raises `StoreError` where there is none, or more than one.
        """
        if not wanted:
            listed = self.listed(deleted=deleted)
            if not listed and deleted:
                raise StoreError("Nothing was deleted", "What is deleted can be restored for 30 days.")
            if not listed:
                raise StoreError(
                    "There is no conversation yet", "They are saved as they are held, unless with --no-save."
                )
            return listed[0]
        found: list[Listed] = self._read(lambda c: rows.find_conversations(c, wanted.lower()), [])
        fit = [each for each in found if (each.deleted is not None) == deleted]
        if len(fit) == 1:
            return fit[0]
        if fit:
            some = ", ".join(each.id[: SHORT_ID + 4] for each in fit[:4])
            raise StoreError(
                f"{len(fit)} conversations have an id that begins with {wanted}", f"Give more of it: {some}."
            )
        if found and not deleted:
            raise StoreError(
                f"The conversation {wanted} was deleted",
                f"gptoss sessions restore {wanted}, or /restore {wanted}, brings it back.",
            )
        if found:
            raise StoreError(f"The conversation {wanted} is not deleted", "It is there; nothing has to be restored.")
        if deleted:
            raise StoreError(
                f"There is no conversation {wanted} to restore", "gptoss sessions --deleted lists those there are."
            )
        raise StoreError(f"There is no conversation {wanted}", _LISTED)

    def named(self, wanted: str) -> Listed:
        """The one conversation whose id begins with `wanted`, or else whose title holds it. Raises as `find`."""
        listed = self.listed()
        titled = [one for one in listed if wanted.casefold() in one.title.casefold()]
        if len(titled) == 1 and not any(one.id.startswith(wanted.lower()) for one in listed):
            return titled[0]
        return self.find(wanted)

    def get(self, conversation_id: str) -> Archive:
        """A whole conversation, by its full id. Raises `StoreError` where there is none."""
        try:
            archive = self._read(lambda c: rows.get_archive(c, conversation_id), None)
        except KeyError:
            archive = None
        if archive is None:
            raise StoreError(f"There is no conversation {conversation_id}", _LISTED)
        return archive

    def resumable(self, conversation_id: str) -> tuple[Archive, bool]:
        """A whole conversation to go on with, and whether an answer was left out that another process is writing.

        Raises `StoreError` where there is none.
        """
        archive = self.get(conversation_id)
        under_way = self.under_way(conversation_id)
        if not under_way:
            return archive, False
        # What is being written has nothing behind it yet.
        tree = archive.tree
        head = tree[tree.head].parent if tree.head in under_way and tree.head is not None else tree.head
        looked = {parent: child for parent, child in tree.looked.items() if child not in under_way}
        nodes = [node for node in tree.nodes if node.id not in under_way]
        return replace(archive, tree=Tree(nodes, head, looked)), True

    def under_way(self, conversation_id: str) -> set[str]:
        """The nodes of it that a living process is writing."""
        writers: dict[str, str] = self._read(lambda c: rows.writers(c, conversation_id), {})
        alive = living(self.folder) if writers else set()
        return {node_id for node_id, writer in writers.items() if writer in alive}

    def settle(self) -> None:
        """Ends what dead processes left under way, so that it is listed and shown as what it is."""
        if (self.folder / FILE).exists():
            with self._writing() as c:
                recovery.settle(c, living(self.folder))

    def left_over(self) -> list[tuple[str, str | None]]:
        """(vocabulary's digest, folder of the model) of answers that were cut off and have no text yet."""
        return self._read(recovery.left_over, [])

    def read_back(self, vocabulary: str, read: recovery.ReadBack) -> None:
        """Gives answers that were cut off their text, where their ids belong to that vocabulary."""
        with self._writing() as c:
            recovery.read_back(c, vocabulary, read)

    def rename(self, conversation_id: str, title: str) -> None:
        """Gives it another title."""
        with self._writing() as c:
            key = rows.key_of(c, conversation_id)
            c.execute("UPDATE conversations SET title = ? WHERE key = ?", (title, key))
            search.index_title(c, key, title)

    def delete(self, conversation_id: str) -> None:
        """Takes it out of the lists; it can be restored for `recovery.RESTORABLE_S`."""
        with self._writing() as c:
            c.execute(
                "UPDATE conversations SET deleted = ?, open_by = NULL WHERE id = ?", (time.time(), conversation_id)
            )
        remove_state(self.folder, conversation_id)

    def restore(self, conversation_id: str) -> None:
        """Brings a deleted one back."""
        with self._writing() as c:
            c.execute("UPDATE conversations SET deleted = NULL WHERE id = ?", (conversation_id,))

    def purge(self, conversation_id: str) -> None:
        """Removes it for good. Raises `StoreError` where a running gptoss has it open."""
        with self._writing() as c:
            row = c.execute("SELECT open_by FROM conversations WHERE id = ?", (conversation_id,)).fetchone()
            if row is not None and row[0] in living(self.folder):
                raise StoreError("Another gptoss has that conversation open", "Leave it there first.")
            c.execute("UPDATE conversations SET deleted = 0 WHERE id = ?", (conversation_id,))
            recovery.purge(c, before=1)
        with self._open() as c:  # or the log keeps it for a while yet
            c.execute("PRAGMA incremental_vacuum")
            c.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        remove_state(self.folder, conversation_id)

    def take_in(self, archive: Archive) -> tuple[str, bool]:
        """Adds a conversation from elsewhere; its id, and whether it is new here.

        One that is here already, the same in every part, is left as it is; another one of the same id gets a new id.
        """
        with self._writing() as c:
            try:
                present = rows.get_archive(c, archive.conversation.id)
            except KeyError:
                pass
            else:
                if _same(present, archive):
                    c.execute("UPDATE conversations SET deleted = NULL WHERE id = ?", (archive.conversation.id,))
                    return archive.conversation.id, False
                archive = replace(archive, conversation=replace(archive.conversation, id=new_id()))
            rows.put_archive(c, archive)
            return archive.conversation.id, True

    @contextmanager
    def _open(self) -> Iterator[sqlite3.Connection]:
        opened = open_database(self.folder)
        with closing(opened.connection) as connection:
            for notice in opened.notices:
                self._tell(notice)
            try:
                yield connection
            except sqlite3.Error as fault:
                raise told(fault, self.folder / FILE) from fault

    @contextmanager
    def _writing(self) -> Iterator[sqlite3.Connection]:
        with self._open() as connection:
            connection.execute("BEGIN IMMEDIATE")
            yield connection
            connection.execute("COMMIT")  # where something was raised, closing takes it all back

    def _read(self, work: Callable[[sqlite3.Connection], T], nothing: T) -> T:
        """`nothing` where there is no file yet."""
        try:
            connection = open_to_read(self.folder)
        except FileNotFoundError:
            return nothing
        with closing(connection):
            try:
                return work(connection)
            except sqlite3.Error as fault:
                raise told(fault, self.folder / FILE) from fault


def _same(one: Archive, other: Archive) -> bool:
    def told(archive: Archive) -> tuple[object, ...]:
        tree: Tree = archive.tree
        # Through text, since a NaN among the figures equals nothing, itself included.
        return archive.conversation, repr(tree.nodes), tree.head

    return told(one) == told(other)
