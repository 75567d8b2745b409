"""The terminal interface on a script in place of a model: `python -m tests.tui.scripted_app FILE`.

FILE holds a JSON list of (channel, text) pairs. For tests that look at it through a terminal emulator.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

from gptoss_tui.tui.app import GptOssApp
from gptoss_tui.tui.options import TuiOptions
from tests.tui.scripted import Script, ScriptedOpener


def main(file: Path) -> None:
    """Runs it."""
    pieces = [(channel, text) for channel, text in json.loads(file.read_text())]
    app = GptOssApp(TuiOptions(model=file.parent, history_file=Path("/dev/null")), ScriptedOpener(Script(pieces)))
    app.run()
    app.close()


if __name__ == "__main__":
    main(Path(sys.argv[1]))
