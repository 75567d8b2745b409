"""The plain front end: a chat in the terminal's own scrollback, or in bare lines where there is none to speak of.

Nothing heavy is imported until `run_repl` is called.
"""

from __future__ import annotations

from gptoss_tui.repl.options import ReplOptions

__all__ = ["ReplOptions", "run_repl"]


def run_repl(options: ReplOptions) -> int:
    """Runs until the person, the input's end, a signal or the terminal's end leaves it; returns the exit code.

    Call it on the main thread. Raises `ThemeError` for an unknown theme. After a signal it does not return: the process
    ends with the code that shells expect.
    """
    from gptoss_tui.repl.running import run

    return run(options)
