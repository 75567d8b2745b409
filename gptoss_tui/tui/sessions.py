"""Between conversations: the list of those that are kept, going on with one, and whether this one is being saved.

Runs on the interface's thread.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from gptoss_tui.errors import GptOssError
from gptoss_tui.tui.screens.sessions import SessionsScreen
from gptoss_tui.tui.widgets.note import Note
from gptoss_tui.visible import visible

if TYPE_CHECKING:
    from gptoss_tui.tui.conductor import Conductor
    from gptoss_tui.tui.messages import Offered
    from gptoss_tui.tui.screens.main import MainScreen

_LOOK_S = 1.0
"""Seconds between two looks at whether things are being saved."""


class Sessions:
    """The conversations of one screen."""

    def __init__(self, screen: MainScreen, conductor: Conductor) -> None:
        self._screen, self._conductor = screen, conductor
        self._offered = ""
        """The id of the conversation that was cut off and can be gone on with."""
        self._wanted = ""
        """The id of what is to be opened as soon as the model is there."""

    def begin(self) -> None:
        """Looks from now on whether things are being saved."""
        self._screen.set_interval(_LOOK_S, self.look)

    def look(self) -> None:
        """Tells the status line."""
        keeper = self._conductor.keeper
        if keeper is None or self._conductor.backend is None:
            return
        trouble = keeper.store.trouble if keeper.store is not None else None
        why = ""
        if keeper.store is None:
            why = "A private talk: nothing of it touches the disk (--no-save)."
        elif trouble is not None:
            why = f"Nothing is being saved. {trouble.message}. {trouble.hint}"
        self._conductor.saving(why, private=keeper.store is None)

    @property
    def saved(self) -> bool:
        """Whether what was said is on the disk, or on its way there."""
        keeper = self._conductor.keeper
        return keeper is not None and keeper.store is not None and keeper.store.trouble is None

    # A conversation that was cut off

    async def offer(self, event: Offered) -> None:
        """One line, to go on there."""
        self._offered = event.conversation
        key = self._screen.keymap.key("app.continue")
        note = Note(f"{event.text}.", kind="offer", ways=(("resume", "go on there", key),))
        await self._screen.chat.note(note)

    async def accept(self) -> bool:
        """Goes on with what was offered; False where nothing was."""
        offered, self._offered = self._offered, ""
        if offered:
            await self._screen.chat.query("Note.-offer").remove()
            await self.resume(offered)
        return bool(offered)

    async def loaded(self) -> None:
        """The model is there now."""
        wanted, self._wanted = self._wanted, ""
        self.look()
        if wanted:
            await self.resume(wanted)

    # Going on

    async def resume(self, conversation_id: str) -> None:
        """Shows another conversation, to go on with it."""
        backend, keeper = self._conductor.backend, self._conductor.keeper
        if backend is None:
            self._wanted = conversation_id
            self._screen.notice("it opens as soon as the model is loaded", 4)
            return
        if keeper is None or self._refused():
            return
        try:
            writing = keeper.resume(conversation_id)
        except GptOssError as fault:
            self._tell(fault)
            return
        await self._conductor.moved()
        self._conductor.adopt()
        self._screen.prompt.focus()
        if writing:
            text = "Its last answer is still being written by another gptoss; this is what stands before it."
            await self._screen.chat.note(text, "warning")

    def _refused(self) -> bool:
        if self._conductor.running:
            stop = self._screen.keymap.first("app.stop")
            self._screen.app.notify(f"An answer is being written; {stop} stops it.", markup=False)
        return self._conductor.running

    def browse(self, words: str = "") -> None:
        """The list; with `words`, of those in which they stand."""
        backend, keeper = self._conductor.backend, self._conductor.keeper
        if keeper is None or backend is None:
            self._screen.app.notify("The model is not loaded yet.", markup=False)
            return
        session = backend.session
        try:
            library = keeper.library
        except GptOssError as fault:
            self._tell(fault)
            return

        def rename(title: str) -> None:
            session.title = title

        def take(chosen: str | None) -> None:
            self._screen.prompt.focus()
            if chosen is not None and chosen != session.conversation.id:
                self._screen.run_worker(self.resume(chosen))

        async def leave() -> None:
            await self._conductor.clear()
            keeper.flush()

        keeper.flush()
        present = session.conversation.id
        screen = SessionsScreen(library, self._screen.keymap, present, rename=rename, leave=leave, words=words)
        self._screen.app.push_screen(screen, take)

    async def new(self) -> None:
        """A new conversation; says that the one before is kept."""
        backend = self._conductor.backend
        title = backend.session.title if backend is not None and backend.session.path else ""
        await self._conductor.clear()
        if title and self.saved:
            key = self._screen.keymap.first("app.sessions")
            self._screen.notice(f"saved: “{visible(title)}” · {key} lists conversations", 4)

    def _tell(self, fault: GptOssError) -> None:
        text = visible(f"{fault.message}\n{fault.hint}".strip())
        self._screen.app.notify(text, severity="warning", markup=False)
