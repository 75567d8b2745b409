"""Slash commands, one registry for all front ends: what they are called, what they take, and what they do.

What a command does to the conversation it does to the `Session`; what only a front end can do, it asks of a `FrontEnd`.
Knows no widget and no terminal.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Protocol

from gptoss_tui.chat.controls import CONTROLS, control, format_seed, parse_seed
from gptoss_tui.chat.session import Session
from gptoss_tui.errors import ParameterError
from gptoss_tui.harmony.messages import EFFORTS
from gptoss_tui.models.find import resolve
from gptoss_tui.models.places import places
from gptoss_tui.themes import known_themes


class FrontEnd(Protocol):
    """What a command needs of whoever shows the conversation."""

    def notify(self, message: str) -> None:
        """Shows a short text that answers the command."""

    def show_help(self) -> None:
        """Shows the keys and the commands."""

    def retry(self) -> None:
        """Drops the last answer and shows a new one being written: `Session.retry` with the front end's own wake-up."""

    def cleared(self) -> None:
        """The conversation was emptied: what is shown of it goes too."""

    def show_themes(self) -> None:
        """Lets the person see the themes, and choose."""

    def use_theme(self, name: str) -> None:
        """Draws in the colours of this theme from now on. Raises `ThemeError`."""

    def show_models(self) -> None:
        """Lets the person see the models on this machine, and choose."""

    def use_model(self, folder: Path) -> None:
        """Goes on with the model in this folder, once it is loaded; a fault is shown."""

    def quit(self) -> None:
        """Leaves the program."""


@dataclass(frozen=True, slots=True)
class Choice:
    """Something that a line may become when it is completed."""

    value: str
    """What then stands there."""
    help: str = ""
    """What it is, in a few words; a person's own text among it, so make it visible before it is shown."""


@dataclass(frozen=True, slots=True)
class Command:
    """One slash command."""

    name: str
    """Without the slash."""
    help: str
    """What it does, in one line."""
    run: Callable[[Session, FrontEnd, str], None]
    """Does it; the string is what was typed after the name. Raises `GptOssError`s."""
    arguments: str = ""
    """What it takes, for people: `NAME VALUE`."""
    aliases: tuple[str, ...] = ()
    """Other names."""
    anytime: bool = False
    """True where it leaves the session alone, so that it can be done before a model is loaded."""
    values: tuple[str, ...] = ()
    """What its first argument may be, where that can be listed once and for all."""
    offers: Callable[[Session | None, str], Iterable[Choice]] | None = None
    """Finds what all that was typed after the name may become, when it is asked for: models, conversations, paths. The
    session is None while no model is loaded. None: `values`."""

    @property
    def usage(self) -> str:
        """The command as it is typed: `/set NAME VALUE`."""
        return f"/{self.name} {self.arguments}".rstrip()

    def complete(self, typed: str, session: Session | None = None) -> list[Choice]:
        """What its arguments may become, where `typed` is what stands after the name."""
        if self.offers is not None:
            return list(self.offers(session, typed))
        return [Choice(value) for value in self.values if value.startswith(typed.lower())]


def parse_line(text: str, extra: Sequence[Command] = ()) -> tuple[Command, str] | None:
    """The command that `text` is, and its arguments; None where it is a message. `extra` are a front end's own.

    A message may begin with a slash where no name follows it (`/etc/hosts`), or with a space before it. Raises
    `ParameterError` for a name that is none.
    """
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
    """Whole lines that `text`, a command begun, may become. `extra` are a front end's own commands."""
    name, space, typed = text.partition(" ")
    if not name.startswith("/"):
        return []
    known = (*COMMANDS, *extra)
    if not space:
        return [Choice(f"/{each.name}", each.help) for each in known if each.name.startswith(name[1:].lower())]
    named = (each for each in known if name[1:].lower() in (each.name, *each.aliases))
    return [Choice(f"{name} {choice.value}", choice.help) for each in named for choice in each.complete(typed, session)]


def _help(session: Session, front_end: FrontEnd, arguments: str) -> None:
    front_end.show_help()


def _clear(session: Session, front_end: FrontEnd, arguments: str) -> None:
    session.clear()
    front_end.cleared()


def _retry(session: Session, front_end: FrontEnd, arguments: str) -> None:
    front_end.retry()


def _stop(session: Session, front_end: FrontEnd, arguments: str) -> None:
    if session.turn is None:
        front_end.notify("Nothing is being written.")
    session.interrupt()


def _set(session: Session, front_end: FrontEnd, arguments: str) -> None:
    name, _, value = arguments.strip().partition(" ")
    if not name:
        front_end.notify(" · ".join(f"{each.id} {each.format(each.get(session.params))}" for each in CONTROLS))
        return
    if name.lower() == "seed":
        _seed(session, front_end, value)
        return
    knob = control(name)
    if value.strip():
        session.params = knob.assign(session.params, knob.parse(value))
    front_end.notify(f"{knob.id} is {knob.format(knob.get(session.params))}")


def _settings(session: Session | None, typed: str) -> Iterable[Choice]:
    """The knobs; behind a knob's name, its present value and where it does nothing."""
    name, space, value = typed.partition(" ")
    if not space:
        known = {each.id: each.help for each in CONTROLS} | {"seed": "What the random draws follow from."}
        return [Choice(each, help) for each, help in known.items() if each.startswith(name.lower())]
    if name.lower() == "seed":
        offered = {"off": "a new one for each answer"}
    else:
        try:
            knob = control(name)
        except ParameterError:
            return []
        offered = {"off": "it does nothing"} if knob.off is not None else {knob.format(knob.low): "its least"}
        if session is not None:
            offered.setdefault(knob.format(knob.get(session.params)), "as it is")
    return [Choice(f"{name} {each}", help) for each, help in offered.items() if each.startswith(value.lower())]


def _seed(session: Session, front_end: FrontEnd, arguments: str) -> None:
    if arguments.strip():
        session.params = replace(session.params, seed=parse_seed(arguments))
    front_end.notify(f"seed is {format_seed(session.params.seed)}")


def _effort(session: Session, front_end: FrontEnd, arguments: str) -> None:
    wanted = arguments.strip().lower()
    found = [effort for effort in EFFORTS if wanted and effort.startswith(wanted)]
    if wanted and not found:
        raise ParameterError(f"effort cannot be {arguments.strip()!r}", f"Give one of {', '.join(EFFORTS)}.")
    if found:
        session.effort = found[0]
    front_end.notify(f"effort is {session.effort}")


def _instructions(session: Session, front_end: FrontEnd, arguments: str) -> None:
    wanted = arguments.strip()
    if wanted:
        session.instructions = None if wanted.lower() == "off" else wanted
    front_end.notify(f"instructions: {session.instructions}" if session.instructions else "no instructions")


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
    Command("clear", "Begin a new conversation", _clear, aliases=("new",)),
    Command("retry", "Drop the last answer and ask again", _retry),
    Command("stop", "Stop the answer and keep what was written", _stop),
    Command(
        "set",
        "Show or change a sampling setting, also while an answer is being written",
        _set,
        "[NAME [VALUE]]",
        offers=_settings,
    ),
    Command(
        "seed", "Show or fix the seed; off draws a new one for each answer", _seed, "[NUMBER|off]", values=("off",)
    ),
    Command("effort", "Show or change how long the model thinks", _effort, "[LEVEL]", values=EFFORTS),
    Command(
        "instructions",
        "Show or change what the model is told before the conversation; off removes it",
        _instructions,
        "[TEXT|off]",
        values=("off",),
    ),
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
