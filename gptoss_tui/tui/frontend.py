"""What slash commands ask of this front end. The commands themselves are `chat.commands`' business."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, cast

from gptoss_tui.chat.commands import parse_line
from gptoss_tui.errors import GptOssError
from gptoss_tui.tui.screens.help import HelpScreen
from gptoss_tui.visible import visible

if TYPE_CHECKING:
    from gptoss_tui.chat.keeper import Keeper
    from gptoss_tui.chat.moves import Move
    from gptoss_tui.chat.session import Session
    from gptoss_tui.tui.app import GptOssApp
    from gptoss_tui.tui.screens.main import MainScreen


class TuiFrontEnd:
    """A `FrontEnd` on the main screen."""

    def __init__(self, screen: MainScreen) -> None:
        self._screen = screen

    def execute(self, text: str) -> bool:
        """Does what the text says if it is a command; False where it is a message."""
        try:
            parsed = parse_line(text)
            if parsed is None:
                return False
            command, arguments = parsed
            backend = self._screen.conductor.backend
            if backend is None and not command.anytime:
                self._screen.prompt.fill(text)
                self.notify(f"/{command.name} needs the model, which is not loaded yet.")
                return True
            # Before the model is there, only commands run that leave the session alone.
            session = cast("Session", backend.session if backend is not None else None)
            command.run(session, self, arguments)
        except GptOssError as fault:
            self._screen.prompt.fill(text)
            self._screen.app.notify(visible(f"{fault.message}\n{fault.hint}".strip()), severity="warning", markup=False)
        self._screen.conductor.adopt()
        return True

    @property
    def keeper(self) -> Keeper | None:
        """What keeps the conversation."""
        return self._screen.conductor.keeper

    def notify(self, message: str) -> None:
        """A short text over the screen for a moment."""
        self._screen.app.notify(visible(message), markup=False)

    def show_help(self) -> None:
        """The help screen."""
        self._screen.app.push_screen(HelpScreen(self._screen.keymap))

    def show(self, text: str) -> None:
        """Lines that a command lists, at the end of the conversation."""
        self._screen.run_worker(self._screen.chat.note(text))

    def make(self, move: Move) -> None:
        """The move is made, and what it begins is shown."""
        self._screen.run_worker(self._screen.conductor.make(move))

    def moved(self) -> None:
        """The session has another conversation, or another path."""
        self._screen.run_worker(self._screen.conductor.moved())

    def fill(self, text: str) -> None:
        """Into the prompt."""
        self._screen.prompt.fill(text)
        self._screen.prompt.focus()

    def copy(self, text: str, what: str) -> None:
        """Into every clipboard within reach."""
        self._app.copy(text, what)

    def show_sessions(self, words: str) -> None:
        """The list of conversations."""
        self._screen.sessions.browse(words)

    def show_themes(self) -> None:
        """The list of themes, with a preview."""
        self._app.action_themes()

    def use_theme(self, name: str) -> None:
        """Other colours from now on."""
        self._app.use_theme(name)

    @property
    def _app(self) -> GptOssApp:
        return cast("GptOssApp", self._screen.app)

    def show_models(self) -> None:
        """The list of models."""
        self._app.action_models()

    def use_model(self, folder: Path) -> None:
        """Another model under this conversation."""
        self._screen.run_worker(self._screen.conductor.use_model(folder))

    def quit(self) -> None:
        """Leaves."""
        self._screen.app.exit()
