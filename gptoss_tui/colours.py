"""How many colours a terminal has and whether its background is light: by its environment, and by asking it (OSC 11).

The question goes out before anything heavy is imported, and nobody waits for the answer: it is picked out of what is
typed when it comes, so that it delays no frame and is never taken for typing, however slow the link. Knows no toolkit.
"""

from __future__ import annotations

import os
import re
import sys
import termios
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress

ALL_COLOURS = 2**24
_FORCED = {"1": 16, "2": 256, "3": ALL_COLOURS}
_NO = ("0", "false", "no", "off")

QUESTION = b"\x1b]11;?\x1b\\"
"""Asks for the background's colour (xterm's OSC 11, which most terminals answer)."""

EXPECTED_S = 10.0
"""Seconds in which the answer may come; later a half answer is taken for keys."""
HELD_S = 0.1
"""Seconds for which the beginning of an answer waits for its end."""

_PART = "([0-9a-fA-F]{1,4})"
_ANSWER = re.compile(rf"\x1b\]11;rgba?:{_PART}/{_PART}/{_PART}[^\x07\x1b]*(?:\x07|\x1b\\)")
_BEGUN = re.compile(r"\x1b(?:\](?:1(?:1(?:;(?:[rgba:0-9a-fA-F/]*(?:\x1b)?)?)?)?)?)?\Z")
_LONGEST = 40


def colours(environment: Mapping[str, str]) -> int:
    """Colours that a terminal has: 0 where none are wanted, 16, 256, or all.

    None are wanted by NO_COLOR (no-color.org), CLICOLOR=0 (bixense.com/clicolors) and FORCE_COLOR=0; FORCE_COLOR=1, 2
    and 3 mean 16, 256 and all of them. Otherwise COLORTERM and TERM tell, and what else is known of a terminal.
    """
    if _refused(environment):
        return 0
    if forced := _FORCED.get(environment.get("FORCE_COLOR", "")):
        return forced
    term = environment.get("TERM", "")
    if "STY" in environment and term.startswith("screen"):
        # COLORTERM is of the terminal that screen was started in, and screen garbles what it does not know.
        return 256 if "256color" in term else 16
    told = environment.get("COLORTERM", "").lower() in ("truecolor", "24bit")
    # ssh hands on LC_TERMINAL, not COLORTERM.
    known = environment.get("LC_TERMINAL") == "iTerm2" and term.startswith("xterm")
    if told or known or term.endswith("-direct"):
        return ALL_COLOURS
    if "256color" in term or term in ("alacritty", "xterm-kitty", "xterm-ghostty", "foot", "wezterm"):
        return 256
    return 16


def colours_forced(environment: Mapping[str, str]) -> bool:
    """Whether colours are wanted even where nothing is drawn: in a pipe, on a dumb terminal."""
    if _refused(environment):
        return False
    wanted = environment.get("FORCE_COLOR", "0").lower() not in _NO
    return wanted or environment.get("CLICOLOR_FORCE", "0") not in ("", "0")


def _refused(environment: Mapping[str, str]) -> bool:
    if environment.get("NO_COLOR"):
        return True
    if environment.get("CLICOLOR_FORCE", "0") not in ("", "0"):
        return False
    return environment.get("FORCE_COLOR", "").lower() in _NO or environment.get("CLICOLOR") == "0"


def background_is_light(environment: Mapping[str, str]) -> bool | None:
    """What COLORFGBG says; None where it says nothing."""
    background = environment.get("COLORFGBG", "").rpartition(";")[2]
    if not background.isdigit():
        return None
    # The sixteen colours' light ones: white, and the bright ones but for grey (8).
    return int(background) in (7, 9, 10, 11, 12, 13, 14, 15)


def answers_questions(environment: Mapping[str, str]) -> bool:
    """False for terminals that would show the question, or never answer it."""
    term = environment.get("TERM", "")
    if environment.get("TMUX"):
        return True
    return bool(term) and not term.startswith(("dumb", "linux", "screen", "vt", "unknown"))


@contextmanager
def background_asked(environment: Mapping[str, str]) -> Iterator[bool]:
    """Asks the terminal for its background; yields whether it did. Until the end it neither echoes nor waits for lines.

    Put `Answers` between the terminal and whoever reads it.
    """
    try:
        entry, out = sys.stdin.fileno(), sys.stdout.fileno()
        before = termios.tcgetattr(entry)
        asks = os.isatty(out) and answers_questions(environment)
    except (OSError, termios.error, ValueError, AttributeError):  # no terminal there
        asks = False
    if not asks:
        yield False
        return
    quiet = termios.tcgetattr(entry)
    quiet[3] &= ~(termios.ECHO | termios.ICANON)
    termios.tcsetattr(entry, termios.TCSANOW, quiet)
    try:
        os.write(out, QUESTION)
        yield True
    finally:
        with suppress(OSError, termios.error):
            termios.tcsetattr(entry, termios.TCSANOW, before)


class Answers:
    """Picks the answer out of what a terminal sends."""

    def __init__(self, expected: bool = True) -> None:
        """`expected`: a question is under way."""
        self._until = time.monotonic() + EXPECTED_S if expected else 0.0
        self._held = ""
        self._held_at = 0.0

    def take(self, sent: str) -> tuple[str, bool | None]:
        """What is typing in `sent`, and whether the background is light; None while that is not known.

        The beginning of an answer is held back until the next call; see `released`.
        """
        sent, self._held = self._held + sent, ""
        light = None
        if found := _ANSWER.search(sent):
            light = is_light(*found.groups())
            self._until = 0.0
            sent = sent[: found.start()] + sent[found.end() :]
        elif time.monotonic() < self._until:
            begun = _BEGUN.search(sent)
            if begun and len(begun[0]) < _LONGEST:
                self._held, self._held_at = begun[0], time.monotonic()
                sent = sent[: begun.start()]
        return sent, light

    @property
    def holding(self) -> bool:
        """Whether the beginning of an answer is held back."""
        return bool(self._held)

    def released(self) -> str:
        """What was held back and is no answer after all; empty while that is not certain."""
        if not self._held or time.monotonic() - self._held_at < HELD_S:
            return ""
        held, self._held = self._held, ""
        return held


def is_light(red: str, green: str, blue: str) -> bool:
    """Whether a colour in hexadecimal digits, one to four each, is nearer to white than to black for the eye."""
    shares = [int(each, 16) / float(16 ** len(each) - 1) for each in (red, green, blue)]
    return 0.299 * shares[0] + 0.587 * shares[1] + 0.114 * shares[2] > 0.5
