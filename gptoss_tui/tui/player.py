"""Plays one turn after the other onto the screen: asks, drains events at a calm pace, ends.

Runs on the interface's thread; the model thread calls `wake` and nothing else.
"""

from __future__ import annotations

import asyncio
import math
import time
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING

from gptoss_tui.chat.attach import with_files
from gptoss_tui.chat.events import Token, TurnFinished
from gptoss_tui.chat.meter import RateMeter
from gptoss_tui.chat.moves import Move, NoRoom, Send, Switch
from gptoss_tui.chat.runs import runs
from gptoss_tui.errors import GptOssError
from gptoss_tui.tui.board import Board
from gptoss_tui.tui.endings import ending, ways
from gptoss_tui.tui.messages import Wake
from gptoss_tui.tui.pacer import Pacer
from gptoss_tui.tui.ports import Backend, TurnPort, caches
from gptoss_tui.tui.turnview import views
from gptoss_tui.tui.widgets.note import Note

if TYPE_CHECKING:
    from textual.timer import Timer

    from gptoss_tui.chat.tree import Node
    from gptoss_tui.engine.events import PrefillProgress
    from gptoss_tui.tui.screens.main import MainScreen
    from gptoss_tui.tui.widgets.turn import Turn

_SETTLE_S = 1.0
"""Seconds between two looks at a cache that the engine still fills after an answer."""


class Player:
    """At most one turn runs; `on_idle` is called when it has ended."""

    def __init__(
        self, screen: MainScreen, board: Board, on_idle: Callable[[], Awaitable[None]], *, low_bandwidth: bool = False
    ) -> None:
        self._screen = screen
        self._board = board
        self._on_idle = on_idle
        self._backend: Backend | None = None
        self._turn: TurnPort | None = None
        self._shown: Turn | None = None
        """The turn on the screen that the running one writes into; None until a move that is no prompt is made."""
        self._asking: object = None
        """What is being made, or was last; another one where it was dropped meanwhile."""
        self._meter = RateMeter()
        self._pacer = Pacer(low_bandwidth=low_bandwidth)
        self._armed = False
        self._timer: Timer | None = None
        self._late: Timer | None = None
        self._stop_wanted = False
        self._stays = False
        """Whether the window stays where it is when the move is made."""

    def send(self, backend: Backend, shown: Turn) -> None:
        """Asks what stands in `shown`; the answer is written there."""
        shown.set_queued(False)

        def move() -> Move:
            return Send(with_files(shown.prompt, backend.session))

        self._begin(backend, move, shown)

    def make(self, backend: Backend, move: Move) -> None:
        """Makes any other move; its answer is written at the end of the path."""
        self._stays = isinstance(move, Switch)
        self._begin(backend, lambda: move, None)

    def _begin(self, backend: Backend, move: Callable[[], Move], shown: Turn | None) -> None:
        self._backend, self._shown, self._stop_wanted = backend, shown, False
        self._asking = asking = object()
        self._meter.start()
        self._board.update(
            phase="reading", done=0, total=0, last_second=math.nan, mean=math.nan, first_token_s=math.nan
        )
        # A worker, since rendering a long conversation takes a moment in which keys must be heard.
        self._screen.run_worker(self._ask(backend, move, asking))

    @property
    def interval_s(self) -> float:
        """Seconds between two draws at present."""
        return self._pacer.interval_s

    def stop(self) -> None:
        """Ends the answer; its last event is still to come."""
        self._stop_wanted = True
        if self._turn is not None:
            self._turn.stop()

    def attend(self, backend: Backend | None) -> None:
        """Looks at this model from now on, and soon at what it reads ahead; None: at none."""
        self._backend = backend
        if backend is not None:
            self._screen.set_timer(_SETTLE_S, self._settle)

    def drop(self) -> None:
        """Forgets the running turn: its conversation is gone."""
        self.stop()
        self._turn = self._shown = self._asking = None

    def wake(self) -> None:
        """Called on the model thread after each event: at most one wake-up is under way."""
        if not self._armed:
            self._armed = True
            self._screen.post_message(Wake())

    def schedule(self) -> None:
        """Draws as soon as the pace allows."""
        if self._timer is None:
            self._timer = self._screen.set_timer(self._pacer.wait_s(time.monotonic()), self._draw)

    async def _ask(self, backend: Backend, move: Callable[[], Move], asking: object) -> None:
        session = backend.session
        self._screen.tokens.begin(session.params)
        try:
            turn = await asyncio.to_thread(lambda: session.make(move(), on_event=self.wake))
        except GptOssError as fault:
            if asking is self._asking:
                await self._fail(self._shown, fault)
            return
        if asking is not self._asking:
            # The conversation was left meanwhile.
            if turn is not None:
                turn.stop()
                session.clear()
            return
        if self._shown is None or turn is None:
            self._shown = await self.show_path(backend, stay=turn is None and self._stays)
        else:
            self._screen.chat.described(views(session.tree))
        if turn is None:
            self._board.update(phase="idle")
            self._settle()
            await self._on_idle()
            return
        self._turn = turn
        # A knob may have been turned while the prompt was rendered.
        session.params = self._board.snapshot.params
        if self._stop_wanted:
            turn.stop()
        self.schedule()

    async def show_path(self, backend: Backend, *, stay: bool = False) -> Turn | None:
        """Draws the conversation as it is now; the turn at its end. `stay`: the window stays where it is."""

        def notes(node: Node) -> list[Note]:
            return ending(node.ending, node.figures, backend.session.context, self._screen.keymap)

        return await self._screen.chat.show(views(backend.session.tree), notes, stay=stay)

    async def _draw(self) -> None:
        self._timer = None
        self._armed = False
        turn, shown = self._turn, self._shown
        if turn is None or shown is None:
            return
        try:
            events = turn.drain()
        except GptOssError as fault:
            await self._fail(shown, fault)
            return
        finished: TurnFinished | None = None
        tokens: list[Token] = []
        for event in events:
            if isinstance(event, Token):
                tokens.append(event)
            elif isinstance(event, TurnFinished):
                finished = event
            else:
                self._read(event)
        await self._write(shown, turn, tokens)
        if finished is not None:
            await self._finish(shown, finished)
        elif turn.over:
            # A fault comes with the call after the last events.
            self.schedule()
        if finished is None:
            self._measure_in_time()
        self._pacer.drawn(time.monotonic(), time.thread_time())

    def _read(self, event: PrefillProgress) -> None:
        fresh = event.done - event.reused
        speed = fresh / event.elapsed_s if event.elapsed_s > 0 and fresh > 0 else math.nan
        self._board.note(done=event.done, total=event.total, last_second=speed)

    async def _write(self, shown: Turn, turn: TurnPort, tokens: list[Token]) -> None:
        if not tokens:
            return
        if math.isnan(self._board.snapshot.first_token_s):
            self._board.note(first_token_s=tokens[0].step.elapsed_s)
        if self._board.snapshot.phase == "reading":
            self._board.note(phase="writing")
        start = len(turn.prompt_ids)
        for token in tokens:
            self._meter.add(token.step.elapsed_s)
            self._screen.tokens.add(start, token)
        for run in runs(tokens):
            await shown.write(run.channel, run.recipient, run.text, run.tokens, run.elapsed_s)

    def _measure_in_time(self) -> None:
        now = time.monotonic()
        if self._pacer.instruments_due(now):
            self._measure()
        elif self._late is None:
            # The last tokens before a pause are to be seen too, not only those that come with a due draw.
            self._late = self._screen.set_timer(self._pacer.instruments_wait_s(now), self._measure_late)

    def _measure_late(self) -> None:
        self._late = None
        if self._turn is not None:
            self._measure_in_time()

    def _measure(self) -> None:
        meter = self._meter
        speed = meter.last_second if meter.tokens else self._board.snapshot.last_second
        held = caches(self._backend.engine) if self._backend is not None else {}
        self._board.update(last_second=speed, mean=meter.mean, history=meter.history, **held)

    async def _finish(self, shown: Turn, event: TurnFinished) -> None:
        self._turn = None
        await shown.complete()
        if self._backend is not None:
            session = self._backend.session
            self._screen.chat.described(views(session.tree))
            for note in ending(event.reason, event.finished, session.context, self._screen.keymap):
                await self._screen.chat.note(note, under=shown)
        if shown is not self._shown:
            # The conversation was left meanwhile.
            return
        # Only now may a move draw the conversation anew.
        self._board.note(phase="idle")
        self._measure()
        self._screen.set_timer(_SETTLE_S, self._settle)
        await self._on_idle()

    def _settle(self) -> None:
        # The engine reads ahead after an answer; its caches change until it has.
        if self._backend is None or self._board.running:
            return
        before, busy = self._board.snapshot.layers, self._backend.engine.busy
        self._board.update(**caches(self._backend.engine))
        if busy or before != self._board.snapshot.layers:
            self._screen.set_timer(_SETTLE_S, self._settle)

    async def _fail(self, shown: Turn | None, fault: GptOssError) -> None:
        self._turn = None
        if shown is not None:
            await shown.complete()
            if shown.view is None and not self._screen.prompt.text:
                # It was not asked: it may be sent again, or changed.
                self._screen.prompt.fill(shown.prompt)
        on = ways(("shorten", "new"), self._screen.keymap) if isinstance(fault, NoRoom) else ()
        told = Note(f"{fault.message}\n{fault.hint}".strip(), kind="error", ways=on)
        await self._screen.chat.note(told, under=shown)
        if shown is self._shown:
            self._board.update(phase="idle")
            await self._on_idle()
