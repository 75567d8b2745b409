"""A conversation into a file of its own: Markdown for people, JSON for programs."""

from __future__ import annotations

import re
from pathlib import Path

from gptoss_tui.chat.session import Session
from gptoss_tui.chat.store.codec import Archive
from gptoss_tui.chat.store.transfer import as_json, as_markdown
from gptoss_tui.errors import PromptError


def export(session: Session, name: str = "") -> Path:
    """Writes the conversation into a new file and returns it; JSON where the name ends in .json.

    Without a name the title makes one, in the working folder. Raises `PromptError` where there is nothing to write, and
    where the file is there already or cannot be written.
    """
    if not session.path:
        raise PromptError("The conversation is empty", "Send a message first.")
    return _write(Archive(session.conversation, session.tree), name)


def export_archive(archive: Archive) -> Path:
    """Writes a kept conversation to a Markdown file of its title's name in the working folder, and returns that; a
    number follows the name where that is taken. Raises `PromptError` where it cannot be written."""
    stem, number = _as_name(archive.conversation.title), 1
    while Path(name := f"{stem}.md" if number == 1 else f"{stem}-{number}.md").exists():
        number += 1
    return _write(archive, name)


def _write(archive: Archive, name: str) -> Path:
    file = Path(name).expanduser() if name else Path(f"{_as_name(archive.conversation.title)}.md")
    text = as_json(archive) if file.suffix.lower() == ".json" else as_markdown(archive)
    try:
        with file.open("x", encoding="utf-8", errors="replace") as opened:
            opened.write(text)
    except FileExistsError as fault:
        raise PromptError(f"{file} is there already", "Give another name: /export FILE.") from fault
    except OSError as fault:
        raise PromptError(f"{file} cannot be written: {fault.strerror}", "Give another name: /export FILE.") from fault
    return file


def _as_name(title: str) -> str:
    return re.sub(r"[^\w]+", "-", title.lower()).strip("-")[:40] or "conversation"
