"""Text into the clipboard of whoever sits at the terminal, also far away: by OSC 52, and by the machine's own programs.

OSC 52 asks the terminal itself, so it works through ssh; no terminal answers it, and some ignore it, so where there is
a display at this machine its clipboard is set as well. Inside tmux the text is given to tmux, which passes it on. The
text is copied as it was written: what is pasted somewhere is the business of that place. Knows no toolkit.
"""

from __future__ import annotations

import base64
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Mapping

from gptoss_tui.errors import GptOssError

LONGEST = 100_000
"""Characters of base64 that terminals are known to take in one sequence: 75,000 bytes of text."""
PATIENCE_S = 2.0
"""How long a clipboard program may take."""
_SCREEN_PART = 760
"""Bytes that GNU screen passes through in one piece."""

Write = Callable[[str], object]
"""Writes to the terminal as it is."""


class ClipboardError(GptOssError):
    """The text reached no clipboard."""


def copy(text: str, write: Write | None, environment: Mapping[str, str] | None = None) -> None:
    """Puts `text` into every clipboard within reach; waits `PATIENCE_S` for each program at most.

    `write` is None where the terminal takes no sequences. Raises `ClipboardError` where there is no way at all.
    """
    known = os.environ if environment is None else environment
    data = text.encode("utf-8", "replace")
    reached = sum(_given_to(command, data) for command in programs(known)) > 0
    takes_sequences = write is not None and known.get("TERM", "") not in ("", "dumb", "linux")
    encoded = base64.b64encode(data).decode()
    if takes_sequences and len(encoded) <= LONGEST and not (reached and "TMUX" in known):
        assert write is not None
        write(sequence(encoded, known))
        reached = True
    if reached:
        return
    if takes_sequences:
        raise ClipboardError(
            f"The text is too long for the terminal's clipboard: {len(data):,} bytes",
            "Copy a part of it, or write it to a file: /export.",
        )
    raise ClipboardError("There is no clipboard within reach", "Write it to a file instead: /export.")


def sequence(encoded: str, environment: Mapping[str, str]) -> str:
    """What asks the terminal to set its clipboard; wrapped where a multiplexer lies between."""
    plain = f"\x1b]52;c;{encoded}\x07"
    if "TMUX" in environment:
        # The first for a tmux that takes it itself (set-clipboard on), the other for one that lets it through.
        return plain + "\x1bPtmux;" + plain.replace("\x1b", "\x1b\x1b") + "\x1b\\"
    if environment.get("TERM", "").startswith("screen"):
        parts = (plain[at : at + _SCREEN_PART] for at in range(0, len(plain), _SCREEN_PART))
        return "".join(f"\x1bP{part}\x1b\\" for part in parts)
    return plain


def programs(environment: Mapping[str, str]) -> list[list[str]]:
    """The programs that reach a clipboard from here, as commands that read the text from their standard input."""
    found: list[list[str]] = []
    if "TMUX" in environment and shutil.which("tmux"):
        found.append(["tmux", "load-buffer", "-w", "-"])
    far = bool(environment.get("SSH_CONNECTION") or environment.get("SSH_TTY"))
    # Over ssh this machine's own screen is somebody else's; a display that ssh forwards is the person's.
    if sys.platform == "darwin" and not far:
        found.append(["pbcopy"])
    if environment.get("WAYLAND_DISPLAY") and not far and shutil.which("wl-copy"):
        found.append(["wl-copy"])
    elif environment.get("DISPLAY") and (not far or not environment["DISPLAY"].startswith(":")):
        for command in (["xclip", "-selection", "clipboard"], ["xsel", "--clipboard", "--input"]):
            if shutil.which(command[0]):
                found.append(command)
                break
    return found


def _given_to(command: list[str], data: bytes) -> bool:
    try:
        # Their output is thrown away: some stay in the background and would keep a pipe open.
        ran = subprocess.run(
            command, input=data, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, timeout=PATIENCE_S, check=False
        )
    except (OSError, subprocess.SubprocessError):
        return False
    return ran.returncode == 0
