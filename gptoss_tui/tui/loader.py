"""Loads the model on a thread of its own and tells the screen about it. Everything heavy is imported there."""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING

from textual.message_pump import MessagePump

from gptoss_tui.errors import GptOssError, LoadCancelled
from gptoss_tui.tui.messages import Loaded, LoadFailed, LoadTick
from gptoss_tui.tui.options import TuiOptions
from gptoss_tui.tui.ports import Backend, OpenBackend

if TYPE_CHECKING:
    from gptoss_tui.engine.events import LoadProgress

_TICK_S = 0.2


class Loader:
    """One attempt to load; `close` ends it, and closes the engine that it opened."""

    def __init__(self, options: TuiOptions, target: MessagePump, open_backend: OpenBackend) -> None:
        self._options = options
        self._target = target
        self._open = open_backend
        self._cancelled = threading.Event()
        self._thread = threading.Thread(target=self._run, name="gptoss-load", daemon=True)
        self._backend: Backend | None = None
        self._ticked = 0.0

    def start(self) -> None:
        """Begins; returns at once."""
        self._thread.start()

    def close(self, timeout_s: float) -> None:
        """Cancels loading, closes the engine; waits no longer than this for either."""
        self._cancelled.set()
        if self._thread.is_alive():
            self._thread.join(timeout_s)
        if (backend := self._backend) is not None:
            # A thread, since closing waits for the model's present chunk, and leaving must not.
            closing = threading.Thread(target=backend.engine.close, name="gptoss-close", daemon=True)
            closing.start()
            closing.join(timeout_s)

    def _run(self) -> None:
        try:
            backend = self._open(self._options, self._progress, self._cancelled.is_set)
        except LoadCancelled:
            return
        except GptOssError as fault:
            self._target.post_message(LoadFailed(fault))
            return
        except Exception as bug:
            # Nothing else would see it: this thread has no caller.
            told = GptOssError(f"Loading failed: {type(bug).__name__}: {bug}", "This is a bug: please report it.")
            self._target.post_message(LoadFailed(told))
            return
        self._backend = backend
        if self._cancelled.is_set():
            backend.engine.close()
        else:
            self._target.post_message(Loaded(backend))

    def _progress(self, progress: LoadProgress) -> None:
        now = time.monotonic()
        if now - self._ticked >= _TICK_S or progress.done_bytes == progress.total_bytes:
            self._ticked = now
            self._target.post_message(LoadTick(progress.done_bytes, progress.total_bytes))
