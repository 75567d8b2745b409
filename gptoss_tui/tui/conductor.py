"""Leads a conversation: loads the model, queues what is sent too early, begins and stops turns.

Runs on the interface's thread. Knows the screen's panes by name, not how they draw.
"""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

from gptoss_tui.chat.loader import Loader
from gptoss_tui.tui.board import Board
from gptoss_tui.tui.messages import Loaded, LoadFailed, LoadTick, Told
from gptoss_tui.tui.player import Player
from gptoss_tui.tui.ports import Backend, OpenBackend
from gptoss_tui.tui.snapshot import Snapshot

if TYPE_CHECKING:
    from gptoss_tui.chat.keeper import Keeper
    from gptoss_tui.engine.params import SamplingParams
    from gptoss_tui.harmony.messages import Effort
    from gptoss_tui.signals import Leaving
    from gptoss_tui.tui.options import TuiOptions
    from gptoss_tui.tui.screens.main import MainScreen
    from gptoss_tui.tui.widgets.turn import Turn


class Conductor:
    """One conversation on one screen."""

    def __init__(self, options: TuiOptions, screen: MainScreen, open_backend: OpenBackend) -> None:
        self._screen = screen

        def tell(text: str) -> None:
            screen.post_message(Told(text))

        options = replace(options, saving=replace(options.saving, tell=tell))
        self._loader: Loader[Backend] = Loader(
            partial(open_backend, options),
            on_progress=lambda now: screen.post_message(LoadTick(now.done_bytes, now.total_bytes)),
            on_loaded=lambda backend: screen.post_message(Loaded(backend)),
            on_failed=lambda fault: screen.post_message(LoadFailed(fault)),
        )
        self._board = Board(Snapshot(params=options.params, effort=options.effort), screen.show)
        self._untouched = (options.params, options.effort)
        """Sampling and effort as they were before anybody turned a knob: until then the wish of the model, or of the
        conversation that is gone on with, is what holds."""
        self.player = Player(screen, self._board, self._next)
        self.backend: Backend | None = None
        self._queue: list[Turn] = []

    @property
    def snapshot(self) -> Snapshot:
        """What is known now."""
        return self._board.snapshot

    @property
    def running(self) -> bool:
        """True from sending to the end of the answer."""
        return self._board.running

    # Loading

    def start(self) -> None:
        """Loads the model behind the first frame."""
        self._loader.start()

    @property
    def keeper(self) -> Keeper | None:
        """What keeps the conversation; None before the model is loaded, and where nothing does."""
        return self.backend.keeper if self.backend is not None else None

    def close(self, leaving: Leaving, timeout_s: float = 1.0) -> tuple[str, ...]:
        """Keeps what was said, and closes the engine; lines for the person, now that the screen is gone."""
        lines = self.keeper.wind_up(leaving) if self.keeper is not None else ()
        self.player.drop()
        self._loader.close(timeout_s)
        return lines

    def on_tick(self, tick: LoadTick) -> None:
        """Progress of loading."""
        if self.backend is None:
            self._board.update(done=tick.done, total=tick.total)

    async def on_loaded(self, loaded: Loaded) -> None:
        """The model is there: what was turned meanwhile holds, and what was sent meanwhile is sent."""
        self.backend = backend = loaded.backend
        session = backend.session
        params, effort = self._untouched
        if self.snapshot.effort != effort:
            session.effort = self.snapshot.effort
        if self.snapshot.params != params:
            session.params = self.snapshot.params
        await self._screen.chat.introduce(backend.about, backend.engine.info.warning)
        engine = backend.engine
        self._board.update(
            phase="idle",
            done=0,
            total=0,
            info=engine.info,
            layers=engine.layers(),
            params=session.params,
            effort=session.effort,
        )
        await self._next()

    async def on_load_failed(self, failed: LoadFailed) -> None:
        """No model: says why, and gives queued prompts back."""
        self._board.update(phase="failed", done=0, total=0)
        await self._screen.chat.note(f"{failed.fault.message}\n{failed.fault.hint}".strip(), "error")
        await self.take_back()

    # What the person does

    async def send(self, text: str) -> None:
        """Asks, now or as soon as the model can."""
        if self.snapshot.phase == "failed":
            self._screen.prompt.fill(text)
            self._screen.app.notify("There is no model to ask.", severity="error")
            return
        shown = await self._screen.chat.ask(text)
        if self.snapshot.phase == "idle" and self.backend is not None:
            self.player.begin(self.backend, shown)
            return
        loading = self.snapshot.phase == "loading"
        shown.set_queued(True, "queued until the model is loaded" if loading else "queued until this answer ends")
        self._queue.append(shown)
        self._board.update(queued=len(self._queue))

    async def retry(self) -> None:
        """Drops the last answer and asks again."""
        turns = self._screen.chat.turns
        if self.backend is None or self.running or not self.backend.session.messages or not turns:
            return
        await turns[-1].drop_answer()
        self.player.begin(self.backend, turns[-1], again=True)

    async def stop(self) -> bool:
        """Stops the answer and takes back what waits; False where there was neither."""
        waiting = bool(self._queue)
        await self.take_back()
        if self.running:
            self.player.stop()
            self._board.update(phase="stopping")
            return True
        return waiting

    async def take_back(self) -> None:
        """Puts queued prompts back into the prompt, so that nothing written is lost."""
        queued, self._queue = self._queue, []
        if not queued:
            return
        prompt = self._screen.prompt
        texts = [*(shown.prompt for shown in queued), prompt.text]
        for shown in queued:
            await self._screen.chat.forget(shown)
        prompt.fill("\n".join(text for text in texts if text))
        self._board.update(queued=0)

    async def clear(self) -> None:
        """A new conversation; what runs is stopped first."""
        await self.take_back()
        self.player.drop()
        self._screen.tokens.clear()
        await self._screen.chat.clear()
        if self.backend is not None:
            self.backend.session.clear()
            self._board.update(phase="idle", layers=self.backend.engine.layers())

    def set_params(self, params: SamplingParams) -> None:
        """Turns knobs; a running answer follows from its next token on."""
        if self.backend is not None:
            self.backend.session.params = params
        self._board.update(params=params)

    def set_effort(self, effort: Effort) -> None:
        """How long the model thinks, from the next prompt on."""
        if self.backend is not None:
            self.backend.session.effort = effort
        self._board.update(effort=effort)

    def adopt(self) -> None:
        """Shows what a command changed in the session."""
        if self.backend is not None:
            session = self.backend.session
            self._board.update(params=session.params, effort=session.effort, layers=self.backend.engine.layers())

    async def _next(self) -> None:
        if self._queue and self.snapshot.phase == "idle" and self.backend is not None:
            shown = self._queue.pop(0)
            self._board.update(queued=len(self._queue))
            self.player.begin(self.backend, shown)
