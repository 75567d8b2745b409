"""What the terminal can do, for `gptoss doctor`: what the environment says, and what the terminal itself answers.

The questions are those that every terminal answers or ignores: DECRQM for synchronised output (mode 2026) and primary
device attributes, whose answer also marks the end of waiting and, in newer terminals, names clipboard access (52).
"""

from __future__ import annotations

import os
import re
import select
import sys
import termios
import time
import tty
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from gptoss_tui.cli.checkup import Finding

QUESTION = b"\x1b[?2026$p\x1b[c"
PATIENCE_S = 1.0
"""How long the terminal may take to answer; a slow line takes less."""

_ATTRIBUTES = re.compile(rb"\x1b\[\?([\d;]*)c")
_SYNCHRONISED = re.compile(rb"\x1b\[\?2026;(\d)\$y")
_CLIPBOARD = ("iterm", "kitty", "wezterm", "ghostty", "alacritty", "foot", "vscode", "contour", "rio", "warp")
"""Terminals that are known to take OSC 52, by what their variables say."""


@dataclass(frozen=True, slots=True)
class Answers:
    """What the terminal answered; None where it did not."""

    synchronised: bool | None = None
    clipboard: bool | None = None


def terminal(environment: Mapping[str, str]) -> Iterator[Finding]:
    """Size, colours, Unicode, clipboard and synchronised output of the terminal that this runs in."""
    if not (sys.stdin.isatty() and sys.stdout.isatty()):
        yield Finding("note", "Terminal", "this is not run in one", "Run gptoss doctor in the terminal you will use.")
        return
    size = os.get_terminal_size(sys.stdout.fileno())
    yield from judge(environment, (size.columns, size.lines), sys.stdout.encoding, ask(sys.stdin.fileno()))


def judge(environment: Mapping[str, str], size: tuple[int, int], encoding: str, answers: Answers) -> Iterator[Finding]:
    """The findings that follow; `size` is columns and rows."""
    name = environment.get("TERM_PROGRAM") or environment.get("TERM", "")
    if environment.get("TERM", "dumb") in ("", "dumb"):
        yield Finding(
            "note", "Terminal", "TERM is dumb or not set", "gptoss repl works here; for the screen, set TERM."
        )
    else:
        yield Finding("ok", "Terminal", name)
    columns, rows = size
    if not columns or not rows:
        yield Finding("note", "Size", "this terminal does not tell", "stty columns 120 rows 36, or another terminal.")
    elif columns < 40 or rows < 12:
        yield Finding("note", "Size", f"{columns}×{rows}", "The screen needs 40×12; all panes show from 120×30 on.")
    elif columns < 120:
        yield Finding(
            "ok", "Size", f"{columns}×{rows}: chat, and instruments as tabs; side by side from 120 columns on"
        )
    else:
        yield Finding("ok", "Size", f"{columns}×{rows}")
    if environment.get("COLORTERM", "").lower() in ("truecolor", "24bit"):
        yield Finding("ok", "Colours", "16 million")
    elif "256" in environment.get("TERM", ""):
        yield Finding("ok", "Colours", "256; for all of them set COLORTERM=truecolor where the terminal has them")
    else:
        remedy = "export TERM=xterm-256color COLORTERM=truecolor, where the terminal has them."
        yield Finding("note", "Colours", "16 or fewer, as far as TERM tells", remedy)
    if encoding.lower().replace("-", "") == "utf8":
        yield Finding("ok", "Unicode", encoding)
    else:
        yield Finding("problem", "Unicode", f"the locale's encoding is {encoding}", "export LC_ALL=en_US.UTF-8")
    yield _clipboard(environment, answers)
    if answers.synchronised:
        yield Finding("ok", "Synchronised output", "supported: no flicker")
    else:
        said = "no answer" if answers.synchronised is None else "not supported"
        yield Finding("note", "Synchronised output", f"{said}; a frame may be seen half drawn")


def _clipboard(environment: Mapping[str, str], answers: Answers) -> Finding:
    known = " ".join(environment.get(name, "") for name in ("TERM_PROGRAM", "TERM", "LC_TERMINAL")).lower()
    if answers.clipboard or any(name in known for name in _CLIPBOARD):
        return Finding("ok", "Clipboard (OSC 52)", "supported")
    if environment.get("TMUX"):
        return Finding("note", "Clipboard (OSC 52)", "behind tmux", "tmux set -s set-clipboard on")
    remedy = "If copying does nothing, use a terminal with OSC 52, such as iTerm2, kitty, Ghostty or WezTerm."
    return Finding("note", "Clipboard (OSC 52)", "this terminal does not tell", remedy)


def ask(descriptor: int, patience_s: float = PATIENCE_S) -> Answers:
    """Asks the terminal on `descriptor` and reads its answer; leaves its settings as they were."""
    try:
        before = termios.tcgetattr(descriptor)
    except termios.error:
        return Answers()
    heard = b""
    try:
        tty.setcbreak(descriptor, termios.TCSANOW)
        os.write(descriptor, QUESTION)
        end = time.monotonic() + patience_s
        while not _ATTRIBUTES.search(heard) and (left := end - time.monotonic()) > 0:
            if select.select([descriptor], [], [], left)[0]:
                part = os.read(descriptor, 1024)
                if not part:
                    break
                heard += part
    except OSError:
        return Answers()
    finally:
        termios.tcsetattr(descriptor, termios.TCSANOW, before)
    return understand(heard)


def understand(heard: bytes) -> Answers:
    """What the terminal's bytes mean."""
    mode, attributes = _SYNCHRONISED.search(heard), _ATTRIBUTES.search(heard)
    if attributes is None:
        return Answers()
    # 0: it does not know the mode. 4: it is off for good.
    return Answers(mode is not None and mode[1] in b"123", b"52" in attributes[1].split(b";"))
