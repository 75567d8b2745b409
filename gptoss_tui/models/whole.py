"""A folder that appears under its name only when it is whole, and what is left of those that never were.

It is written beside its place under a hidden name and locked meanwhile. A process that is killed leaves it behind,
without its lock, by which the next one knows that nobody writes there any more.
"""

from __future__ import annotations

import fcntl
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path


@contextmanager
def whole_or_nothing(target: Path) -> Iterator[Path]:
    """A folder to write into, which takes the name `target` at the end, and goes where anything is raised."""
    folder = target.absolute().parent / f".{target.name}.{os.getpid()}.partial"
    lock = -1
    try:
        folder.mkdir()
        lock = os.open(folder, os.O_RDONLY)
        with suppress(OSError):  # a file system without locks; then nothing of it is ever swept
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        yield folder
        folder.rename(target)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
        if lock >= 0:
            os.close(lock)


def sweep_partial(target: Path) -> int | None:
    """Removes what killed processes left of `target`; how many bytes that freed, None where they left nothing."""
    freed: int | None = None
    for folder in target.absolute().parent.glob(f".{_literal(target.name)}.*.partial"):
        with suppress(OSError):
            lock = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)  # fails where somebody still writes there
                freed = (freed or 0) + sum(path.stat().st_size for path in folder.iterdir())
                shutil.rmtree(folder)
            finally:
                os.close(lock)
    return freed


def _literal(name: str) -> str:
    """The name as a pattern that means nothing but itself."""
    return "".join(f"[{letter}]" if letter in "*?[" else letter for letter in name)
