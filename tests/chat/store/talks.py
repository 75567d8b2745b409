"""Conversations to keep, what a folder holds of them, and programs that keep some: for the store's tests."""

from __future__ import annotations

import sqlite3
import subprocess
import sys
import textwrap
import time
from contextlib import closing, suppress
from pathlib import Path

from gptoss_tui.chat.journal import Conversation
from gptoss_tui.chat.store.database import FILE
from gptoss_tui.chat.store.keeping import Store
from gptoss_tui.chat.store.library import Library
from gptoss_tui.chat.tree import Node, new_id
from gptoss_tui.harmony.messages import Message
from tests.cli.program import environment


def say(store: Store, *texts: str, title: str = "A talk") -> Conversation:
    """A conversation of these prompts, none of them answered."""
    conversation = Conversation(new_id(), title, date="2026-01-01")
    store.conversation(conversation)
    go_on(store, conversation, None, *texts)
    return conversation


def go_on(store: Store, conversation: Conversation, head: str | None, *texts: str) -> None:
    for text in texts:
        node = Node(new_id(), head, "user", (Message.user(text),), created=time.time())
        store.added(conversation.id, node)
        store.moved(conversation.id, node.id)
        head = node.id


def prompts(folder: Path, conversation: Conversation) -> list[str]:
    return [node.text for node in Library(folder).get(conversation.id).tree.path()]


def integrity(folder: Path) -> None:
    with closing(sqlite3.connect(folder / FILE)) as connection:
        assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]


def python(code: str) -> list[str]:
    return [sys.executable, "-c", textwrap.dedent(code)]


def run(code: str) -> None:
    done = subprocess.run(python(code), capture_output=True, text=True, env=environment(), timeout=60, check=False)
    assert done.returncode == 0, done.stderr


def saved(folder: Path, conversation: Conversation, node: Node) -> tuple[int, ...]:
    library = Library(folder)
    if not any(each.id == conversation.id for each in library.listed()):
        return ()
    tree = library.get(conversation.id).tree
    return tree[node.id].token_ids if node.id in tree else ()


def fill(folder: Path) -> Path:
    """Takes all the room that is left on a disk, with a file."""
    filler = folder / "filler"
    with suppress(OSError), filler.open("wb", buffering=0) as stream:
        while True:
            stream.write(b"\0" * 4096)
    return filler
