"""Opens the real model: folder, vocabulary, engine, session. Runs on the loading thread."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from gptoss_tui.chat.opening import open_session
from gptoss_tui.tui.ports import Backend

if TYPE_CHECKING:
    from gptoss_tui.engine.events import LoadProgress
    from gptoss_tui.tui.options import TuiOptions


def open_backend(
    options: TuiOptions, on_progress: Callable[[LoadProgress], None], cancelled: Callable[[], bool]
) -> Backend:
    """Finds, reads and loads the model that the options name; raises `GptOssError`, `LoadCancelled` among them."""
    folder = options.model() if callable(options.model) else options.model
    engine, session, keeper = open_session(
        folder,
        instructions=options.instructions,
        effort=options.effort,
        params=options.params if options.sampling is None else options.sampling(folder),
        max_tokens=options.max_tokens,
        history_bytes=options.history_bytes,
        on_progress=on_progress,
        cancelled=cancelled,
        saving=options.saving,
    )
    return Backend(engine, session, options.about(folder) if options.about is not None else "", keeper, folder)
