"""The one place where the present snapshot is kept: whoever learns something puts it here, and the screen draws it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from gptoss_tui.tui.snapshot import Snapshot


class Board:
    """Used on the interface's thread only."""

    def __init__(self, snapshot: Snapshot, show: Callable[[Snapshot], None]) -> None:
        """`show` is called after each `update`."""
        self.snapshot = snapshot
        self._show = show

    def note(self, **changes: Any) -> None:
        """Other figures, drawn with the next update."""
        self.snapshot = replace(self.snapshot, **changes)

    def update(self, **changes: Any) -> None:
        """Other figures, drawn now."""
        self.note(**changes)
        self._show(self.snapshot)

    @property
    def running(self) -> bool:
        """True from sending to the end of the answer."""
        return self.snapshot.phase in ("reading", "writing", "stopping")
