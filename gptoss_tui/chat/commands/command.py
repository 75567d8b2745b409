"""What a slash command is, and what it may ask of whoever shows the conversation. Knows no widget and no terminal."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from gptoss_tui.chat.choices import Choice
from gptoss_tui.chat.keeper import Keeper
from gptoss_tui.chat.moves import Move
from gptoss_tui.chat.session import Session


class FrontEnd(Protocol):
    """What a command needs of whoever shows the conversation."""

    @property
    def keeper(self) -> Keeper | None:
        """What keeps the conversation; None where nothing does."""

    def notify(self, message: str) -> None:
        """Shows a short text that answers the command."""

    def show_help(self) -> None:
        """Shows the keys and the commands."""

    def show(self, text: str) -> None:
        """Shows lines that a command lists; not safe to show as they are."""

    def make(self, move: Move) -> None:
        """Makes a move: `Session.make` with the front end's own wake-up. Shows the answer that it begins, or what is
        shown now."""

    def moved(self) -> None:
        """What is shown is no longer the conversation: draws `session.path` anew. What was being written is left."""

    def fill(self, text: str) -> None:
        """Puts a text where the person writes, to be changed and entered."""

    def copy(self, text: str, what: str) -> None:
        """Puts a text into the clipboard and says that `what` was copied, or what went wrong."""

    def show_sessions(self, words: str) -> None:
        """Lets the person see the kept conversations, those in which the words stand, and choose."""

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
