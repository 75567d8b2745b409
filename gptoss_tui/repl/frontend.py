"""What both forms of the REPL share: lines become prompts or commands, and commands that need no session are done here.

The forms differ in how they read keys and show text: `screen` draws with prompt_toolkit, `lines` writes bare lines.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from pathlib import Path
from typing import cast

from gptoss_tui import clipboard
from gptoss_tui.chat import format
from gptoss_tui.chat.attach import prompt_of, split
from gptoss_tui.chat.commands import COMMANDS, Command, parse_line
from gptoss_tui.chat.endings import ending_note
from gptoss_tui.chat.events import TurnFinished
from gptoss_tui.chat.forks import turns
from gptoss_tui.chat.keeper import Keeper
from gptoss_tui.chat.moves import Edit, EditAnswer, GoOn, Move, Retry, Send
from gptoss_tui.chat.runs import Run
from gptoss_tui.chat.session import Session
from gptoss_tui.errors import GptOssError, ParameterError
from gptoss_tui.repl.blocks import unblocked
from gptoss_tui.repl.conversation import Conversation
from gptoss_tui.repl.help import two_columns
from gptoss_tui.repl.opening import Open
from gptoss_tui.repl.options import ReplOptions, Thinking
from gptoss_tui.repl.tables import kv_table, layers_table, models_table
from gptoss_tui.repl.view import Kind
from gptoss_tui.themes import Theme, broken_themes, shipped_themes, theme_named, themes_with


class Frontend(ABC):
    """A REPL: a `View` for the conversation and a `FrontEnd` for commands."""

    def __init__(self, options: ReplOptions, open_model: Open | None = None) -> None:
        """Call it on the event loop's thread."""
        self.thinking: Thinking = options.thinking
        self.conversation = Conversation(options, self, open_model)
        self.conversation.run_queued = self._run_queued
        self.themes, self._broken_themes = (
            themes_with(options.themes_folder) if options.themes_folder is not None else (shipped_themes(), ())
        )
        self.own_commands = self._own_commands()
        """The commands that only this front end has."""

    def theme_named(self, name: str) -> Theme:
        """The theme of this name. Raises `ThemeError`."""
        return theme_named(name, self.themes)

    def tell_broken_themes(self) -> None:
        """One notice where files of one's own are broken."""
        for notice in broken_themes(self._broken_themes):
            self.note(notice, "warning")

    # A view

    @abstractmethod
    def lines(self, lines: Sequence[str]) -> None:
        """Shows lines as they are, but for what a terminal would obey."""

    @abstractmethod
    def note(self, text: str, kind: Kind = "info") -> None:
        """A line or two from the program."""

    @abstractmethod
    def entered(self, text: str) -> None:
        """A command was entered, and is about to be done."""

    @abstractmethod
    def asked(self, text: str) -> None:
        """A prompt goes to the model."""

    def recalled(self, text: str) -> None:
        """A prompt that was asked before."""
        self.asked(text)

    @abstractmethod
    def write(self, run: Run) -> None:
        """More of the answer, unsafe as the model wrote it."""

    @abstractmethod
    def ended(self, event: TurnFinished | None) -> None:
        """The answer is over; None where a fault ended it."""

    @abstractmethod
    def refresh(self) -> None:
        """Figures may have changed."""

    @abstractmethod
    def last_thought(self) -> str:
        """The last answer's thinking, safe to show."""

    @abstractmethod
    def keys_help(self) -> Sequence[tuple[str, str]]:
        """Keys, and what they do."""

    @property
    def takes_sequences(self) -> bool:
        """Whether the terminal obeys more than text."""
        return True

    @abstractmethod
    def send_sequence(self, sequence: str) -> None:
        """Sends what the terminal is to obey."""

    # A front end for commands

    @abstractmethod
    def fill(self, text: str) -> None:
        """A text to be changed and entered."""

    @abstractmethod
    def quit(self) -> None:
        """Leaves."""

    @abstractmethod
    def use_theme(self, name: str) -> None:
        """Changes the colours. Raises `ThemeError`."""

    @property
    def keeper(self) -> Keeper | None:
        """What keeps the conversation."""
        return self.conversation.keeper

    def show_sessions(self, words: str) -> None:
        """The kept conversations."""
        from gptoss_tui.chat.store.listing import overview

        if self.keeper is not None:
            self.show(overview(self.keeper.library, words).rstrip("\n"))

    def show_themes(self) -> None:
        """Lists the themes; the one in use is marked."""
        self.lines([f"{'* ' if each == self.theme_name else '  '}{each}" for each in self.themes])

    def notify(self, message: str) -> None:
        """Shows what a command answers."""
        self.note(message)
        self.refresh()

    def show_help(self) -> None:
        """The keys and the commands."""
        commands = [(command.usage, command.help) for command in (*COMMANDS, *self.own_commands)]
        self.lines([*two_columns(self.keys_help(), self.columns), "", *two_columns(commands, self.columns)])

    def show_models(self) -> None:
        """The models on this machine; the one in use is marked."""
        opened = self.conversation.opened
        self.lines(models_table(opened.folder if opened is not None else None))

    def use_model(self, folder: Path) -> None:
        """Another model under this conversation."""
        self.conversation.use_model(folder)

    def show(self, text: str) -> None:
        """What a command lists."""
        self.lines(text.split("\n"))

    def make(self, move: Move) -> None:
        """The move is made, and what it begins is shown."""
        self.conversation.make(move)

    def begun(self, move: Move) -> None:
        """Says what the model is writing, where it is no new prompt's answer, and what a prompt has attached."""
        session = self.conversation.session
        match move:
            case Send(text=text) if session is not None:
                for file in split(text)[1]:
                    self.note(f"{file.name}: {format.tokens(session.count(file.text))}")
            case Edit(text=text):
                self.asked(prompt_of(text))
            case Retry():
                self.note("Asking again. /branch prev shows the answer before.")
            case GoOn():
                self.note("Going on with the answer.")
            case EditAnswer(text=text):
                self.note("Going on behind these words:")
                self.write(Run("final", None, text, 0, 0.0))

    def moved(self) -> None:
        """Another conversation, or another branch of this one: says which, and its last turn."""
        self.conversation.abandon()
        session = self.conversation.session
        parts = turns(session.path) if session is not None else []
        if session is None or not parts:
            self.note("A new conversation.")
            return
        count = f"{len(parts):,} turns, the last one:" if len(parts) > 1 else "one turn:"
        self.note(f"{session.title} · {count}")
        for node in parts[-1]:
            if node.role != "assistant":
                self.recalled(prompt_of(node.text))
                continue
            if node.text:
                self.write(Run("final", None, node.text, len(node.token_ids), 0.0))
            self.ended(None)
            if note := ending_note(node.ending, session.context):
                self.note(note, "warning")

    def copy(self, text: str, what: str) -> None:
        """Into every clipboard within reach."""
        clipboard.copy(text, self.send_sequence if self.takes_sequences else None)
        self.note(f"{what} copied: {len(text):,} characters.")

    # Input

    def enter(self, text: str) -> None:
        """What the person entered: a command is done at once where it can be, a prompt goes to the model."""
        if not text.strip():
            return
        try:
            parsed = parse_line(text, self.own_commands)
            if parsed is None:
                self.conversation.submit(unblocked(text))
            else:
                self.entered(text)
                self._command(text, *parsed)
        except GptOssError as fault:
            self.tell(fault)

    def tell(self, fault: GptOssError) -> None:
        """A fault, as a note."""
        self.note(f"{fault.message}\n{fault.hint}".strip(), "error")

    def _command(self, text: str, command: Command, arguments: str) -> None:
        if (session := self.conversation.session) is not None:
            command.run(session, self, arguments)
        elif command.anytime:
            # It leaves the session alone, so it needs none.
            command.run(cast("Session", None), self, arguments)
        elif self.conversation.phase == "failed":
            self.note("There is no model yet.", "error")
        else:
            self.conversation.submit(text)
            self.note("This waits until the model is loaded.")

    def _run_queued(self, text: str) -> bool:
        """Does what waited for the model, if it is a command."""
        try:
            parsed, session = parse_line(text, self.own_commands), self.conversation.session
            if parsed is None or session is None:
                return False
            parsed[0].run(session, self, parsed[1])
        except GptOssError as fault:
            self.tell(fault)
        return True

    def _own_commands(self) -> tuple[Command, ...]:
        return (
            Command("layers", "Show every layer's attention and cache", self._show_layers),
            Command("kv", "Show the KV cache and the context", self._show_kv),
            Command(
                "thinking",
                "Show, fold or print again what is written before the answer",
                self._set_thinking,
                "[show|fold|last]",
                values=("show", "fold", "last"),
            ),
        )

    def _show_layers(self, *_: object) -> None:
        if (opened := self.conversation.opened) is not None:
            self.lines(layers_table(opened.engine.layers(), self.columns))

    def _show_kv(self, *_: object) -> None:
        if (opened := self.conversation.opened) is not None:
            self.lines(kv_table(opened.engine.info, opened.engine.layers(), self.columns))

    def _set_thinking(self, session: Session, front_end: object, arguments: str) -> None:
        match arguments.strip().lower():
            case "last":
                self.lines(self.last_thought().splitlines() or ["There was no thinking."])
                return
            case "show" | "fold" as wanted:
                self.thinking = wanted
            case "":
                pass
            case other:
                raise ParameterError(f"thinking cannot be {other!r}", "Give show, fold or last.")
        self.note(f"thinking is {'shown' if self.thinking == 'show' else 'folded'}")

    @property
    def columns(self) -> int:
        """Cells that a row may have."""
        return 1_000

    @property
    @abstractmethod
    def theme_name(self) -> str:
        """The theme in use; empty where there are no colours."""


def ending_lines(event: TurnFinished, context: int) -> list[tuple[str, Kind]]:
    """(text, kind) of each line under an answer."""
    figures: list[tuple[str, Kind]] = [(format.answer_figures(event.finished), "info")]
    note = ending_note(event.reason, context)
    return [(note, "warning"), *figures] if note else figures
