"""The REPL on a terminal: finished rows go into the scrollback, and under them stay the row that is being written, the
prompt, and a line of figures.

A row is printed once. Only what is below the last finished row is drawn again, so an answer can be scrolled, selected
and searched like any other output. Keys are `keys`' business, what happens in the conversation is `conversation`'s.
"""

from __future__ import annotations

import os
from collections.abc import Sequence

from prompt_toolkit.auto_suggest import AutoSuggestFromHistory
from prompt_toolkit.buffer import Buffer
from prompt_toolkit.enums import EditingMode
from prompt_toolkit.filters import Condition
from prompt_toolkit.formatted_text import StyleAndTextTuples
from prompt_toolkit.renderer import print_formatted_text
from prompt_toolkit.styles import DynamicStyle

from gptoss_tui.chat.controls import CONTROLS
from gptoss_tui.chat.events import TurnFinished
from gptoss_tui.chat.history import PromptHistory, history_file
from gptoss_tui.chat.runs import Run
from gptoss_tui.colours import background_is_light
from gptoss_tui.repl.answer import AnswerRows
from gptoss_tui.repl.completion import PromptCompleter
from gptoss_tui.repl.frontend import Frontend, ending_lines
from gptoss_tui.repl.history import SharedHistory
from gptoss_tui.repl.keys import key_bindings, keys_help
from gptoss_tui.repl.layout import prompt_layout
from gptoss_tui.repl.listening import listening_input
from gptoss_tui.repl.opening import Open
from gptoss_tui.repl.options import ReplOptions
from gptoss_tui.repl.output import HeldOutput, terminal_output
from gptoss_tui.repl.resizing import ResizingApplication, breaks_rows_anew
from gptoss_tui.repl.rows import Row, unjoined
from gptoss_tui.repl.status import status_row
from gptoss_tui.repl.styles import colour_depth, prompt_style, theme_sample
from gptoss_tui.repl.telling import ASIDE, asked, told
from gptoss_tui.repl.view import Kind
from gptoss_tui.themes import Theme, default_theme

WIDEST = 100
"""Cells of a row of text: longer ones are hard to read."""
TAIL_ROWS = 8
"""Rows that may wait to be settled and are shown meanwhile; of more, the last ones."""
KEPT_ROWS = 4
"""Rows that these leave to the prompt and the figures."""
# Escape is a key of its own and the beginning of others; over a slow link the rest of those may be late.
_ESCAPE_WAIT_S = 0.1

_STYLES: dict[Kind, str] = {"info": "class:muted", "warning": "class:warning", "error": "class:error"}


class Screen(Frontend):
    """A REPL that draws. `run` returns when the person leaves."""

    def __init__(self, options: ReplOptions, open_model: Open | None = None, *, asked: bool = False) -> None:
        """`asked`: the terminal was asked for its background's colour, and may answer yet."""
        super().__init__(options, open_model)
        self._use(self.theme_named(options.theme) if options.theme else default_theme(background_is_light(os.environ)))
        self._spare = options.low_bandwidth
        self._keymap = options.keymap
        self.prompts = PromptHistory(history_file(options.history_file, private=not options.saving.save))
        self.knob = 0
        """The index of the knob that + and - turn."""
        self.line_dropped = False
        """True once the terminal went away."""
        self.editing = False
        """True while the person's editor has the terminal."""
        self._answer: AnswerRows | None = None
        self._written: tuple[tuple[int, int], StyleAndTextTuples] | None = None
        """What is shown of the rows that are not settled, and for which size of the terminal."""
        self._thought = ""
        self._unprinted: list[Row] = []
        self.completer = PromptCompleter(self.own_commands, lambda: self.conversation.session)
        self.buffer = Buffer(
            history=SharedHistory(self.prompts),
            auto_suggest=AutoSuggestFromHistory(),
            completer=self.completer,
            complete_while_typing=Condition(self._completes_while_typing),
            multiline=True,
            tempfile_suffix=".md",
        )
        self._output: HeldOutput = terminal_output(
            os.environ.get("TERM", ""), colour_depth(os.environ, spare=self._spare)
        )
        self.app = ResizingApplication(
            layout=prompt_layout(self.buffer, self._tail, self._status),
            key_bindings=key_bindings(self, options.keymap),
            style=DynamicStyle(lambda: self._style),
            include_default_pygments_style=False,
            editing_mode=EditingMode.VI if options.editing == "vi" else EditingMode.EMACS,
            color_depth=self._output.get_default_color_depth(),
            output=self._output,
            input=listening_input(asked, self._suit, self._read_late),
            after_render=lambda _: self._output.release(),
        )
        self.app.breaks_anew = breaks_rows_anew(os.environ)
        self.app.ttimeoutlen = _ESCAPE_WAIT_S
        self.app.timeoutlen = 2 * _ESCAPE_WAIT_S

    async def run(self) -> None:
        """Reads keys until the person leaves or the terminal goes away."""
        # In no colour, since the background may not be known yet.
        self.lines(["/help lists keys and commands."])
        self.tell_broken_themes()
        self.conversation.start()
        try:
            await self.app.run_async()
        except EOFError:
            self.line_dropped = True
        finally:
            self.prompts.add(self.buffer.text)
            self._output.release()

    # A view

    def lines(self, lines: Sequence[str]) -> None:
        """Shows lines as they are."""
        self._tell("\n".join(lines), "")

    def note(self, text: str, kind: Kind = "info") -> None:
        """A line or two from the program."""
        self._tell(text, _STYLES[kind])

    def entered(self, text: str) -> None:
        """A command, as it was entered: the scrollback tells what was done."""
        self._tell(text.strip(), "class:secondary")

    def _tell(self, text: str, style: str) -> None:
        self._print(told(text, style, self._width, aside=self._answer is not None))

    def asked(self, text: str) -> None:
        """A prompt goes to the model."""
        self._print(asked(text, self._width))

    def write(self, run: Run) -> None:
        """More of the answer."""
        if self._answer is None:
            self._answer = AnswerRows(self._width, self.thinking)
        self._answer.width = self._width
        rows = self._answer.write(run)
        self._written = None
        self._print(rows)

    def ended(self, event: TurnFinished | None) -> None:
        """The answer is over."""
        if self._answer is not None:
            self._print(self._answer.end())
            self._thought = self._answer.thought
            self._answer = self._written = None
        opened = self.conversation.opened
        if event is not None and opened is not None:
            for text, kind in ending_lines(event, opened.engine.info.context):
                self.note(text, kind)

    def refresh(self) -> None:
        """Draws the part that stays, soon."""
        self.app.invalidate()

    def last_thought(self) -> str:
        """The last answer's thinking."""
        return self._thought

    def keys_help(self) -> Sequence[tuple[str, str]]:
        """Keys, and what they do."""
        return keys_help(self._keymap)

    def send_sequence(self, sequence: str) -> None:
        """Past everything that keeps text from being obeyed."""
        self._output.write_raw(sequence)
        self._output.flush()

    # What keys and commands ask for

    def fill(self, text: str) -> None:
        """Into the prompt; what was there goes into the history."""
        self.prompts.add(self.buffer.text)
        self.buffer.text = text
        self.buffer.cursor_position = len(text)

    def quit(self) -> None:
        """Leaves."""
        if self.app.is_running and not self.app.is_done:
            self.app.exit()

    @property
    def columns(self) -> int:
        """Cells that a row may have."""
        return self._width - len(ASIDE)

    @property
    def theme_name(self) -> str:
        """The theme in use."""
        return self._theme.name

    def use_theme(self, name: str) -> None:
        """Changes the colours from here on."""
        self._use(self.theme_named(name))

    def show_themes(self) -> None:
        """Every theme in its own colours; the one in use is marked."""
        self._print([theme_sample(theme, self._width, used=theme is self._theme) for theme in self.themes.values()])

    def _use(self, theme: Theme) -> None:
        self._theme = theme
        self._style = prompt_style(theme, colour_depth(os.environ))

    def _suit(self, light: bool) -> None:
        """The terminal has told whether its background is light."""
        self._use(default_theme(light))
        self.refresh()

    def _read_late(self) -> None:
        """Keys were held back, as they looked like an answer of the terminal."""
        if self.app.is_running:
            keys = [*self.app.input.read_keys(), *self.app.input.flush_keys()]
            self.app.key_processor.feed_multiple(keys)
            self.app.key_processor.process_keys()

    def turn_knob(self, steps: int) -> None:
        """Turns the chosen knob; a running answer follows at its next token."""
        session = self.conversation.session
        if session is not None:
            session.params = CONTROLS[self.knob].nudge(session.params, steps)
            self.refresh()

    def take_back(self) -> None:
        """What was waiting goes back into the prompt."""
        texts = [*self.conversation.take_back(), self.buffer.text]
        self.buffer.text = "\n".join(text for text in texts if text)
        self.buffer.cursor_position = len(self.buffer.text)

    async def edit(self) -> None:
        """Opens the prompt in the person's editor; what the model writes meanwhile is shown afterwards."""
        self.editing = True
        try:
            await self.buffer.open_in_editor()
        finally:
            self.editing = False
            self._print([])

    # Drawing

    def _completes_while_typing(self) -> bool:
        text = self.buffer.document.text_before_cursor
        return text.startswith("/") or text.rpartition(" ")[2].startswith("@")

    @property
    def _width(self) -> int:
        # The last column stays free: some terminals break the line there, others do not.
        return min(self._output.get_size().columns - 1, WIDEST)

    def _print(self, rows: Sequence[Row]) -> None:
        """Puts rows above what stays."""
        self._unprinted += rows
        if self.editing or not self._unprinted:
            return
        text: StyleAndTextTuples = []
        for row in self._unprinted:
            text += row
            text.append(("", "\n"))
        self._unprinted = []
        running = self.app.is_running and not self.app.is_done
        self._output.hold()
        if running:
            self.app.renderer.erase()
        print_formatted_text(self._output, text, self.app.style or self._style, color_depth=self.app.color_depth)
        if running:
            self.app.invalidate()  # draws what stays, and that releases the output
        else:
            self._output.release()

    def _tail(self) -> StyleAndTextTuples:
        if self._answer is None:
            return []
        columns, rows = self._output.get_size().columns, self._output.get_size().rows
        if self._written is None or self._written[0] != (columns, rows):
            # Asked for several times a draw, and a table or a block of code takes a moment.
            self._answer.width = self._width
            text: StyleAndTextTuples = []
            for row in self._answer.tail()[-max(1, min(TAIL_ROWS, rows - KEPT_ROWS)) :]:
                text += [("", "\n" if text else ""), *unjoined(row)]
            self._written = (columns, rows), text
        return self._written[1]

    def _status(self) -> StyleAndTextTuples:
        return [
            *status_row(
                self.conversation, self.knob, self._keymap, self._output.get_size().columns - 1, spare=self._spare
            )
        ]
