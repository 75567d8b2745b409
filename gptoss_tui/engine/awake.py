"""Keeps a Mac from falling asleep while an answer is being written; does nothing elsewhere."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def keep_awake() -> Iterator[None]:
    """Holds macOS's idle sleep off inside the block, through the system's own `caffeinate`."""
    tool = shutil.which("caffeinate") if sys.platform == "darwin" else None
    if tool is None:
        yield
        return
    # -w: it ends with this process, even if that is killed.
    process = subprocess.Popen([tool, "-i", "-w", str(os.getpid())], stdin=subprocess.DEVNULL)
    try:
        yield
    finally:
        process.terminate()
        process.wait()
