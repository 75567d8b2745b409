"""The REPL as bare lines: no escape code, nothing written over, nothing drawn. For pipes, dumb and tiny terminals, and
screen readers.

Typed on a terminal, commands work in mid-answer; read from a pipe, every line waits its turn, and the end of the input
ends the program. The model's text is shown as it comes, what a terminal would obey made visible.
"""

from __future__ import annotations

import asyncio
import math
import sys
import threading
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import TextIO

from gptoss_tui.chat import format
from gptoss_tui.chat.commands import parse_line
from gptoss_tui.chat.events import TurnFinished
from gptoss_tui.chat.runs import Run
from gptoss_tui.errors import GptOssError
from gptoss_tui.harmony.messages import Channel
from gptoss_tui.repl.blocks import block_open
from gptoss_tui.repl.frontend import Frontend, ending_lines
from gptoss_tui.repl.opening import Open
from gptoss_tui.repl.options import ReplOptions
from gptoss_tui.repl.view import TWICE_S, Kind
from gptoss_tui.themes import ThemeError
from gptoss_tui.visible import Visible, visible, visible_token

TELL_S = 10.0
"""Seconds between two lines about loading: a screen reader reads each of them."""

Paint = Callable[[str, str], str]
"""(style, text) to what is written; without colours, the text."""


class Lines(Frontend):
    """A REPL that writes lines. `run` returns when the person leaves or the input ends."""

    def __init__(
        self,
        options: ReplOptions,
        open_model: Open | None = None,
        *,
        source: TextIO | None = None,
        target: TextIO | None = None,
        paint: Paint = lambda style, text: text,
    ) -> None:
        super().__init__(options, open_model)
        self._source = source or sys.stdin
        self._target = target or sys.stdout
        self._paint = paint
        self._typed = self._source.isatty()
        self._prompted = self._typed and self._target.isatty()
        self._loop = asyncio.get_running_loop()
        self._lines: asyncio.Queue[str | None] = asyncio.Queue()
        self._wanted = threading.Semaphore(0)
        self._left = asyncio.Event()
        self._part: tuple[Channel | None, str | None] | None = None
        self._visible = Visible()
        self._style = ""
        self._thought: list[str] = []
        self._open_line = False
        self._waiting = ""
        """What a command has put before the next line."""
        self._told = time.monotonic()
        self._interrupted = -math.inf

    async def run(self) -> None:
        """Reads lines until the person leaves or the input ends."""
        self.note("gptoss. /help lists the commands.")
        self.conversation.start()
        threading.Thread(target=self._read, name="gptoss-input", daemon=True).start()
        reading = asyncio.create_task(self._take_lines())
        leaving = asyncio.create_task(self._left.wait())
        _, waiting = await asyncio.wait((reading, leaving), return_when=asyncio.FIRST_COMPLETED)
        for task in waiting:
            task.cancel()

    async def _take_lines(self) -> None:
        text = ""
        while not self._left.is_set():
            if not text and not self._typed:
                await self.conversation.until_idle()
            if self._prompted and not self.conversation.running:
                self._write("... " if text else "> ")
            self._wanted.release()
            line = await self._lines.get()
            if line is None:
                break
            self._open_line = False
            text = f"{text}\n{line}" if text else line
            if not block_open(text):
                self.enter(text)
                text = ""
        if text:
            self.enter(text)
        await self.conversation.until_idle()

    def _read(self) -> None:
        """On a thread of its own, as reading blocks; a line is read when it is wanted."""
        while True:
            self._wanted.acquire()
            try:
                line = self._source.readline()
            except (OSError, ValueError):
                line = ""
            with suppress(RuntimeError):  # the loop is closed: everybody has left
                self._loop.call_soon_threadsafe(self._lines.put_nowait, line.rstrip("\r\n") if line else None)
            if not line:
                return

    def interrupt(self) -> None:
        """Ctrl-C: stops the answer; where none is written, leaves, on a terminal at the second press."""
        if self.conversation.stop():
            return
        now = time.monotonic()
        if not self._typed or now - self._interrupted < TWICE_S:
            self.quit()
            return
        self._interrupted = now
        self._open_line = True  # the terminal has echoed ^C
        self.note("ctrl+c again to leave")
        if self._prompted:
            self._write("> ")

    # A view

    def lines(self, lines: Sequence[str]) -> None:
        """Shows lines as they are, but for what a terminal would obey."""
        self._write("".join(f"{visible(line)}\n" for line in lines), own_line=True)

    def entered(self, text: str) -> None:
        """A command; whoever typed it has seen it."""

    def note(self, text: str, kind: Kind = "info") -> None:
        """A line or two from the program."""
        sign = {"info": "", "warning": "Note: ", "error": "Error: "}[kind]
        role = {"info": "muted", "warning": "warning", "error": "error"}[kind]
        self._write(self._paint(role, f"{sign}{visible(text)}") + "\n", own_line=True)

    def asked(self, text: str) -> None:
        """A prompt goes to the model; whoever typed it has seen it."""

    def recalled(self, text: str) -> None:
        """A prompt of before."""
        self._write(f"{self._paint('accent', 'You:')}\n{visible(text)}\n", own_line=True)

    def write(self, run: Run) -> None:
        """More of the answer; a word says where thinking ends and the answer begins."""
        if (run.channel, run.recipient) != self._part:
            self._end_part()
            self._part = (run.channel, run.recipient)
            aside = run.channel == "analysis" or run.recipient is not None
            self._style = "muted" if aside else ""
            label = f"Call of {visible_token(run.recipient)}" if run.recipient else "Thinking" if aside else "Answer"
            if not (aside and self.thinking == "fold"):
                self._write(f"{self._paint('accent', f'{label}:')}\n", own_line=True)
        self._show(self._visible.feed(run.text))

    def ended(self, event: TurnFinished | None) -> None:
        """The answer is over."""
        self._end_part()
        opened = self.conversation.opened
        if event is not None and opened is not None:
            for text, kind in ending_lines(event, opened.engine.info.context):
                self.note(text, kind)
            if self._prompted:
                self._write("> ")

    def refresh(self) -> None:
        """A long load says now and then how far it is."""
        now = time.monotonic()
        if self.conversation.phase == "loading" and now - self._told >= TELL_S and self.conversation.total:
            self._told = now
            done, total = self.conversation.done, self.conversation.total
            self.note(f"Loading: {format.size(done)} of {format.size(total)}")

    def last_thought(self) -> str:
        """The last answer's thinking."""
        return "".join(self._thought)

    def keys_help(self) -> Sequence[tuple[str, str]]:
        """Keys, and what they do."""
        return (
            ("enter", 'Send the prompt. After """ lines are one prompt until """ ends it.'),
            ("ctrl+c", "Stop the answer; twice where none is being written: leave."),
            ("ctrl+d", "On an empty line: leave."),
        )

    @property
    def takes_sequences(self) -> bool:
        """A terminal may, though none are drawn with here."""
        return self._target.isatty()

    def send_sequence(self, sequence: str) -> None:
        """As it is; the cursor stays where it was."""
        with suppress(OSError, ValueError):
            self._target.write(sequence)
            self._target.flush()

    # A front end

    def fill(self, text: str) -> None:
        """Nothing stands where lines are written: a command is shown, to be typed again; a text waits for the next
        line."""
        if text.startswith("/"):
            self.lines(["Enter this with your changes:", *text.split("\n")])
        else:
            self._waiting = text
            self.note("This goes before the next line.")

    def quit(self) -> None:
        """Leaves."""
        self._left.set()

    def use_theme(self, name: str) -> None:
        """There is nothing to colour."""
        raise ThemeError("Line mode has no colours.", "Leave out --plain on a terminal that can draw.")

    @property
    def theme_name(self) -> str:
        """None."""
        return ""

    def enter(self, text: str) -> None:
        """What was entered; from a pipe, commands wait for their turn by themselves."""
        if self._waiting and text.strip() and not text.startswith("/"):
            text, self._waiting = f"{self._waiting}{text}", ""
        waits = not self._typed and self.conversation.phase == "loading"
        try:
            if waits and parse_line(text, self.own_commands) is not None:
                self.conversation.submit(text)
                return
        except GptOssError as fault:
            self.tell(fault)
            return
        super().enter(text)

    # Writing

    def _show(self, text: str) -> None:
        if self._style:
            self._thought.append(text)
            if self.thinking == "fold":
                return
        if text:
            self._write(self._paint(self._style, text) if self._style else text)

    def _end_part(self) -> None:
        if self._part is not None:
            self._show(self._visible.finish())
            self._visible = Visible()
            self._part = None
            self._write("", own_line=True)

    def _write(self, text: str, *, own_line: bool = False) -> None:
        """Writes; what wants a line of its own begins a new one where the last one is open."""
        if own_line and self._open_line:
            text = "\n" + text
        if not text:
            return
        self._open_line = not text.endswith("\n")
        try:
            self._target.write(text)
            self._target.flush()
        except (OSError, ValueError):  # nobody reads it any more
            self.quit()
