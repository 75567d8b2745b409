"""What `gptoss bench` runs in a terminal: one model that answers without the interface, with it, and without again.

    python -m gptoss_tui.cli.attached FOLDER TOKENS SECONDS ROUNDS REPORT

Every answer has the same prompt, is greedy, and goes on past stop tokens until it has TOKENS tokens or SECONDS are
over. REPORT gets a line of JSON for each.
"""

from __future__ import annotations

import json
import math
import os
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from gptoss_tui.chat.meter import RateMeter
from gptoss_tui.chat.session import Session
from gptoss_tui.engine.events import Step
from gptoss_tui.engine.generation import Generation
from gptoss_tui.engine.params import SamplingParams
from gptoss_tui.engine.worker import Engine
from gptoss_tui.harmony import Harmony
from gptoss_tui.harmony.messages import Message
from gptoss_tui.tui.app import GptOssApp
from gptoss_tui.tui.options import TuiOptions
from gptoss_tui.tui.ports import Backend

PROMPT = "Explain quantum computing in simple terms, and take your time."
GREEDY = SamplingParams(temperature=0)

_LOOK_S = 0.1


def main(argv: Sequence[str]) -> None:
    """Measures; see above."""
    folder, report = Path(argv[0]), Path(argv[4])
    tokens, seconds, rounds = int(argv[1]), float(argv[2]), int(argv[3])

    def tell(attached: bool, rate: float) -> None:
        if math.isfinite(rate):  # it is not where time was over before the second token
            with report.open("a", encoding="utf-8") as file:
                file.write(json.dumps({"attached": attached, "tokens_per_s": rate}) + "\n")

    harmony = Harmony.load(folder)
    engine = Engine.load(folder)
    endless = _Endless(engine)
    ids = harmony.render([Message.user(PROMPT)])
    without = (rounds + 1) // 2
    _bare(engine, ids, 1, seconds)  # reads the weights for the first time
    for _ in range(without):
        tell(False, _bare(engine, ids, tokens, seconds))
    session = Session(endless, harmony, params=GREEDY, max_tokens=tokens)  # type: ignore[arg-type] # a stand-in
    app = GptOssApp(
        TuiOptions(model=folder, params=GREEDY, history_file=Path(os.devnull)), lambda *_: Backend(endless, session)
    )
    _Attached(app, rounds, seconds, lambda rate: tell(True, rate)).run()
    for _ in range(rounds - without):
        tell(False, _bare(engine, ids, tokens, seconds))
    engine.close()


class _Endless:
    """The engine, except that no token stops it, and that it begins from nothing."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def __getattr__(self, name: str) -> Any:
        return getattr(self._engine, name)

    def generate(self, *args: Any, **kwargs: Any) -> Generation:
        """As the engine's."""
        return self._engine.generate(*args, **kwargs | {"stop_ids": ()})

    def prefill(self, ids: Sequence[int]) -> None:
        """Nothing is read ahead: the answers without the interface have nobody who would."""

    def close(self) -> None:
        """It goes on."""


class _Attached:
    """Sends the prompt `rounds` times as a person would, each time in a new conversation."""

    def __init__(self, app: GptOssApp, rounds: int, seconds: float, tell: Callable[[float], None]) -> None:
        self._app, self._left, self._seconds, self._tell = app, rounds, seconds, tell
        self._asked = False
        self._since = 0.0
        self._parent = os.getppid()

    def run(self) -> None:
        """Until the last one is answered."""
        self._app.call_later(lambda: self._app.set_interval(_LOOK_S, self._look))
        self._app.run()

    async def _look(self) -> None:
        conductor = self._app.main.conductor
        if os.getppid() != self._parent:  # whoever measures was killed, and the terminal with it
            os._exit(1)
        if conductor.snapshot.phase == "idle":
            if self._asked:
                self._tell(conductor.snapshot.mean)
                self._left -= 1
                await conductor.clear()
            if not self._left:
                self._app.exit()
                return
            self._asked, self._since = True, time.monotonic()
            await conductor.send(PROMPT)
        elif conductor.snapshot.phase == "writing" and time.monotonic() - self._since > self._seconds:
            await conductor.stop()
        elif conductor.snapshot.phase == "failed":
            self._app.exit()


def _bare(engine: Engine, ids: Sequence[int], tokens: int, seconds: float) -> float:
    """Tokens a second after the first."""
    meter, end = RateMeter(), time.monotonic() + seconds
    with engine.generate(ids, GREEDY, max_tokens=tokens) as generation:
        for event in generation:
            if isinstance(event, Step):
                meter.add(event.elapsed_s)
            if time.monotonic() > end and meter.tokens > 1:
                break
    return meter.mean


if __name__ == "__main__":
    main(sys.argv[1:])
