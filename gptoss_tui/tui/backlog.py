"""How far the terminal lags behind what was sent to it. Leans on Textual's driver, which has a thread that writes."""

from __future__ import annotations

from queue import Queue

from textual.app import App

MOST = 2
"""Pictures that may wait for the terminal. Textual's own limit is thirty, and then everything waits."""


def behind(app: App[None]) -> bool:
    """True while the terminal has not taken what was sent: a slow link, or one that has stalled."""
    writer = getattr(app._driver, "_writer_thread", None)
    queue = getattr(writer, "_queue", None)
    return isinstance(queue, Queue) and queue.qsize() > MOST
