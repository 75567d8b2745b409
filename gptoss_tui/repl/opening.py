"""The model that the options name, opened with a conversation on it. Blocks; runs on the loading thread."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from gptoss_tui.chat.keeper import Keeper
from gptoss_tui.chat.opening import open_session
from gptoss_tui.repl.options import ReplOptions

if TYPE_CHECKING:
    from gptoss_tui.chat.session import Session
    from gptoss_tui.engine.events import LoadProgress
    from gptoss_tui.engine.worker import Engine


@dataclass(frozen=True, slots=True)
class Opened:
    """A loaded model with a conversation on it."""

    engine: Engine
    session: Session
    about: str = ""
    """One line on what this model is; empty: nothing to say."""
    keeper: Keeper | None = None
    """What keeps the conversation; None: nothing does."""
    folder: Path | None = None
    """Where the model came from."""


Open = Callable[[ReplOptions, Callable[["LoadProgress"], None], Callable[[], bool]], Opened]
"""Loads a model; blocks, on a thread of its own. Raises `GptOssError`."""


def open_options(
    options: ReplOptions, on_progress: Callable[[LoadProgress], None], cancelled: Callable[[], bool]
) -> Opened:
    """The real model that the options name; raises `GptOssError`, `LoadCancelled` among them."""
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
    return Opened(engine, session, options.about(folder) if options.about is not None else "", keeper, folder)
