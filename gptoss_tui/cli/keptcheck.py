"""What `gptoss doctor` finds about the kept conversations: how many, how large, and whether the file is whole."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

from gptoss_tui.chat import format
from gptoss_tui.chat.store.database import FILE, StoreError, default_folder, open_to_read
from gptoss_tui.chat.store.instances import others
from gptoss_tui.chat.store.rows import list_conversations
from gptoss_tui.cli.checkup import Finding


def conversations(folder: Path | None = None) -> Iterator[Finding]:
    """The conversations' file in `folder` (None: the user's state folder). Only reads."""
    folder = folder if folder is not None else default_folder()
    file = folder / FILE
    if not file.exists():
        yield Finding("ok", "Conversations", f"none yet; they will be in {file}")
        return
    try:
        with closing(open_to_read(folder)) as connection:
            found = connection.execute("PRAGMA quick_check(1)").fetchone()[0]
            count = len(list_conversations(connection))
    except (StoreError, sqlite3.Error) as fault:
        text, remedy = (fault.message, fault.hint) if isinstance(fault, StoreError) else (str(fault), "")
        yield Finding("problem", "Conversations", text, remedy)
        return
    if found != "ok":
        yield Finding("problem", "Conversations", f"{file} is damaged", "The next gptoss keeps it aside.")
    else:
        yield Finding("ok", "Conversations", f"{count:,} in {file}, {format.size(file.stat().st_size)}")
    kept_aside = sorted(
        each.name for each in folder.glob(f"{FILE}.damaged-*") if not each.name.endswith(("-wal", "-shm"))
    )
    if kept_aside:
        remedy = f"They are in {folder}; delete what is not wanted."
        yield Finding("note", "Damaged files", ", ".join(kept_aside), remedy)
    for other in others(folder):
        doing = "finishes an answer" if other.doing == "finishing" else "is open"
        yield Finding("note", "Running", f"a gptoss {doing}, process {other.pid}")
