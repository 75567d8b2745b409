"""Leads a conversation: loads the model, queues what is sent too early, begins and stops turns.

Runs on the interface's thread. Knows the screen's panes by name, not how they draw.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from gptoss_tui.chat.loading import ModelLoading
from gptoss_tui.chat.switching import NotSwitched, same_model
from gptoss_tui.tui.board import Board
from gptoss_tui.tui.messages import Loaded, LoadFailed, LoadTick, ModelSwitched, Offered, Told
from gptoss_tui.tui.player import Player
from gptoss_tui.tui.ports import Backend, OpenBackend, SessionPort, caches
from gptoss_tui.tui.snapshot import Snapshot

if TYPE_CHECKING:
    from gptoss_tui.chat.keeper import Keeper
    from gptoss_tui.chat.moves import Move
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

        def offer(conversation: str, text: str) -> None:
            screen.post_message(Offered(conversation, text))

        self._options = options = replace(options, saving=replace(options.saving, tell=tell, offer=offer))
        self._loading: ModelLoading[Backend] = ModelLoading(
            lambda folder, *how: open_backend(options if folder is None else replace(options, model=folder), *how),
            history_bytes=options.history_bytes,
            on_progress=lambda now: screen.post_message(LoadTick(now.done_bytes, now.total_bytes)),
            on_loaded=lambda backend: screen.post_message(Loaded(backend)),
            on_switched=lambda switched: screen.post_message(ModelSwitched(switched)),
            on_failed=lambda fault: screen.post_message(LoadFailed(fault)),
        )
        self._board = Board(Snapshot(params=options.params, effort=options.effort), screen.show)
        self._untouched = (options.params, options.effort)
        """Sampling and effort as they were before anybody turned a knob: until then the wish of the model, or of the
        conversation that is gone on with, is what holds."""
        self.player = Player(screen, self._board, self._next, low_bandwidth=options.low_bandwidth)
        self.backend: Backend | None = None
        self._kept: Backend | None = None
        """The last backend, whose conversation goes on with the next model."""
        self._leaving: Backend | None = None
        """What a switch under way is about to let go."""
        self._queue: list[Turn] = []

    @property
    def snapshot(self) -> Snapshot:
        """What is known now."""
        return self._board.snapshot

    @property
    def session(self) -> SessionPort | None:
        """The conversation; None while no model is loaded."""
        return self.backend.session if self.backend is not None else None

    @property
    def running(self) -> bool:
        """True from sending to the end of the answer."""
        return self._board.running

    # Loading

    def start(self) -> None:
        """Loads the model behind the first frame."""
        self._loading.start()

    @property
    def keeper(self) -> Keeper | None:
        """What keeps the conversation; None before the model is loaded, and where nothing does."""
        return self._kept.keeper if self._kept is not None else None

    def close(self, leaving: Leaving, timeout_s: float = 1.0) -> tuple[str, ...]:
        """Keeps what was said, and closes the engine; lines for the person, now that the screen is gone."""
        lines = self.keeper.wind_up(leaving) if self.keeper is not None else ()
        self.player.drop()
        self._loading.close(timeout_s)
        return lines

    def on_tick(self, tick: LoadTick) -> None:
        """Progress of loading."""
        if self.backend is None:
            self._board.update(done=tick.done, total=tick.total)

    async def on_loaded(self, loaded: Loaded) -> None:
        """The model is there: what was turned meanwhile holds, and what was sent meanwhile is sent."""
        backend = loaded.backend
        session = backend.session
        params, effort = self._untouched
        if self.snapshot.effort != effort:
            session.effort = self.snapshot.effort
        if self.snapshot.params != params:
            session.params = self.snapshot.params
        await self._screen.chat.introduce(backend.about, backend.engine.info.warning)
        if session.path:
            await self._resume(backend)
        await self._begin(backend)

    async def on_load_failed(self, failed: LoadFailed) -> None:
        """No model: says why, and gives queued prompts back. A model that was not let go yet stays."""
        told = f"{failed.fault.message}\n{failed.fault.hint}".strip()
        await self._screen.chat.note(told, "error")
        untouched = isinstance(failed.fault, NotSwitched)
        self._loading.settled(switched=not untouched)
        if untouched and self._leaving is not None:
            await self._begin(self._leaving)
            return
        self._board.update(phase="failed", done=0, total=0)
        await self.take_back()

    async def use_model(self, folder: Path) -> None:
        """Goes on with another model; refused while an answer is being written."""
        backend = self.backend
        if self.running or self._loading.switching:
            what = "an answer is being written" if self.running else "a model is being loaded"
            self._screen.app.notify(f"Not now: {what}. {self._screen.keymap.first('app.stop')} stops that.")
            return
        if backend is not None and same_model(backend.folder, folder):
            self._screen.app.notify("This model is loaded already.")
            return
        if self._kept is None:
            self._loading.instead(folder)
        else:
            self._leaving, self.backend = backend, None
            self.player.attend(None)
            old = (backend.engine, backend.folder) if backend is not None else (None, None)
            self._loading.switch(folder, *old)
        self._board.update(phase="loading", done=0, total=0, layers=())

    async def on_switched(self, event: ModelSwitched) -> None:
        """The conversation goes on with another model, or with the one before where that came back."""
        switched, kept = event.switched, self._kept
        assert kept is not None
        self._loading.settled(switched=True)
        session = kept.session
        session.use(switched.engine, switched.harmony)
        if kept.keeper is not None:
            kept.keeper.moved(switched.engine, switched.folder)
        if self._options.sampling is not None and session.params == self._untouched[0]:
            session.params = self._options.sampling(switched.folder)
        about = self._options.about(switched.folder) if self._options.about is not None else ""
        await self._screen.chat.note(switched.summary, "info" if switched.fault is None else "warning")
        for line in (about, switched.engine.info.warning):
            if line:
                await self._screen.chat.note(line, "info")
        await self._begin(Backend(switched.engine, session, about, kept.keeper, switched.folder))

    async def _begin(self, backend: Backend) -> None:
        """The model is there; what waits for it is sent."""
        self.backend = self._kept = backend
        self.player.attend(backend)
        self._leaving = None
        engine, session = backend.engine, backend.session
        if self.snapshot.params == self._untouched[0]:
            self._untouched = (session.params, self._untouched[1])
        self._board.update(
            phase="idle",
            done=0,
            total=0,
            info=engine.info,
            **caches(engine),
            params=session.params,
            effort=session.effort,
        )
        await self._screen.sessions.loaded()
        await self._next()

    async def _resume(self, backend: Backend) -> None:
        """Draws a conversation that is gone on with; what was sent while it was loaded goes behind it."""
        waiting, self._queue = self._queue, []
        for shown in waiting:
            await self._screen.chat.forget(shown)
        await self.player.show_path(backend)
        for shown in waiting:
            again = await self._screen.chat.ask(shown.prompt)
            again.set_queued(True)
            self._queue.append(again)

    # What the person does

    async def send(self, text: str) -> None:
        """Asks, now or as soon as the model can."""
        if self.snapshot.phase == "failed":
            self._screen.prompt.fill(text)
            self._screen.app.notify("There is no model to ask.", severity="error")
            return
        shown = await self._screen.chat.ask(text)
        if self.snapshot.phase == "idle" and self.backend is not None:
            self.player.send(self.backend, shown)
            return
        loading = self.snapshot.phase == "loading"
        shown.set_queued(True, "queued until the model is loaded" if loading else "queued until this answer ends")
        self._queue.append(shown)
        self._board.update(queued=len(self._queue))

    async def make(self, move: Move) -> None:
        """Makes a move: asks again, edits, goes to another branch. Not while an answer is being written."""
        if self.backend is not None and not self.running:
            self.player.make(self.backend, move)

    async def stop(self) -> bool:
        """Stops the answer and takes back what waits; False where there was neither."""
        waiting = bool(self._queue)
        await self.take_back()
        if self._loading.abandon():
            self._screen.notice("stopping: the model before comes back", 2.0)
            return True
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
        if self.backend is not None:
            self.backend.session.clear()
        await self.moved()

    async def moved(self) -> None:
        """Another conversation is the session's: what runs belongs to the one before, and the screen is drawn anew."""
        self._screen.mover.cancel()
        await self.take_back()
        self.player.drop()
        self._screen.tokens.clear()
        if self.backend is None:
            await self._screen.chat.clear()
            return
        await self.player.show_path(self.backend)
        self._board.update(phase="idle", **caches(self.backend.engine))
        self.player.attend(self.backend)

    def saving(self, why: str, *, private: bool) -> None:
        """Why nothing is being saved; empty where all is well."""
        if (why, private) != (self.snapshot.unsaved, self.snapshot.private):
            self._board.update(unsaved=why, private=private)

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
            self._board.update(params=session.params, effort=session.effort, **caches(self.backend.engine))

    async def _next(self) -> None:
        if self._queue and self.snapshot.phase == "idle" and self.backend is not None:
            shown = self._queue.pop(0)
            self._board.update(queued=len(self._queue))
            self.player.send(self.backend, shown)
