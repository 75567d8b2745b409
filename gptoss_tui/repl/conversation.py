"""Plays a conversation for the REPL: loads, queues, asks, drains the turn's events at a calm pace, stops.

Runs on the event loop's thread; the model's thread posts wake-ups and nothing else. Tells a `View` what to show; does
not know whether that is a terminal with colours or bare lines.
"""

from __future__ import annotations

import asyncio
import math
from collections import deque
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from gptoss_tui.chat.attach import with_files
from gptoss_tui.chat.events import Token, TurnFinished
from gptoss_tui.chat.loading import ModelLoading
from gptoss_tui.chat.meter import RateMeter
from gptoss_tui.chat.moves import Move, Send
from gptoss_tui.chat.runs import runs
from gptoss_tui.chat.switching import NotSwitched, Switched, same_model
from gptoss_tui.engine.events import PrefillProgress
from gptoss_tui.errors import GptOssError
from gptoss_tui.repl.opening import Open, Opened, open_options
from gptoss_tui.repl.options import ReplOptions
from gptoss_tui.repl.view import View
from gptoss_tui.signals import Leaving

if TYPE_CHECKING:
    from gptoss_tui.chat.keeper import Keeper
    from gptoss_tui.chat.session import Session
    from gptoss_tui.chat.turn import Turn

Phase = Literal["loading", "idle", "reading", "writing", "stopping", "failed"]

DRAW_S = 1 / 12
"""Seconds between two draws, at least."""
SLOW_DRAW_S = 0.5
"""The same where bandwidth is low."""


class Conversation:
    """One conversation, and the model under it."""

    def __init__(self, options: ReplOptions, view: View, open_model: Open | None = None) -> None:
        """Call it on the event loop's thread."""
        options = replace(
            options, saving=replace(options.saving, tell=lambda text: self._post(view.note, text, "warning"))
        )
        self._options = options
        self._view = view
        self._loop = asyncio.get_running_loop()
        opens = open_model or open_options
        self._loading: ModelLoading[Opened] = ModelLoading(
            lambda folder, *how: opens(options if folder is None else replace(options, model=folder), *how),
            history_bytes=options.history_bytes,
            on_progress=lambda now: self._post(self._progressed, now.done_bytes, now.total_bytes),
            on_loaded=lambda opened: self._post(self._loaded, opened),
            on_switched=lambda switched: self._post(self._switched, switched),
            on_failed=lambda fault: self._post(self._load_failed, fault),
        )
        self._kept: Opened | None = None  # the last model and its conversation, which goes on with the next
        self._leaving: Opened | None = None  # what a switch under way is about to let go
        self.opened: Opened | None = None
        self.phase: Phase = "loading"
        self.done = self.total = 0
        """Bytes while loading, prompt tokens while reading."""
        self.queue: deque[str] = deque()
        """Prompts that wait for the model, and commands among them."""
        self.run_queued: Callable[[str], bool] = lambda text: False
        """Does a queued command; False where the text is a prompt."""
        self.meter = RateMeter()
        self.first_token_s = math.nan
        self._turn: Turn | None = None
        self._armed = False
        self._drawn = -math.inf
        self._idle = asyncio.Event()

    def start(self) -> None:
        """Begins to load."""
        self._loading.start()

    @property
    def session(self) -> Session | None:
        """The conversation; None until the model is loaded."""
        return self.opened.session if self.opened is not None else None

    @property
    def running(self) -> bool:
        """True from asking to the end of the answer."""
        return self.phase in ("reading", "writing", "stopping")

    async def until_idle(self) -> None:
        """Waits until nothing is written and nothing waits, or loading has failed."""
        await self._idle.wait()

    def submit(self, text: str) -> None:
        """Asks, now or as soon as the model can."""
        if self.phase == "failed":
            self._view.note("There is no model to ask.", "error")
            return
        self.queue.append(text)
        self._next()

    def make(self, move: Move) -> None:
        """Makes a move; the answer that it begins is shown as any other. Not while one is being written."""
        if self.running:
            self._view.note("Stop the answer first.", "warning")
        else:
            self._begin(move)

    def use_model(self, folder: Path) -> None:
        """Goes on with another model; refused while an answer is being written."""
        opened = self.opened
        if self.running or self._loading.switching:
            self._view.note("Not now: stop what is under way first.", "warning")
        elif opened is not None and same_model(opened.folder, folder):
            self._view.note("This model is loaded already.")
        else:
            self._idle.clear()
            self.phase, self._leaving, self.opened = "loading", opened, None
            if self._kept is None:
                self._loading.instead(folder)
            else:
                self._loading.switch(folder, *((opened.engine, opened.folder) if opened is not None else (None, None)))
            self._view.refresh()

    def stop(self) -> bool:
        """Stops the answer, or a change of models; False where there is neither."""
        if self._loading.abandon():
            self._view.note("Stopping: the model before comes back.")
            return True
        if not self.running:
            return False
        self.phase = "stopping"
        if self._turn is not None:
            self._turn.stop()
        self._view.refresh()
        return True

    def take_back(self) -> list[str]:
        """What was waiting; it waits no longer."""
        texts, self.queue = list(self.queue), deque()
        return texts

    def abandon(self) -> None:
        """The conversation was cleared: what was being written belongs to nothing."""
        if self._turn is not None:
            self._turn = None
            self._view.ended(None)
            self._rest()

    @property
    def keeper(self) -> Keeper | None:
        """What keeps the conversation; None before the model is loaded, and where nothing does."""
        return self._kept.keeper if self._kept is not None else None

    @property
    def outlives_the_line(self) -> bool:
        """Whether an answer is worth finishing without a terminal."""
        return self.keeper is not None and self.keeper.busy

    def close(self, leaving: Leaving, timeout_s: float = 1.0) -> None:
        """Keeps what was said, ends loading or writing, and the model."""
        lines = self.keeper.wind_up(leaving) if self.keeper is not None else ()
        for line in lines:
            self._view.note(line)
        if self._turn is not None:
            self._turn.stop()
        self._loading.close(timeout_s)

    # From other threads

    def _post(self, call: Callable[..., None], *arguments: object) -> None:
        with suppress(RuntimeError):  # the loop is closed: everybody has left
            self._loop.call_soon_threadsafe(call, *arguments)

    # On the loop's thread

    def _progressed(self, done: int, total: int) -> None:
        self.done, self.total = done, total
        self._view.refresh()

    def _loaded(self, opened: Opened) -> None:
        first = self._kept is None
        self.opened = self._kept = opened
        for text in filter(None, (opened.about, opened.engine.info.warning)):
            self._view.note(text, "warning")
        if first and opened.session.path:
            self._view.moved()
        self._rest()

    def _switched(self, switched: Switched) -> None:
        assert self._kept is not None
        self._loading.settled(switched=True)
        session = self._kept.session
        session.use(switched.engine, switched.harmony)
        if self._kept.keeper is not None:
            self._kept.keeper.moved(switched.engine, switched.folder)
        about = self._options.about(switched.folder) if self._options.about is not None else ""
        self._view.note(switched.summary, "info" if switched.fault is None else "warning")
        self._loaded(Opened(switched.engine, session, about, self._kept.keeper, switched.folder))

    def _load_failed(self, fault: GptOssError) -> None:
        self._view.note(f"{fault.message}\n{fault.hint}".strip(), "error")
        untouched = isinstance(fault, NotSwitched)
        self._loading.settled(switched=not untouched)
        if untouched and self._leaving is not None:
            self.opened, self._leaving = self._leaving, None
            self._rest()
            return
        self.phase = "failed"
        self._idle.set()

    def _rest(self) -> None:
        """Nothing is being written any more: what waits is next."""
        self.phase = "idle"
        self.done = self.total = 0
        self._next()
        self._view.refresh()

    def _next(self) -> None:
        while self.phase == "idle" and self.queue:
            text = self.queue.popleft()
            if not self.run_queued(text):
                self._view.asked(text)
                self._begin(text)
        (self._idle.set if self.phase == "idle" else self._idle.clear)()
        self._view.refresh()

    def _begin(self, wanted: Move | str) -> None:
        session = self.session
        assert session is not None
        self._idle.clear()
        self.phase = "reading"
        self.meter.start()
        self.first_token_s = math.nan
        try:
            move = Send(with_files(wanted, session)) if isinstance(wanted, str) else wanted
            self._turn = session.make(move, on_event=self._wake)
        except GptOssError as fault:
            self._fail(fault)
            return
        if self._turn is None:
            self._view.moved()
            self._rest()
        else:
            self._view.begun(move)

    def _wake(self) -> None:
        """On the model's thread, after each event: at most one wake-up is under way."""
        if not self._armed:
            self._armed = True
            self._post(self._schedule)

    def _schedule(self) -> None:
        pause = SLOW_DRAW_S if self._options.low_bandwidth else DRAW_S
        self._loop.call_later(max(0.0, self._drawn + pause - self._loop.time()), self._draw)

    def _draw(self) -> None:
        self._armed = False
        if (turn := self._turn) is None:
            return
        try:
            events = turn.drain()
        except GptOssError as fault:
            self._fail(fault)
            return
        for event in events:
            if isinstance(event, PrefillProgress):
                self.done, self.total = event.done, event.total
        self._write([event for event in events if isinstance(event, Token)])
        finished = next((event for event in events if isinstance(event, TurnFinished)), None)
        self._drawn = self._loop.time()
        if finished is not None:
            self._turn = None
            self._view.ended(finished)
            self._rest()
        else:
            if turn.over:  # a fault comes with the call after the last events
                self._schedule()
            self._view.refresh()

    def _write(self, tokens: Sequence[Token]) -> None:
        if tokens and self.phase == "reading":
            self.phase = "writing"
            self.first_token_s = tokens[0].step.elapsed_s
        for token in tokens:
            self.meter.add(token.step.elapsed_s)
        for run in runs(tokens):
            self._view.write(run)

    def _fail(self, fault: GptOssError) -> None:
        self._turn = None
        self._view.ended(None)
        self._view.note(f"{fault.message}\n{fault.hint}".strip(), "error")
        self._rest()
