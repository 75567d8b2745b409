"""What shows a conversation in the REPL, as its player sees it: with colours or as bare lines, it does not matter."""

from __future__ import annotations

from typing import Literal, Protocol

from gptoss_tui.chat.events import TurnFinished
from gptoss_tui.chat.moves import Move
from gptoss_tui.chat.runs import Run

Kind = Literal["info", "warning", "error"]

TWICE_S = 2.0
"""Seconds in which the second press of a key that asks twice must come."""


class View(Protocol):
    """What shows the conversation."""

    def note(self, text: str, kind: Kind = "info") -> None:
        """A line or two from the program."""

    def asked(self, text: str) -> None:
        """A prompt goes to the model."""

    def begun(self, move: Move) -> None:
        """A move has the model write."""

    def moved(self) -> None:
        """Another path is shown now."""

    def write(self, run: Run) -> None:
        """More of the answer, unsafe as the model wrote it."""

    def ended(self, event: TurnFinished | None) -> None:
        """The answer is over; None where a fault ended it."""

    def refresh(self) -> None:
        """Figures may have changed."""
