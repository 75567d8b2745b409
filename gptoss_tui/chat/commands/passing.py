"""The commands that pass text in and out: copy, export, attach."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from gptoss_tui.chat import format
from gptoss_tui.chat.attach import complete_path, mention, read_text
from gptoss_tui.chat.choices import Choice
from gptoss_tui.chat.commands.command import Command, FrontEnd
from gptoss_tui.chat.copying import COPIED, copied
from gptoss_tui.chat.exporting import export
from gptoss_tui.chat.session import Session
from gptoss_tui.errors import ParameterError


def _copy(session: Session, front_end: FrontEnd, arguments: str) -> None:
    wanted = arguments.strip().lower() or "answer"
    found = [what for what in COPIED if what.startswith(wanted)]
    if not found:
        raise ParameterError(f"{arguments.strip()!r} cannot be copied", f"Give one of {', '.join(COPIED)}.")
    front_end.copy(copied(found[0], session.path), COPIED[found[0]])


def _export(session: Session, front_end: FrontEnd, arguments: str) -> None:
    file = export(session, arguments.strip())
    front_end.notify(f"The conversation is in {file} ({format.size(file.stat().st_size)}).")


def _attach(session: Session, front_end: FrontEnd, arguments: str) -> None:
    name = arguments.strip()
    if len(name) > 2 and name[0] == name[-1] == '"':
        name = name[1:-1]
    if not name:
        raise ParameterError("No file is named", "/attach FILE, or @FILE anywhere in a prompt.")
    text = read_text(Path(name))
    front_end.fill(f"{mention(name)} ")
    front_end.notify(f"{name}: {format.tokens(session.count(text))}")


def _files(session: Session | None, typed: str) -> Iterable[Choice]:
    return [Choice(choice.value.removeprefix("@"), choice.help) for choice in complete_path(f"@{typed}")]


COMMANDS: tuple[Command, ...] = (
    Command(
        "copy",
        "Copy the last answer, its last code block, its thinking, or the whole talk",
        _copy,
        f"[{'|'.join(COPIED)}]",
        values=tuple(COPIED),
    ),
    Command("export", "Write the conversation to a file: Markdown, or JSON where it ends in .json", _export, "[FILE]"),
    Command("attach", "Put a file into the prompt; @FILE in a prompt does the same", _attach, "FILE", offers=_files),
)
