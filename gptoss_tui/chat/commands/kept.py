"""The commands that go about the kept conversations: list, resume, rename, import, delete and restore."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

from gptoss_tui.chat.choices import Choice
from gptoss_tui.chat.commands.command import Command, FrontEnd
from gptoss_tui.chat.keeper import Keeper
from gptoss_tui.chat.session import Session
from gptoss_tui.errors import GptOssError, ParameterError

if TYPE_CHECKING:
    from gptoss_tui.chat.store.rows import Listed

_OFFERED = 20
"""Conversations that completion offers."""


def _keeper(front_end: FrontEnd) -> Keeper:
    """What keeps the conversation. Raises `GptOssError` in a private talk."""
    if front_end.keeper is None or front_end.keeper.store is None:
        raise GptOssError("This is a private talk: nothing is kept", "Begin gptoss with --save to keep one.")
    return front_end.keeper


def _sessions(session: Session, front_end: FrontEnd, arguments: str) -> None:
    _keeper(front_end).flush()
    front_end.show_sessions(arguments.strip())


def _resume(session: Session, front_end: FrontEnd, arguments: str) -> None:
    keeper = _keeper(front_end)
    present = session.conversation.id
    wanted = arguments.strip()
    keeper.flush()  # what was said a moment ago can be gone back to
    found = [keeper.library.named(wanted)] if wanted else keeper.library.listed()
    one = next((each for each in found if wanted or each.id != present), None)
    if one is None:
        raise ParameterError("There is no other conversation", "/clear begins one.")
    if one.id == present:
        front_end.notify("This is that conversation.")
        return
    if keeper.resume(one.id):
        front_end.notify("Its last answer is still being written by another gptoss; this is what stands before it.")
    front_end.moved()


def _rename(session: Session, front_end: FrontEnd, arguments: str) -> None:
    title = " ".join(arguments.split())
    if not title:
        front_end.notify(f"This conversation is called {session.title}" if session.title else "It has no title yet.")
        return
    if not session.path:
        raise ParameterError("There is nothing to name yet", "Send a message first.")
    session.title = title
    front_end.notify(f"This conversation is now called {title}")


def _import(session: Session, front_end: FrontEnd, arguments: str) -> None:
    keeper = _keeper(front_end)
    name = arguments.strip()
    if not name:
        raise ParameterError("No file is named", "/import FILE; /export writes such files.")
    told: list[str] = []
    from gptoss_tui.chat.store.transfer import read_file

    for archive in read_file(Path(name).expanduser()):
        conversation_id, new = keeper.library.take_in(archive)
        told.append(f"{'Imported' if new else 'Here already'}: {archive.conversation.title or 'a conversation'}")
        told.append(f"/resume {conversation_id[:8]} goes on with it.")
    front_end.notify("\n".join(told))


def _delete(session: Session, front_end: FrontEnd, arguments: str) -> None:
    keeper = _keeper(front_end)
    if arguments.strip():
        keeper.flush()
        one = keeper.library.named(arguments.strip())
        here, title = one.id == session.conversation.id, one.title
        conversation_id = one.id
    else:
        if not session.path:
            raise ParameterError("There is nothing to delete yet", "/delete ID deletes another conversation.")
        here, title, conversation_id = True, session.title, session.conversation.id
    if here:
        session.clear()
        keeper.flush()
    keeper.delete(conversation_id)
    if here:
        front_end.moved()
    front_end.notify(f"Deleted: {title}. /restore {conversation_id[:8]} brings it back, for 30 days.")


def _restore(session: Session, front_end: FrontEnd, arguments: str) -> None:
    library = _keeper(front_end).library
    one = library.find(arguments.strip(), deleted=True)
    library.restore(one.id)
    front_end.notify(f"Restored: {one.title}. /resume {one.id[:8]} goes on with it.")


def _kept(session: Session | None, typed: str) -> Iterable[Choice]:
    return _choices(session, typed, deleted=False)


def _deleted(session: Session | None, typed: str) -> Iterable[Choice]:
    return _choices(session, typed, deleted=True)


def _choices(session: Session | None, typed: str, *, deleted: bool) -> list[Choice]:
    from gptoss_tui.chat.store.library import SHORT_ID, Library

    wanted = typed.strip().casefold()
    present = session.conversation.id if session is not None else ""

    def fits(one: Listed) -> bool:
        return one.id != present and (one.id.startswith(wanted) or wanted in one.title.casefold())

    try:
        found = [one for one in Library().listed(deleted=deleted) if fits(one)]
    except GptOssError:
        return []
    return [Choice(one.id[:SHORT_ID], one.title) for one in found[:_OFFERED]]


COMMANDS: tuple[Command, ...] = (
    Command("sessions", "List the kept conversations, or those in which the words stand", _sessions, "[WORDS]"),
    Command(
        "resume",
        "Go on with another conversation: an id, a part of its title, or the one before",
        _resume,
        "[ID]",
        offers=_kept,
    ),
    Command("rename", "Show or change what this conversation is called", _rename, "[TITLE]", aliases=("title",)),
    Command("import", "Take in conversations that were exported, JSON or Markdown", _import, "FILE"),
    Command("delete", "Delete this conversation, or another one; it can be restored", _delete, "[ID]", offers=_kept),
    Command("restore", "Bring a deleted conversation back: an id, or the last one", _restore, "[ID]", offers=_deleted),
)
