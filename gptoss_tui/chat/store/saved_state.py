"""Where the prompt state of a conversation is kept on the disk, and how much of it: one file each, the oldest go first.

The files are the engine's (`Engine.save_state`); this module knows their names, sizes and dates only.
"""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

FOLDER = "states"
LARGEST_BYTES = 8 * 2**30
"""All of them together. One of gpt-oss-20b at 8,192 tokens takes about 0.4 GB."""
MOST = 8


def state_file(folder: Path, conversation_id: str) -> Path:
    """Where the prompt state of a conversation is, or goes."""
    return folder / FOLDER / f"{conversation_id}.safetensors"


def remove_state(folder: Path, conversation_id: str) -> None:
    """The conversation's state, where there is one, goes."""
    with suppress(OSError):
        state_file(folder, conversation_id).unlink()


def bound_states(folder: Path, *, most: int = MOST, largest_bytes: int = LARGEST_BYTES) -> None:
    """Keeps the newest files, up to this many and this many bytes together."""
    with suppress(OSError):
        files = sorted((folder / FOLDER).glob("*.safetensors"), key=lambda each: each.stat().st_mtime, reverse=True)
        total = 0
        for place, file in enumerate(files):
            total += file.stat().st_size
            if place >= most or (total > largest_bytes and place):
                file.unlink()
