"""What the session tests share: a session on a given day, and a turn taken to its end."""

from __future__ import annotations

from gptoss_tui.chat.events import TurnFinished
from gptoss_tui.chat.session import Session, Turn
from gptoss_tui.engine.params import SamplingParams
from gptoss_tui.engine.worker import Engine
from gptoss_tui.harmony import Harmony

DATE = "2025-06-28"
GREEDY = SamplingParams(temperature=0)


def session_on(engine: Engine, harmony: Harmony, params: SamplingParams = GREEDY, **options: object) -> Session:
    return Session(engine, harmony, params=params, date=DATE, **options)  # type: ignore[arg-type]  # keywords as they come


def finish(turn: Turn) -> TurnFinished:
    for _ in turn:
        pass
    assert turn.finished is not None
    return turn.finished
