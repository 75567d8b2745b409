"""Another model under the same conversation: the old one is let go first, and comes back where the new one fails.

Blocks, on a loading thread; the session is the front end's own to move (`Session.use`), on its thread. Knows no front
end.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from gptoss_tui.chat import format
from gptoss_tui.chat.opening import open_model
from gptoss_tui.errors import CheckpointError, GptOssError, LoadCancelled

if TYPE_CHECKING:
    from gptoss_tui.engine.events import LoadProgress
    from gptoss_tui.engine.worker import Engine
    from gptoss_tui.harmony import Harmony


class NotSwitched(GptOssError):
    """The other model was looked at and not loaded: the one before is where it was."""


class Closable(Protocol):
    """What is asked of the engine that is let go."""

    def close(self) -> None: ...


@dataclass(frozen=True, slots=True)
class Switched:
    """What came of it."""

    engine: Engine
    harmony: Harmony
    folder: Path
    held_bytes: int
    """Of the device's memory, while the old model was there."""
    left_bytes: int
    """Of it, once that was let go."""
    fault: GptOssError | None
    """Why this is the old model again; None: it is the one that was asked for."""

    @property
    def summary(self) -> str:
        """A line for the person."""
        info = self.engine.info
        let_go = f"Memory: {format.size(self.held_bytes)} before, {format.size(self.left_bytes)} once it was let go"
        if self.fault is not None:
            return f"{self.fault.message}. {info.name} is back. {let_go}."
        now = f"{format.size(info.weights_bytes)}, {info.bits_per_weight:.2f} bits per weight"
        return f"{info.name} goes on with this conversation ({now}). {let_go}."


def check_model(folder: Path) -> None:
    """Whether the model in `folder` can be loaded here, by its headers: the old one need not be let go to find out.

    Raises `CheckpointError` for one that is not in order, `MemoryLimitError` with the reason of its fit.
    """
    from gptoss_tui.models.fit import check_loading, this_machine
    from gptoss_tui.models.inspection import inspect

    found = inspect(folder)
    if found.problems:
        raise CheckpointError(
            f"{found.name} is not in order: {found.problems[0]}", f"gptoss inspect '{folder}' tells more."
        )
    check_loading(found, this_machine())


def same_model(one: Path | None, other: Path) -> bool:
    """Whether both are one folder, by whatever names."""
    return one is not None and os.path.realpath(one) == os.path.realpath(other)


def switch(
    folder: Path,
    old: Closable | None,
    old_folder: Path | None,
    on_progress: Callable[[LoadProgress], None],
    cancelled: Callable[[], bool],
    *,
    abandoned: threading.Event,
    history_bytes: int | None = None,
) -> Switched:
    """Lets the old model go (None: it is gone already) and loads the one in `folder`.

    `abandoned` gives up and brings the old one back; `cancelled` gives up altogether; `history_bytes` is the engine's.
    Raises `NotSwitched` where the old one was not touched, `LoadCancelled` for `cancelled`, and `GptOssError` where
    neither could be loaded: then there is none.
    """
    from gptoss_tui.engine.loading import device_bytes

    try:
        check_model(folder)
    except GptOssError as reason:
        raise NotSwitched(reason.message, reason.hint) from reason
    if abandoned.is_set():
        raise NotSwitched("Loading was stopped")
    held = device_bytes()
    if old is not None:
        old.close()
    left = device_bytes()
    fault: GptOssError | None = None
    try:
        engine, harmony = open_model(
            folder, on_progress, lambda: cancelled() or abandoned.is_set(), history_bytes=history_bytes
        )
    except GptOssError as first:
        if cancelled() or old_folder is None:
            raise
        fault = GptOssError("Loading was stopped") if isinstance(first, LoadCancelled) else first
        folder = old_folder
        try:
            engine, harmony = open_model(folder, on_progress, cancelled, history_bytes=history_bytes)
        except LoadCancelled:
            raise
        except GptOssError as second:
            raise GptOssError(
                f"{first.message}; and the model before could not be loaded again: {second.message}",
                "/model chooses another one.",
            ) from second
    return Switched(engine, harmony, folder, held, left, fault)
