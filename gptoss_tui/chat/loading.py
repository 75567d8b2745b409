"""The model under a front end: loaded behind the first frame, and another one in its place when that is asked for.

One attempt at a time. Calls back from its own threads; what it means for the conversation is the front end's business.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Generic, TypeVar

from gptoss_tui.chat.loader import HasEngine, Loader
from gptoss_tui.chat.switching import Switched, check_model, switch

if TYPE_CHECKING:
    from gptoss_tui.chat.switching import Closable
    from gptoss_tui.engine.events import LoadProgress
    from gptoss_tui.errors import GptOssError

_PATIENCE_S = 3600.0
"""How long another model waits until the one before is let go, which takes what a layer does."""

T = TypeVar("T", bound=HasEngine)
S = TypeVar("S", bound=HasEngine)

OnProgress = Callable[["LoadProgress"], None]
Cancelled = Callable[[], bool]


class ModelLoading(Generic[T]):
    """Loads and switches."""

    def __init__(
        self,
        open_named: Callable[[Path | None, OnProgress, Cancelled], T],
        *,
        history_bytes: int | None = None,
        on_progress: Callable[[LoadProgress], object],
        on_loaded: Callable[[T], object],
        on_switched: Callable[[Switched], object],
        on_failed: Callable[[GptOssError], object],
    ) -> None:
        """`open_named(folder, on_progress, cancelled)` opens a model with a conversation on it; None: the first one.
        `history_bytes` is the engine's.

        The others are called on loading threads, `on_failed` with `NotSwitched` where the model before is untouched.
        """
        self._open, self._history_bytes = open_named, history_bytes
        self._on_progress, self._on_failed = on_progress, on_failed
        self._on_loaded, self._on_switched = on_loaded, on_switched
        self._loader: Loader[T] | Loader[Switched] = self._loading(partial(open_named, None), on_loaded)
        self._before: Loader[T] | Loader[Switched] | None = None
        """The one whose model a switch under way lets go."""
        self._abandoned: threading.Event | None = None

    @property
    def switching(self) -> bool:
        """Whether another model is on its way."""
        return self._abandoned is not None

    def start(self) -> None:
        """Loads the first model."""
        self._loader.start()

    def close(self, timeout_s: float) -> None:
        """Ends loading, and the engine."""
        self._loader.close(timeout_s)

    def instead(self, folder: Path) -> None:
        """Loads the model in `folder` in place of the first one, which failed or is still being loaded."""
        before = self._loader

        def load(on_progress: OnProgress, cancelled: Cancelled) -> T:
            before.close(_PATIENCE_S)
            check_model(folder)
            return self._open(folder, on_progress, cancelled)

        self._loader = self._loading(load, self._on_loaded)
        self._loader.start()

    def switch(self, folder: Path, old: Closable | None, old_folder: Path | None) -> None:
        """Loads the model in `folder` and lets the old engine go before; None: that is gone already."""
        self._before, self._abandoned = self._loader, threading.Event()
        load = partial(switch, folder, old, old_folder, abandoned=self._abandoned, history_bytes=self._history_bytes)
        self._loader = self._loading(load, self._on_switched)
        self._loader.start()

    def abandon(self) -> bool:
        """Gives the switch up that is under way; False where there is none."""
        if self._abandoned is None:
            return False
        self._abandoned.set()
        return True

    def settled(self, *, switched: bool) -> None:
        """The front end has heard how the switch ended; where it was none, the model before is still the one to
        close."""
        if not switched and self._before is not None:
            self._loader = self._before
        self._before = self._abandoned = None

    def _loading(self, load: Callable[[OnProgress, Cancelled], S], told: Callable[[S], object]) -> Loader[S]:
        return Loader(load, on_progress=self._on_progress, on_loaded=told, on_failed=self._on_failed)
