"""A kept conversation for one answer: opened, asked in, and closed so that nothing of it is lost."""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from gptoss_tui.chat.keeper import Keeper
from gptoss_tui.chat.saving import Saving
from gptoss_tui.cli.notes import note
from gptoss_tui.signals import Leaving

if TYPE_CHECKING:
    from gptoss_tui.chat.session import Session
    from gptoss_tui.engine.params import SamplingParams
    from gptoss_tui.engine.worker import Engine
    from gptoss_tui.harmony import Harmony


@contextmanager
def kept(
    options: argparse.Namespace,
    saving: Saving,
    engine: Engine,
    harmony: Harmony,
    folder: Path,
    params: SamplingParams,
    leaving: Leaving,
) -> Iterator[tuple[Session, Keeper]]:
    """The conversation that `saving` names, or a new one, on a loaded model. Raises `GptOssError`."""
    keeper = Keeper(replace(saving, tell=note))
    try:
        session = keeper.open(
            engine,
            harmony,
            folder,
            instructions=options.instructions,
            effort=options.effort,
            params=params,
            max_tokens=options.max_tokens,
        )
        yield session, keeper
    finally:
        for line in keeper.close(dropped=leaving.signum is not None):
            note(line)
