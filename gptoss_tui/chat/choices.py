"""`Choice`: one thing that a line may become when it is completed."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Choice:
    """Something that a line may become when it is completed."""

    value: str
    """What then stands there."""
    help: str = ""
    """What it is, in a few words; a person's own text among it, so make it visible before it is shown."""
