"""The interface on a scripted model that counts: `python -m tests.tui.writing_child REPORT TOKENS TOKENS_PER_S`.

Run by tests in a pseudo-terminal. It asks by itself. When the answer is there, REPORT holds what the conversation shows
and whether the terminal was behind then, as JSON; the program stays until it is told to leave.
"""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path

from gptoss_tui.tui.app import GptOssApp
from gptoss_tui.tui.backlog import behind
from gptoss_tui.tui.options import TuiOptions
from tests.tui.scripted import Script, ScriptedOpener, words


def main() -> None:
    """Runs until ctrl+q."""
    report, tokens, pace = Path(sys.argv[1]), int(sys.argv[2]), float(sys.argv[3])
    pieces = words(" ".join(f"n{number}" for number in range(tokens)))
    opener = ScriptedOpener(Script(pieces, tokens_per_s=pace))
    app = GptOssApp(TuiOptions(model=Path("nowhere"), history_file=Path("/dev/null")), opener)
    began = time.monotonic()

    def look() -> None:
        chat = app.main.chat
        if app.main.conductor.snapshot.phase != "idle" or report.exists():
            return
        if not chat.turns:
            app.run_worker(app.main.conductor.send("Count"))
            return
        if len(opener.session.messages) < 2:
            return
        told = {"answer": chat.turns[0].answer, "behind": behind(app), "took_s": time.monotonic() - began}
        part = report.with_suffix(".part")
        part.write_text(json.dumps(told))
        part.rename(report)

    app.call_later(lambda: app.set_interval(0.05, look))
    app.run()
    app.close()


if __name__ == "__main__":
    main()
