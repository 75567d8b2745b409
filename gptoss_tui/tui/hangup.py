"""Notices that the terminal has gone away where no signal says so: end of file on its input. Knows no Textual."""

from __future__ import annotations

import select
import threading
from collections.abc import Callable

_LOOK_S = 0.5


def watch(descriptor: int, on_hangup: Callable[[], None], done: threading.Event) -> threading.Thread:
    """Calls `on_hangup` once, on a thread of its own, when the other end of `descriptor` is closed."""

    def look() -> None:
        poll = select.poll()
        # Errors and hang-ups are told without being asked for; readable input is not our business.
        poll.register(descriptor, 0)
        while not done.is_set():
            for _, mask in poll.poll(_LOOK_S * 1000):
                if mask & (select.POLLHUP | select.POLLERR):
                    on_hangup()
                # POLLNVAL: some systems cannot poll a terminal; there the signal must do.
                return

    thread = threading.Thread(target=look, name="gptoss-hangup", daemon=True)
    thread.start()
    return thread
