"""Loads a model on a thread of its own, for whichever front end waits for it, and closes what it has loaded.

Everything heavy is imported on that thread. Knows no front end: it calls back, from the thread, and a front end hands
that on to its own.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Generic, Protocol, TypeVar

from gptoss_tui.errors import GptOssError, LoadCancelled

if TYPE_CHECKING:
    from gptoss_tui.engine.events import LoadProgress

_TICK_S = 0.2


class _Engine(Protocol):
    def close(self) -> None: ...


class HasEngine(Protocol):
    """What loading gives: whatever has an engine that can be closed."""

    @property
    def engine(self) -> _Engine: ...


T = TypeVar("T", bound=HasEngine)


class Loader(Generic[T]):
    """One attempt to load; `close` ends it, and closes the engine that it opened."""

    def __init__(
        self,
        load: Callable[[Callable[[LoadProgress], None], Callable[[], bool]], T],
        *,
        on_progress: Callable[[LoadProgress], object],
        on_loaded: Callable[[T], object],
        on_failed: Callable[[GptOssError], object],
    ) -> None:
        """`load(on_progress, cancelled)` blocks, and may raise `GptOssError`. The other three are called on the loading
        thread, `on_progress` five times a second at most; none of them after `close`."""
        self._load = load
        self._on_progress, self._on_loaded, self._on_failed = on_progress, on_loaded, on_failed
        self._cancelled = threading.Event()
        self._thread = threading.Thread(target=self._run, name="gptoss-load", daemon=True)
        self._loaded: T | None = None
        self._ticked = 0.0

    def start(self) -> None:
        """Begins; returns at once."""
        self._thread.start()

    def close(self, timeout_s: float) -> None:
        """Cancels loading, closes the engine; waits no longer than this for either."""
        self._cancelled.set()
        if self._thread.is_alive():
            self._thread.join(timeout_s)
        if (loaded := self._loaded) is not None:
            # A thread, since closing waits for the model's present chunk, and leaving must not.
            closing = threading.Thread(target=loaded.engine.close, name="gptoss-close", daemon=True)
            closing.start()
            closing.join(timeout_s)

    def _run(self) -> None:
        try:
            loaded = self._load(self._progress, self._cancelled.is_set)
        except LoadCancelled:
            return
        except GptOssError as fault:
            self._fail(fault)
            return
        except Exception as bug:
            # Nothing else would see it: this thread has no caller.
            told = GptOssError(f"Loading failed: {type(bug).__name__}: {bug}", "This is a bug: please report it.")
            self._fail(told)
            return
        self._loaded = loaded
        if self._cancelled.is_set():
            loaded.engine.close()
        else:
            self._on_loaded(loaded)

    def _fail(self, fault: GptOssError) -> None:
        if not self._cancelled.is_set():
            self._on_failed(fault)

    def _progress(self, progress: LoadProgress) -> None:
        now = time.monotonic()
        if now - self._ticked >= _TICK_S or progress.done_bytes == progress.total_bytes:
            self._ticked = now
            self._on_progress(progress)
