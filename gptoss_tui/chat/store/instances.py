"""Which gptoss processes run on this user's conversations: a locked file for each, that outlives no crash.

The lock is the kernel's: it goes with the process however that ends, so a process id that was given to somebody else
means nothing. Where a file system has no locks, the process id is what is left. Knows no database.
"""

from __future__ import annotations

import errno
import fcntl
import json
import os
import time
import uuid
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

FOLDER = "running"

Doing = Literal["open", "finishing"]
"""open: a person has it on the screen. finishing: the terminal is gone, and an answer is being finished."""

_NO_LOCKS = (errno.ENOLCK, errno.ENOTSUP, errno.EOPNOTSUPP, errno.ENOSYS)


@dataclass(frozen=True, slots=True)
class Other:
    """A gptoss that runs now."""

    id: str
    """As conversations name the process that has them open."""
    pid: int
    started: float
    """Unix seconds."""
    doing: Doing
    conversation: str
    """The id of the conversation that it has open; empty where there is none yet."""


class Instance:
    """This process, for others to see, until `close`. Its file cannot be made: it is not seen, and nothing else."""

    def __init__(self, folder: Path) -> None:
        self.id = uuid.uuid4().hex
        self._started = time.time()
        self._file = folder / FOLDER / f"{self.id}.json"
        self._descriptor: int | None = None
        with suppress(OSError):
            self._file.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            # Locked before it has its name: whoever finds it without a lock takes it for a dead one's.
            unnamed = self._file.with_suffix(".new")
            self._descriptor = os.open(unnamed, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
            with suppress(OSError):
                fcntl.flock(self._descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            self.tell("open", "")
            unnamed.rename(self._file)

    def tell(self, doing: Doing, conversation: str) -> None:
        """What this process does now."""
        if self._descriptor is None:
            return
        fields = {
            "pid": os.getpid(),
            "started": self._started,
            "doing": doing,
            "conversation": conversation,
        }
        data = json.dumps(fields).encode()
        with suppress(OSError):
            os.pwrite(self._descriptor, data, 0)
            os.ftruncate(self._descriptor, len(data))

    def close(self) -> None:
        """This process is no longer one of them."""
        descriptor, self._descriptor = self._descriptor, None
        if descriptor is not None:
            with suppress(OSError):
                self._file.unlink()
            with suppress(OSError):
                os.close(descriptor)


def others(folder: Path, own: str = "") -> list[Other]:
    """Every gptoss that runs but the one with the id `own`, oldest first. What the dead left behind is removed."""
    found = [other for file, other in _known(folder) if other is not None and other.id != own and _alive(file, other)]
    return sorted(found, key=lambda other: other.started)


def living(folder: Path) -> set[str]:
    """The ids of all that run."""
    return {other.id for other in others(folder)}


def _known(folder: Path) -> Iterator[tuple[Path, Other | None]]:
    with suppress(OSError):
        for file in (folder / FOLDER).glob("*.json"):
            yield file, _read(file)


def _read(file: Path) -> Other | None:
    try:
        fields = json.loads(file.read_text())
        doing: Doing = "finishing" if fields["doing"] == "finishing" else "open"
        return Other(file.stem, int(fields["pid"]), float(fields["started"]), doing, str(fields["conversation"]))
    except FileNotFoundError:
        return None
    except (OSError, ValueError, KeyError, TypeError):
        # It is just being written, or was never written to the end: the lock tells which.
        return Other(file.stem, 0, 0.0, "open", "")


def _alive(file: Path, other: Other) -> bool:
    try:
        descriptor = os.open(file, os.O_RDONLY | os.O_CLOEXEC)
    except OSError:
        return False
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except OSError as fault:
        return fault.errno not in _NO_LOCKS or _has_process(other.pid)
    else:
        with suppress(OSError):
            file.unlink()
        return False
    finally:
        os.close(descriptor)


def _has_process(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except OSError:
        return True
    return pid > 0
