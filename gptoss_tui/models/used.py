"""When a checkpoint was last loaded by this program: one small file a checkpoint, whose own time is the answer.

The files' access times would not do: looking at a checkpoint changes them, and many file systems keep none. Nothing
depends on it, so that a state folder that cannot be written is no fault.
"""

from __future__ import annotations

import hashlib
import os
from contextlib import suppress
from pathlib import Path

from platformdirs import user_state_path


def remember_use(folder: Path, state: Path | None = None) -> None:
    """Notes that the checkpoint in `folder` is in use now. `state` is the program's state folder."""
    mark = _mark(folder, state)
    with suppress(OSError):
        mark.parent.mkdir(parents=True, exist_ok=True)
        mark.write_text(os.path.realpath(folder) + "\n", encoding="utf-8", errors="surrogateescape")


def last_use(folder: Path, state: Path | None = None) -> float | None:
    """Seconds since the epoch when it was last used; None where it never was."""
    try:
        return _mark(folder, state).stat().st_mtime
    except OSError:
        return None


def _mark(folder: Path, state: Path | None) -> Path:
    name = hashlib.sha256(os.fsencode(os.path.realpath(folder))).hexdigest()[:24]
    return (state or user_state_path("gptoss")) / "used" / name
