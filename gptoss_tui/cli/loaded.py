"""Loading a model for a command that has no screen: found, checked and read, with progress on standard error."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from gptoss_tui.cli.notes import Progress, note

if TYPE_CHECKING:
    from gptoss_tui.engine.events import LoadProgress
    from gptoss_tui.engine.worker import Engine
    from gptoss_tui.harmony import Harmony


@contextmanager
def loaded(folder: Path, progress: Progress, history_bytes: int | None = None) -> Iterator[tuple[Engine, Harmony]]:
    """The checkpoint in `folder`, ready to answer; the engine is closed behind `with`. Raises what loading raises."""
    from gptoss_tui.engine.config import read_config
    from gptoss_tui.engine.worker import Engine
    from gptoss_tui.harmony import Harmony
    from gptoss_tui.models.bundled import NOTICE, is_demo
    from gptoss_tui.models.used import remember_use

    def on_progress(load: LoadProgress) -> None:
        progress.show(f"Loading {load.done_bytes / 2**30:.1f} of {load.total_bytes / 2**30:.1f} GiB")

    # The small files first: they are read in a moment, and a folder without them is not worth loading.
    read_config(folder)
    harmony = Harmony.load(folder)
    try:
        engine = Engine.load(folder, on_progress, history_bytes=history_bytes)
    finally:
        progress.clear()
    remember_use(folder)
    with engine:
        for line in (engine.info.warning, NOTICE if is_demo(folder) else ""):
            if line:
                note(line)
        yield engine, harmony
