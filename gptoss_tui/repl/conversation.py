"""Plays a conversation for the REPL: loads, queues, asks, drains the turn's events at a calm pace, stops.

Runs on the event loop's thread; the model's thread posts wake-ups and nothing else. Tells a `View` what to show; does
not know whether that is a terminal with colours or bare lines.
"""

from __future__ import annotations

import asyncio
import math
import threading
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Literal, Protocol

from gptoss_tui.chat.events import Token, TurnFinished
from gptoss_tui.chat.meter import RateMeter
from gptoss_tui.chat.opening import open_session
from gptoss_tui.errors import GptOssError, LoadCancelled
from gptoss_tui.harmony.messages import Channel
from gptoss_tui.repl.options import ReplOptions

if TYPE_CHECKING:
    from gptoss_tui.chat.session import Session
    from gptoss_tui.chat.turn import Turn
    from gptoss_tui.engine.events import LoadProgress
    from gptoss_tui.engine.worker import Engine

Phase = Literal["loading", "idle", "reading", "writing", "stopping", "failed"]
Kind = Literal["info", "warning", "error"]

DRAW_S = 1 / 12
"""Seconds between two draws, at least."""
SLOW_DRAW_S = 0.5
"""The same where bandwidth is low."""


@dataclass(frozen=True, slots=True)
class Opened:
    """A loaded model with a conversation on it."""

    engine: Engine
    session: Session
    about: str = ""
    """One line on what this model is; empty: nothing to say."""


Open = Callable[[ReplOptions, Callable[["LoadProgress"], None], Callable[[], bool]], Opened]
"""Loads a model; blocks, on a thread of its own. Raises `GptOssError`."""


class View(Protocol):
    """What shows the conversation."""

    def note(self, text: str, kind: Kind = "info") -> None:
        """A line or two from the program."""

    def asked(self, text: str) -> None:
        """A prompt goes to the model."""

    def write(self, channel: Channel | None, recipient: str | None, text: str) -> None:
        """More of the answer, unsafe as the model wrote it."""

    def ended(self, event: TurnFinished | None) -> None:
        """The answer is over; None where a fault ended it."""

    def refresh(self) -> None:
        """Figures may have changed."""


class Conversation:
    """One conversation, and the model under it."""

    def __init__(self, options: ReplOptions, view: View, open_model: Open | None = None) -> None:
        """Call it on the event loop's thread."""
        self._options = options
        self._view = view
        self._open = open_model or _open
        self._loop = asyncio.get_running_loop()
        self._cancelled = threading.Event()
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
        threading.Thread(target=self._load, name="gptoss-load", daemon=True).start()

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

    def retry(self) -> None:
        """Drops the last answer and asks again."""
        session = self.session
        if self.running:
            self._view.note("Stop the answer first.", "warning")
        elif session is not None:
            self._begin(partial(session.retry, on_event=self._wake))

    def stop(self) -> bool:
        """Stops the answer; False where none is being written."""
        if not self.running:
            return False
        self.phase = "stopping"
        if self._turn is not None:
            self._turn.stop()
        self._view.refresh()
        return True

    def take_back(self) -> list[str]:
        """What was waiting; it waits no longer."""
        texts = list(self.queue)
        self.queue.clear()
        return texts

    def abandon(self) -> None:
        """The conversation was cleared: what was being written belongs to nothing."""
        if self._turn is not None:
            self._turn = None
            self._view.ended(None)
            self._rest()

    def close(self, timeout_s: float = 1.0) -> None:
        """Ends loading or writing and the model; waits no longer than this."""
        self._cancelled.set()
        if self._turn is not None:
            self._turn.stop()
        if self.opened is not None:
            # A thread, since closing waits for the model's present chunk, and leaving must not.
            closing = threading.Thread(target=self.opened.engine.close, name="gptoss-close", daemon=True)
            closing.start()
            closing.join(timeout_s)

    # On the loading thread

    def _load(self) -> None:
        try:
            opened = self._open(self._options, self._on_progress, self._cancelled.is_set)
        except LoadCancelled:
            return
        except GptOssError as fault:
            self._post(self._load_failed, fault)
        except Exception as bug:  # nothing else would see it: this thread has no caller
            told = GptOssError(f"Loading failed: {type(bug).__name__}: {bug}", "This is a bug: please report it.")
            self._post(self._load_failed, told)
        else:
            self._post(self._loaded, opened)

    def _on_progress(self, progress: LoadProgress) -> None:
        self._post(self._progressed, progress.done_bytes, progress.total_bytes)

    def _post(self, call: Callable[..., None], *arguments: object) -> None:
        with suppress(RuntimeError):  # the loop is closed: everybody has left
            self._loop.call_soon_threadsafe(call, *arguments)

    # On the loop's thread

    def _progressed(self, done: int, total: int) -> None:
        self.done, self.total = done, total
        self._view.refresh()

    def _loaded(self, opened: Opened) -> None:
        self.opened = opened
        if self._cancelled.is_set():
            self.close()
            return
        for text in (opened.about, opened.engine.info.warning):
            if text:
                self._view.note(text, "warning")
        self._rest()

    def _load_failed(self, fault: GptOssError) -> None:
        self.phase = "failed"
        self._view.note(f"{fault.message}\n{fault.hint}".strip(), "error")
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
                session = self.session
                assert session is not None
                self._view.asked(text)
                self._begin(partial(session.send, text, on_event=self._wake))
        if self.phase == "idle":
            self._idle.set()
        else:
            self._idle.clear()
        self._view.refresh()

    def _begin(self, ask: Callable[[], Turn]) -> None:
        self._idle.clear()
        self.phase = "reading"
        self.meter.start()
        self.first_token_s = math.nan
        try:
            self._turn = ask()
        except GptOssError as fault:
            self._fail(fault)

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
        turn = self._turn
        if turn is None:
            return
        try:
            events = turn.drain()
        except GptOssError as fault:
            self._fail(fault)
            return
        finished = None
        for event in events:
            if isinstance(event, Token):
                self._write(event)
            elif isinstance(event, TurnFinished):
                finished = event
            else:
                self.done, self.total = event.done, event.total
        self._drawn = self._loop.time()
        if finished is not None:
            self._turn = None
            self._view.ended(finished)
            self._rest()
        else:
            if turn.over:  # a fault comes with the call after the last events
                self._schedule()
            self._view.refresh()

    def _write(self, token: Token) -> None:
        if self.phase == "reading":
            self.phase = "writing"
            self.first_token_s = token.step.elapsed_s
        self.meter.add(token.step.elapsed_s)
        for delta in token.deltas:
            if delta.text:
                self._view.write(delta.channel, delta.recipient, delta.text)

    def _fail(self, fault: GptOssError) -> None:
        self._turn = None
        self._view.ended(None)
        self._view.note(f"{fault.message}\n{fault.hint}".strip(), "error")
        self._rest()


def _open(options: ReplOptions, on_progress: Callable[[LoadProgress], None], cancelled: Callable[[], bool]) -> Opened:
    """The real model that the options name."""
    folder = options.model() if callable(options.model) else options.model
    engine, session = open_session(
        folder,
        instructions=options.instructions,
        effort=options.effort,
        params=options.params if options.sampling is None else options.sampling(folder),
        max_tokens=options.max_tokens,
        on_progress=on_progress,
        cancelled=cancelled,
    )
    return Opened(engine, session, options.about(folder) if options.about is not None else "")
