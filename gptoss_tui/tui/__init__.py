"""The terminal interface, made with Textual. Draws what `chat` and `engine` tell; computes nothing about the model.

Nothing heavy is imported until `run_tui` is called.
"""

from __future__ import annotations

from gptoss_tui.tui.options import TuiOptions

__all__ = ["TuiOptions", "run_tui"]


def run_tui(options: TuiOptions) -> int:
    """Runs the interface until the person, a signal or the terminal's end leaves it; returns the exit code.

    Call it on the main thread. Raises `ThemeError` for an unknown theme. After a signal it does not return: the process
    ends with the code that shells expect.
    """
    import sys
    import threading

    from gptoss_tui.signals import Leaving
    from gptoss_tui.tui.app import GptOssApp
    from gptoss_tui.tui.hangup import watch

    app = GptOssApp(options)
    done = threading.Event()
    with Leaving(full_screen=True) as leaving:
        leaving.on_signal = app.leave_soon
        watch(sys.__stdin__.fileno() if sys.__stdin__ is not None else 0, app.leave_soon, done)
        try:
            app.run()
        finally:
            done.set()
            app.close()
        if leaving.signum is not None:
            leaving.leave()
    return app.return_code or 0
