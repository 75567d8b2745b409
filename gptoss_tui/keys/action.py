"""What a row of the table of keys is: an action, and the place in which its keys are heard."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Action:
    """Something a person can do by key, from anywhere or in one place."""

    id: str
    """Names it in config.toml, such as `app.stop`. The same id in two front ends is the same action."""
    keys: str
    """Keys by default, separated by commas; keys that must be pressed one after the other by a space."""
    action: str
    """What does it in the TUI: a method `action_…`, with arguments where it takes some."""
    title: str
    """One or two words, for the key bar."""
    help: str
    """One sentence, for tooltips, the palette and the help screen."""
    show: bool = False
    """True where the key bar should have it while there is room."""
    priority: bool = False
    """True where it works whatever has the focus."""
    palette: bool = True
    """False for what makes sense only by key."""
    when_empty: bool = False
    """True where it is heard on an empty prompt only, so that a character may be its key."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where keys are heard: everywhere, in one pane, on one sheet."""

    id: str
    title: str
    """Says where, above the keys in a help: `In the prompt`."""
    actions: tuple[Action, ...]
    inside: tuple[str, ...] = ()
    """The places around it, whose keys are heard here too."""
    typing: bool = False
    """True where characters are text and editing keys edit."""
    front_end: str = "tui"
    """tui or repl."""
