"""The terminal interface, made with Textual. Draws what `chat` and `engine` tell; computes nothing about the model.

Nothing heavy is imported until `run_tui` is called.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from gptoss_tui.tui.options import TuiOptions

if TYPE_CHECKING:
    from gptoss_tui.signals import Leaving

__all__ = ["TuiOptions", "run_tui"]


def run_tui(options: TuiOptions) -> int:
    """Runs the interface until the person, a signal or the terminal's end leaves it; returns the exit code.

    Call it on the main thread. Raises `ThemeError` for an unknown theme. After a signal it does not return: the process
    ends with the code that shells expect.
    """
    import os
    from contextlib import suppress

    from gptoss_tui.colours import background_asked
    from gptoss_tui.signals import Interrupted, Leaving

    # Rich and Textual guess the number of colours in their own way, and Textual as it is imported.
    os.environ["TEXTUAL_COLOR_SYSTEM"] = {0: "standard", 16: "standard", 256: "256"}.get(options.colours, "truecolor")
    code = 0
    with Leaving(full_screen=True) as leaving:
        ask = options.theme is None and options.colours != 0
        # A signal may come before there is an app to end, or after.
        with suppress(Interrupted), background_asked(os.environ if ask else {}) as asked:
            code = _run(options, leaving, asked)
        if leaving.signum is not None:
            leaving.leave()
    return code


def _run(options: TuiOptions, leaving: Leaving, asked: bool) -> int:
    import sys
    import threading
    from contextlib import suppress

    from gptoss_tui.tui import collector, terminal
    from gptoss_tui.tui.app import GptOssApp
    from gptoss_tui.tui.hangup import watch
    from gptoss_tui.visible import visible

    terminal.install(asked=asked)
    app = GptOssApp(options)
    collector.calm()
    done = threading.Event()
    leaving.on_signal = app.leave_soon
    leaving.outlives_the_line = lambda: app.busy
    watch(sys.__stdin__.fileno() if sys.__stdin__ is not None else 0, leaving.line_dropped, done)
    try:
        app.run()
    finally:
        done.set()
        for line in app.close(leaving):
            with suppress(OSError, ValueError):  # nobody reads it any more
                print(visible(line), file=sys.__stderr__)
    return app.return_code or 0
