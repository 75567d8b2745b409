"""Slash commands, one registry for all front ends: what they are called, what they take, and what they do.

What a command does to the conversation it does to the `Session`; what only a front end can do, it asks of a `FrontEnd`.
Knows no widget and no terminal.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Sequence

from gptoss_tui.chat.attach import complete_path
from gptoss_tui.chat.choices import Choice
from gptoss_tui.chat.commands import kept, moves, passing, settings
from gptoss_tui.chat.commands.command import Command, FrontEnd
from gptoss_tui.chat.session import Session
from gptoss_tui.errors import ParameterError
from gptoss_tui.models.find import resolve
from gptoss_tui.models.places import places
from gptoss_tui.themes import known_themes

__all__ = ["COMMANDS", "Choice", "Command", "FrontEnd", "complete", "execute", "parse_line"]


def parse_line(text: str, extra: Sequence[Command] = ()) -> tuple[Command, str] | None:
    """The command that `text` is, and its arguments; None where it is a message. `extra` are a front end's own.

    A message may begin with a slash where no name follows it (`/etc/hosts`), or with a space before it. Raises
    `ParameterError` for a name that is none, and for a slash alone: a command that was begun is no question.
    """
    if text.rstrip() == "/":
        raise ParameterError("A slash alone is no command", "/help lists them; tab completes them.")
    match = re.match(r"/([a-z]+|\?)(?:\s+(.*))?\Z", text.rstrip(), re.IGNORECASE | re.DOTALL)
    if match is None:
        return None
    name = match[1].lower()
    known = (*COMMANDS, *extra)
    command = next((each for each in known if name == each.name or name in each.aliases), None)
    if command is None:
        likely = difflib.get_close_matches(name, [each.name for each in known], 1)
        hint = f"Did you mean /{likely[0]}? " if likely else ""
        raise ParameterError(
            f"There is no command /{name}", f"{hint}/help lists them; a space before the slash makes it a message."
        )
    return command, match[2] or ""


def execute(text: str, session: Session, front_end: FrontEnd) -> bool:
    """Does what `text` says if it is a command; False where it is a message. Raises `GptOssError`s."""
    parsed = parse_line(text)
    if parsed is None:
        return False
    command, arguments = parsed
    command.run(session, front_end, arguments)
    return True


def complete(text: str, extra: Sequence[Command] = (), session: Session | None = None) -> list[Choice]:
    """Whole texts that `text` may become: a command begun, or one that ends in an @ and the beginning of a path.

    `extra` are a front end's own commands.
    """
    name, space, typed = text.partition(" ")
    if not name.startswith("/"):
        return complete_path(text)
    known = (*COMMANDS, *extra)
    if not space:
        return [Choice(f"/{each.name}", each.help) for each in known if each.name.startswith(name[1:].lower())]
    named = (each for each in known if name[1:].lower() in (each.name, *each.aliases))
    found = [
        Choice(f"{name} {choice.value}", choice.help) for each in named for choice in each.complete(typed, session)
    ]
    return found or complete_path(text)


def _help(session: Session, front_end: FrontEnd, arguments: str) -> None:
    front_end.show_help()


def _theme(session: Session, front_end: FrontEnd, arguments: str) -> None:
    if name := arguments.strip():
        front_end.use_theme(name)
        front_end.notify(f"theme is {name}")
    else:
        front_end.show_themes()


def _themes(session: Session | None, typed: str) -> list[Choice]:
    themes = known_themes()[0].values()
    return [Choice(each.name, "dark" if each.dark else "light") for each in themes if each.name.startswith(typed)]


def _model(session: Session, front_end: FrontEnd, arguments: str) -> None:
    if name := arguments.strip():
        front_end.use_model(resolve(name))
    else:
        front_end.show_models()


def _models(session: Session | None, typed: str) -> list[Choice]:
    return [Choice(place.name, place.source) for place in places() if typed.lower() in place.name.lower()]


def _quit(session: Session, front_end: FrontEnd, arguments: str) -> None:
    front_end.quit()


COMMANDS: tuple[Command, ...] = (
    Command("help", "Show the keys and the commands", _help, aliases=("?", "h"), anytime=True),
    *moves.COMMANDS,
    *kept.COMMANDS,
    *passing.COMMANDS,
    *settings.COMMANDS,
    Command(
        "theme", "See the themes and choose one, or use the one named", _theme, "[NAME]", offers=_themes, anytime=True
    ),
    Command(
        "model",
        "See the models on this machine and choose one, or go on with the one named",
        _model,
        "[NAME]",
        offers=_models,
        anytime=True,
    ),
    Command("quit", "Leave", _quit, aliases=("exit", "q"), anytime=True),
)
"""Every command, in the order in which help lists them."""
