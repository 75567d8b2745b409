"""The REPL on a script in place of a model: `python -m tests.repl.scripted FILE [--plain] [--fold] [--vi] [RATE]`.

FILE holds a JSON list of (channel, text) pairs. For what no model writes on demand, at a pace that can be measured.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import cast

from gptoss_tui.chat.history import default_history_file
from gptoss_tui.chat.session import Session
from gptoss_tui.engine.events import LoadProgress
from gptoss_tui.engine.worker import Engine
from gptoss_tui.repl.opening import Opened
from gptoss_tui.repl.options import ReplOptions
from gptoss_tui.repl.running import run
from tests.tui.scripted import Script, ScriptedEngine, ScriptedSession


class CountingEngine(ScriptedEngine):
    """Tells its tokens, too."""

    @property
    def cached_tokens(self) -> int:
        """As the real one."""
        return self.tokens


def main(file: Path, *options: str) -> int:
    """Runs it."""
    pieces = [(channel, text) for channel, text in json.loads(file.read_text())]
    rate = next((float(option) for option in options if option[0].isdigit()), float("inf"))

    def open_script(
        options: ReplOptions, on_progress: Callable[[LoadProgress], None], cancelled: Callable[[], bool]
    ) -> Opened:
        engine = CountingEngine()
        session = ScriptedSession(engine, [Script(pieces, rate)])
        return Opened(cast(Engine, engine), cast(Session, session))

    return run(
        ReplOptions(
            model=file.parent,
            plain="--plain" in options,
            thinking="fold" if "--fold" in options else "show",
            low_bandwidth="--low-bandwidth" in options,
            editing="vi" if "--vi" in options else "emacs",
            history_file=default_history_file(),
        ),
        open_script,
    )


if __name__ == "__main__":
    raise SystemExit(main(Path(sys.argv[1]), *sys.argv[2:]))
