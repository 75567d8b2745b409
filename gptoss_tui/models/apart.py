"""Long work on a thread of its own, so that whoever waits hears a signal at once, not when gigabytes are moved."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")


def apart(work: Callable[[Callable[[], bool]], T], name: str, leaving_s: float = 0.0) -> T:
    """What `work(abandoned)` returns or raises, done on a daemon thread called `name`.

    Whatever interrupts the waiting makes `abandoned()` true, waits `leaving_s` for the thread, and goes on its way.
    """
    abandoned = threading.Event()
    results: list[T] = []
    faults: list[BaseException] = []
    ended = threading.Event()

    def run() -> None:
        try:
            results.append(work(abandoned.is_set))
        except BaseException as fault:  # whoever waits is told, whatever it is
            faults.append(fault)
        finally:
            ended.set()

    thread = threading.Thread(target=run, name=name, daemon=True)
    thread.start()
    try:
        ended.wait()
    except BaseException:
        abandoned.set()
        thread.join(leaving_s)
        raise
    if faults:
        raise faults[0]
    return results[0]
