"""`Keeper`: what a front end keeps its conversation with, from the opening of the model to the very end.

Opens the session, new or resumed; tells what runs beside it and what was left behind; closes in the order in which
nothing is lost, or finishes an answer without anybody. Knows no front end.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import fields, replace
from pathlib import Path
from typing import TYPE_CHECKING

from gptoss_tui.chat import format
from gptoss_tui.chat.moves import Switch
from gptoss_tui.chat.saving import Saving
from gptoss_tui.engine.params import SamplingParams
from gptoss_tui.errors import EngineClosed, GptOssError, StateError
from gptoss_tui.signals import Leaving

if TYPE_CHECKING:
    from gptoss_tui.chat.session import Session
    from gptoss_tui.chat.store.codec import Archive
    from gptoss_tui.chat.store.keeping import Store
    from gptoss_tui.chat.store.library import Library
    from gptoss_tui.engine.worker import Engine
    from gptoss_tui.harmony import Harmony
    from gptoss_tui.harmony.messages import Effort

SESSION_S = 0.5
"""How long a stopped answer may take to end when the program is being ended."""
STORE_S = 0.6
"""How long the last of it may take to get onto the disk then."""
PATIENT_S = 5.0
"""The same where a person leaves: nothing is in a hurry."""
GREETING_S = 3.0
"""How long the file may take to open before the model is loaded without a greeting."""
OFFERED_S = 7 * 86_400.0
"""How long after it was cut off a conversation is offered again."""


class Keeper:
    """Keeps one front end's conversations. `open` on the loading thread, the rest on the session's."""

    def __init__(self, saving: Saving) -> None:
        """Begins to keep; imports what that takes. Returns before the disk has been looked at."""
        self._saving = saving
        self._engine: Engine | None = None
        self._session: Session | None = None
        self.store: Store | None = None
        """None where nothing is kept."""
        if saving.save:
            from gptoss_tui.chat.store.keeping import Store

            self.store = Store(saving.folder, tell=saving.tell)

    @property
    def library(self) -> Library:
        """The kept conversations. Raises `GptOssError` in a private talk."""
        from gptoss_tui.chat.store.library import Library

        if self.store is None:
            raise GptOssError("This is a private talk: nothing is kept", "Begin gptoss with --save to keep one.")
        return Library(self.store.folder)

    def greet(self) -> None:
        """Tells, once the file is open, which other gptoss runs, and what can be gone on with."""
        # The model waits for this, and a file that another process holds for longer has nothing that urgent to tell.
        if self.store is not None and self.store.ready(GREETING_S):
            for line in self._greeting():
                self._saving.tell(line)

    def _greeting(self) -> Iterator[str]:
        assert self.store is not None
        listed = self.library.listed()
        titles = {one.id: one.title or "a conversation" for one in listed}
        for other in self.store.others():
            since = time.strftime("%H:%M", time.localtime(other.started))
            if other.doing == "finishing":
                yield (
                    f"Another gptoss (process {other.pid}) is finishing an answer in the background, in "
                    f"“{titles.get(other.conversation, 'a conversation')}”. When it is done, "
                    f"gptoss --resume {other.conversation[:8]} goes on there."
                )
            else:
                yield f"Another gptoss runs (process {other.pid}, since {since}): each holds its model in memory."
        last = listed[0] if listed else None
        if self._saving.resume is None and last is not None and last.dropped is not None:
            ago = time.time() - last.dropped
            if ago < OFFERED_S:
                became = f"“{titles[last.id]}” lost its terminal {format.ago(ago)}"
                if self._saving.offer is None:
                    yield f"{became}: /resume goes on exactly there."
                else:
                    self._saving.offer(last.id, became)

    def open(
        self,
        engine: Engine,
        harmony: Harmony,
        folder: Path,
        *,
        instructions: str | None,
        effort: Effort,
        params: SamplingParams,
        max_tokens: int | None,
    ) -> Session:
        """A session on the model from `folder`: the conversation to resume, or a new one with these settings."""
        from gptoss_tui.chat.session import Session

        if self.store is not None:
            self.store.uses(folder)
        archive = self._resumed()
        if archive is None:
            session = Session(
                engine,
                harmony,
                instructions=instructions,
                effort=effort,
                params=params,
                max_tokens=max_tokens,
                journal=self.store,
            )
        else:
            given = self._saving.given
            kept = archive.conversation
            knobs = {name: given[name] for name in (each.name for each in fields(SamplingParams)) if name in given}
            if self.store is not None:
                self.store.adopt(archive)
            session = Session(
                engine,
                harmony,
                instructions=instructions if "instructions" in given else kept.instructions,
                effort=effort if "effort" in given else kept.effort,
                params=replace(kept.params, **knobs),  # type: ignore[arg-type]  # by name, as the command line has them
                max_tokens=max_tokens,
                conversation=kept,
                tree=archive.tree,
                journal=self.store,
            )
            if kept.model not in ("", engine.info.name):
                self._saving.tell(f"This conversation was held with {kept.model}; {engine.info.name} goes on with it.")
            self._read_state(engine, session)
        self._engine, self._session = engine, session
        return session

    def moved(self, engine: Engine, folder: Path) -> None:
        """The session goes on with another model, from `folder`."""
        self._engine = engine
        if self.store is not None:
            self.store.uses(folder)

    def resume(self, conversation_id: str) -> bool:
        """Goes on with another kept conversation; whether an answer was left out that another process is writing.

        What is being written is stopped, and stays in the conversation before. Raises `GptOssError`.
        """
        session, store = self._session, self.store
        assert session is not None
        assert store is not None
        # An answer of it may have been left a moment ago.
        session.ahead()
        store.flush(STORE_S)
        archive, writing = self.library.resumable(conversation_id)
        store.adopt(archive)
        session.open(archive.conversation, archive.tree)
        return writing

    def delete(self, conversation_id: str) -> None:
        """Takes a conversation out of the lists; it can be restored. Raises `GptOssError`."""
        self.library.delete(conversation_id)
        if self.store is not None:
            self.store.forget(conversation_id)

    def _resumed(self) -> Archive | None:
        """The conversation to go on with, without answers that another process is still writing."""
        wanted = self._saving.resume
        if wanted is None:
            return None
        from gptoss_tui.chat.store.library import Library

        library = Library(self._saving.folder, tell=self._saving.tell)
        with suppress(GptOssError):  # it can be read where it cannot be written
            library.settle()
        archive, writing = library.resumable(wanted)
        if writing:
            self._saving.tell(
                "Its last answer is still being written by another gptoss; this is what stands before it."
            )
        return archive

    def _read_state(self, engine: Engine, session: Session) -> None:
        """Takes the prompt's state from the disk, where it is kept, fits and is wanted."""
        file, head = self._state_file(session), session.tree.head
        if file is None or head is None or not file.exists():
            return
        began = time.monotonic()
        try:
            tokens = engine.restore_state(file, session.plan(Switch(head)).ids)
        except StateError as fault:
            self._saving.tell(f"The prompt's state was not used. {fault.message}. {fault.hint}")
            return
        seconds = time.monotonic() - began
        size = format.size(file.stat().st_size)
        self._saving.tell(f"Read the prompt's state: {tokens:,} tokens, {size}, in {seconds:.1f} s.")

    def _state_file(self, session: Session) -> Path | None:
        if self.store is None or not self._saving.save_state:
            return None
        from gptoss_tui.chat.store.saved_state import state_file

        return state_file(self.store.folder, session.conversation.id)

    def flush(self) -> None:
        """Waits until all that was said is on the disk, but not for long."""
        if self.store is not None:
            self.store.flush(STORE_S)

    # The end

    @property
    def busy(self) -> bool:
        """Whether an answer is under way that --keep-going would finish. Takes no lock: signal handlers ask."""
        return self._saving.keep_going and self.store is not None and self._engine is not None and self._engine.busy

    def wind_up(self, leaving: Leaving) -> tuple[str, ...]:
        """Ends, once the front end is gone: finishes the answer first where the line has dropped and somebody wants
        that. Blocks. Returns lines for the person, where there still is one."""
        if leaving.without_line:
            if self._session is not None:
                leaving.on_signal = self._session.interrupt
            self._finish()
        return self.close(dropped=leaving.signum is not None or leaving.without_line)

    def _finish(self) -> None:
        """Waits until the answer under way has come to its end, however long that takes."""
        session = self._session
        if self.store is not None and session is not None and session.turn is not None:
            self.store.finishing()
            session.turn.wait()

    def close(self, *, dropped: bool) -> tuple[str, ...]:
        """Stops what is being written, keeps what was written, and ends. Once; before the engine is closed.

        `dropped`: a signal or the line's end is the reason, and there are two seconds for everything. Otherwise returns
        lines for the person.
        """
        session, self._session = self._session, None
        lines: list[str] = []
        if session is not None:
            session.close(SESSION_S if dropped else PATIENT_S)
            if not dropped:
                lines += self._write_state(session)
        if self.store is not None:
            saved = self.store.close(STORE_S if dropped else PATIENT_S, dropped=dropped)
            if saved and self.store.open_conversation:
                lines.append(f"Kept: gptoss --resume {self.store.open_conversation[:8]} goes on with it.")
        return () if dropped else tuple(lines)

    def _write_state(self, session: Session) -> list[str]:
        file = self._state_file(session)
        if file is None or self._engine is None or not session.path:
            return []
        from gptoss_tui.chat.store.saved_state import bound_states

        try:
            file.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            written = self._engine.save_state(file)
        except EngineClosed:
            return []
        except OSError as fault:
            return [f"The prompt's state was not written: {fault.strerror}."]
        except StateError as fault:
            return [f"The prompt's state was not written. {fault.message}. {fault.hint}"]
        bound_states(file.parent.parent)
        size = format.size(written.bytes)
        return [f"Wrote the prompt's state: {written.tokens:,} tokens, {size}, in {written.seconds:.1f} s."]
