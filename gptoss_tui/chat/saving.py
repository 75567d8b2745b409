"""`Saving`: how a conversation is kept, as the command line and the settings have it. Values only."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path


def _nobody(text: str) -> None:
    """Nobody listens."""


@dataclass(frozen=True, slots=True)
class Saving:
    """What is kept of a conversation, and what is gone on with."""

    save: bool = True
    """False: a private talk, of which nothing touches the disk."""
    resume: str | None = None
    """The full id of the conversation to go on with; None: a new one."""
    given: Mapping[str, object] = field(default_factory=dict)
    """What was asked for in so many words, by the names of `SamplingParams`, effort and instructions: it holds in a
    resumed conversation too, where otherwise its own settings do."""
    keep_going: bool = False
    """When the line drops, the answer is finished first."""
    save_state: bool = False
    """Whether the prompt's state is written at exit, and read when the conversation is resumed."""
    folder: Path | None = None
    """Where things are kept; None: in the user's state folder."""
    offer: Callable[[str, str], None] | None = None
    """Hears, on another thread, of a conversation that was cut off, where it can be gone on with at once: its id, and
    what became of it. None: `tell` hears of it."""
    tell: Callable[[str], None] = _nobody
    """Hears, on another thread, what a person should know, a line or two at a time."""


PRIVATE = Saving(save=False)
"""Nothing is kept."""
