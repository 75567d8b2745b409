"""Opens a model for a conversation: vocabulary, engine, session. The heavy imports are inside, for whoever waits.

Takes a folder; finding one is `models`' business. Knows no front end.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from gptoss_tui.chat.session import Session
    from gptoss_tui.engine.events import LoadProgress
    from gptoss_tui.engine.params import SamplingParams
    from gptoss_tui.engine.worker import Engine
    from gptoss_tui.harmony.messages import Effort


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
) -> tuple[Engine, Session]:
    """Loads the checkpoint in `folder`, blocking, and begins a conversation on it.

    `history_bytes` is the engine's; `on_progress` is called on the model's thread. Raises what loading raises,
    `LoadCancelled` among it.
    """
    from gptoss_tui.chat.session import Session
    from gptoss_tui.engine.config import read_config
    from gptoss_tui.engine.worker import Engine
    from gptoss_tui.harmony import Harmony

    # The small files first: they are read in a moment, and a folder without them is not worth loading.
    read_config(folder)
    harmony = Harmony.load(folder)
    engine = Engine.load(folder, on_progress, cancelled=cancelled, history_bytes=history_bytes)
    session = Session(engine, harmony, instructions=instructions, effort=effort, params=params, max_tokens=max_tokens)
    return engine, session
