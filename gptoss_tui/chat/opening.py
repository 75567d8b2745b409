"""Opens a model for a conversation: vocabulary, engine, session, and what keeps it. The heavy imports are inside, for
whoever waits.

Takes a folder; finding one is `models`' business. Knows no front end.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from gptoss_tui.chat.keeper import Keeper
from gptoss_tui.chat.saving import PRIVATE, Saving

if TYPE_CHECKING:
    from gptoss_tui.chat.session import Session
    from gptoss_tui.engine.events import LoadProgress
    from gptoss_tui.engine.params import SamplingParams
    from gptoss_tui.engine.worker import Engine
    from gptoss_tui.harmony import Harmony
    from gptoss_tui.harmony.messages import Effort


def open_model(
    folder: Path,
    on_progress: Callable[[LoadProgress], None],
    cancelled: Callable[[], bool],
    *,
    history_bytes: int | None = None,
    meanwhile: Callable[[], None] = lambda: None,
) -> tuple[Engine, Harmony]:
    """Loads the checkpoint in `folder`, blocking, and notes that it was used.

    `on_progress` is called on the model's thread, `meanwhile` before the weights are read; `history_bytes` is the
    engine's. Raises what loading raises, `LoadCancelled` among it.
    """
    from gptoss_tui.engine.config import read_config

    # The small files first: they are read in a moment, and a folder without them is not worth loading.
    read_config(folder)
    from gptoss_tui.engine.worker import Engine
    from gptoss_tui.harmony import Harmony
    from gptoss_tui.models.used import remember_use

    harmony = Harmony.load(folder)
    meanwhile()
    engine = Engine.load(folder, on_progress, cancelled=cancelled, history_bytes=history_bytes)
    remember_use(folder)
    return engine, harmony


def open_session(
    folder: Path,
    *,
    instructions: str | None,
    effort: Effort,
    params: SamplingParams,
    max_tokens: int | None,
    history_bytes: int | None = None,
    on_progress: Callable[[LoadProgress], None],
    cancelled: Callable[[], bool],
    saving: Saving = PRIVATE,
) -> tuple[Engine, Session, Keeper]:
    """Loads the checkpoint in `folder`, blocking, and begins a conversation on it, or goes on with one.

    `history_bytes` is the engine's; `on_progress` is called on the model's thread. Raises what loading raises,
    `LoadCancelled` among it.
    """
    keeper = Keeper(saving)
    try:
        engine, harmony = open_model(
            folder, on_progress, cancelled, history_bytes=history_bytes, meanwhile=keeper.greet
        )
        try:
            session = keeper.open(
                engine,
                harmony,
                folder,
                instructions=instructions,
                effort=effort,
                params=params,
                max_tokens=max_tokens,
            )
            if session.path:
                # A resumed conversation is read while its person looks at it.
                session.read_ahead()
        except BaseException:
            engine.close(wait=False)
            raise
    except BaseException:
        keeper.close(dropped=True)
        raise
    return engine, session, keeper
