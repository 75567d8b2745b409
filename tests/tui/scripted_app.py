"""The terminal interface on a script in place of a model: `python -m tests.tui.scripted_app FILE [RATE]`.

FILE holds a JSON list of (channel, text) pairs. For tests that look at it through a terminal emulator.
"""

from __future__ import annotations

import json
import math
import sys
from pathlib import Path

from gptoss_tui.tui.app import GptOssApp
from gptoss_tui.tui.options import TuiOptions
from tests.tui.scripted import Script, ScriptedOpener


def main(file: Path, tokens_per_s: float = math.inf) -> None:
    """Runs it."""
    script = Script([(channel, text) for channel, text in json.loads(file.read_text())], tokens_per_s)
    app = GptOssApp(TuiOptions(model=file.parent, history_file=Path("/dev/null")), ScriptedOpener(script))
    app.run()
    app.close()


if __name__ == "__main__":
    main(Path(sys.argv[1]), *map(float, sys.argv[2:]))
